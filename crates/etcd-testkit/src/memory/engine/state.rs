//! What is behind the lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::task::Waker;
use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Request};
use tokio::sync::oneshot::Sender;
use tokio::time::Instant;

use super::backlog::{Backlog, Held};
use super::{Clock, Gate};
use crate::memory::journal::{EntryId, Journal};
use crate::memory::{Answer, Plan, StalledWrites, Store, WatcherId};

/// What is behind the lock.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) plan: Plan,
    pub(crate) journal: Journal,
    pub(super) clock: Clock,
    /// One per member, as last settled.
    pub(super) gates: Vec<Gate>,
    /// Of watches that have nothing to read.
    pub(super) wakers: HashMap<WatcherId, Waker>,
    /// The time for which timers are set, as far as known.
    pub(super) armed: Option<Instant>,
    pub(super) killed: BTreeSet<usize>,
    /// Whether all members are dead for good.
    pub(super) is_stopped: bool,
    /// When there is a leader again.
    pub(super) leader_returns: Option<Instant>,
    /// When which member catches up.
    pub(super) lag_ends: BTreeMap<usize, Instant>,
    pub(super) stalled_writes: StalledWrites,
    pub(super) backlog: Backlog,
    /// Answers to those of the backlog, until the lock is free.
    pub(super) answers: Vec<(Sender<Answer>, Answer)>,
    /// Those of the backlog who get none.
    pub(super) unanswered: Vec<Sender<Answer>>,
}

impl State {
    pub(crate) fn new(store: Store, plan: Plan, clock: Clock) -> Self {
        Self {
            store,
            plan,
            journal: Journal::default(),
            clock,
            gates: Vec::new(),
            wakers: HashMap::new(),
            armed: None,
            killed: BTreeSet::new(),
            is_stopped: false,
            leader_returns: None,
            lag_ends: BTreeMap::new(),
            stalled_writes: StalledWrites::default(),
            backlog: Backlog::default(),
            answers: Vec::new(),
            unanswered: Vec::new(),
        }
    }

    /// The date in the cluster.
    pub(crate) fn date(&mut self) -> SystemTime {
        self.clock.date(Instant::now())
    }

    /// Whether a member is dead: killed, or removed from the cluster.
    pub(super) fn is_down(&self, member: usize) -> bool {
        self.is_stopped || self.killed.contains(&member) || !self.store.is_running(member)
    }

    /// How often a member was killed so far.
    pub(super) fn kills(&self, member: usize) -> u64 {
        self.gates.get(member).map_or(0, |gate| gate.kills)
    }

    /// Ends all members for good.
    pub(super) fn stop(&mut self) {
        self.is_stopped = true;
        self.unanswered.append(&mut self.backlog.lose(|_| true));
        self.backlog.take_stalled();
    }

    /// Has the store carry a request out, and the log say so.
    pub(super) fn carry_out(
        &mut self,
        member: usize,
        request: &Request<Bytes>,
        entry: EntryId,
        date: SystemTime,
    ) -> Answer {
        let answer = self.store.handle(member, request, date);
        let is_applied = match &answer {
            Answer::Complete(response) => response.status().is_success(),
            Answer::Watch(_) => true,
            Answer::NoQuorum(_) => {
                self.stall(Held { member, request: request.clone(), entry, asked: date });
                false
            }
        };
        if is_applied {
            self.journal.amend(entry, |entry| entry.applied = true);
        }
        answer
    }

    /// Does what is due, in the order of its times.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        while let Some(due) = self.next_change().filter(|due| *due <= now) {
            let date = self.clock.date(due);
            self.store.sync(date);
            self.change_by_time(due, date);
        }
        let date = self.clock.date(now);
        self.store.sync(date);
    }

    /// Carries out the writes that have waited for a leader, if there is one.
    ///
    /// Their times to live count from when they came: the member that takes a write computes its end.
    pub(super) fn land(&mut self) {
        if !self.backlog.has_stalled() || !self.store.has_working_leader() {
            return;
        }
        for held in self.backlog.take_stalled() {
            if self.store.can_commit(held.member) {
                // A write opens no watch, and its client was or will be answered as by a timeout.
                drop(self.carry_out(held.member, &held.request, held.entry, held.asked));
            } else if self.store.is_running(held.member) {
                self.stall(held);
            }
        }
        let date = self.date();
        self.store.sync(date);
    }

    /// When something happens by itself next.
    pub(super) fn next_wake(&mut self) -> Option<Instant> {
        let sync = self.store.next_sync().and_then(|date| self.clock.instant(date, Instant::now()));
        [sync, self.next_change()].into_iter().flatten().min()
    }

    /// Notes that the caller sets a timer for the time returned.
    pub(super) fn arm(&mut self) -> Option<Instant> {
        self.armed = self.next_wake();
        self.armed
    }

    /// When something other than an expiry is due next.
    fn next_change(&self) -> Option<Instant> {
        let lag = self.lag_ends.values().min().copied();
        [self.leader_returns, lag, self.backlog.next_due()].into_iter().flatten().min()
    }

    /// Does what is due at a time, but expiries. Each is done once, so that the times come to an end.
    fn change_by_time(&mut self, due: Instant, date: SystemTime) {
        if self.leader_returns.take_if(|at| *at <= due).is_some() {
            self.store.recover_leader(date);
            self.land();
        }
        let store = &mut self.store;
        self.lag_ends.retain(|member, at| {
            let lasts = due < *at;
            if !lasts {
                // One that was removed meanwhile has nothing to catch up with.
                let _ = store.catch_up(*member, usize::MAX);
            }
            lasts
        });
        while let Some((held, answer)) = self.backlog.take_due(due) {
            let done = self.carry_out(held.member, &held.request, held.entry, date);
            match &done {
                // Nobody is there to read it. (Who leaves later closes it himself.)
                Answer::Watch(watch) if answer.is_closed() => self.store.close_watch(watch.watcher),
                Answer::Watch(_) | Answer::Complete(_) | Answer::NoQuorum(_) => {
                    self.answers.push((answer, done));
                }
            }
        }
    }

    /// Keeps a write for when there is a leader, if that is wanted; one that finds no room is lost.
    fn stall(&mut self, held: Held) {
        let is_write = !matches!(*held.request.method(), Method::GET | Method::HEAD);
        match self.stalled_writes {
            StalledWrites::LandLater if is_write => {
                self.backlog.stall(held);
            }
            StalledWrites::LandLater | StalledWrites::Lost => {}
        }
    }
}
