//! What is behind the lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::task::Waker;
use std::time::SystemTime;

use tokio::time::Instant;

use super::Clock;
use crate::memory::journal::Journal;
use crate::memory::{Plan, Store, WatcherId};

/// What is behind the lock.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) plan: Plan,
    pub(crate) journal: Journal,
    pub(super) clock: Clock,
    /// Of watches that have nothing to read.
    pub(super) wakers: HashMap<WatcherId, Waker>,
    /// The time for which timers are set, as far as known.
    pub(super) armed: Option<Instant>,
    pub(super) killed: BTreeSet<usize>,
    /// When there is a leader again.
    pub(super) leader_returns: Option<Instant>,
    /// When which member catches up.
    pub(super) lag_ends: BTreeMap<usize, Instant>,
}

impl State {
    pub(crate) fn new(store: Store, plan: Plan, clock: Clock) -> Self {
        Self {
            store,
            plan,
            journal: Journal::default(),
            clock,
            wakers: HashMap::new(),
            armed: None,
            killed: BTreeSet::new(),
            leader_returns: None,
            lag_ends: BTreeMap::new(),
        }
    }

    /// The date in the cluster.
    pub(crate) fn date(&mut self) -> SystemTime {
        self.clock.date(Instant::now())
    }

    /// Whether a member is dead: killed, or removed from the cluster.
    pub(super) fn is_down(&self, member: usize) -> bool {
        self.killed.contains(&member) || !self.store.is_running(member)
    }

    /// Does what is due.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        let date = self.clock.date(now);
        if self.leader_returns.take_if(|at| *at <= now).is_some() {
            self.store.recover_leader(date);
        }
        let store = &mut self.store;
        self.lag_ends.retain(|member, at| {
            let lasts = now < *at;
            if !lasts {
                // One that was removed meanwhile has nothing to catch up with.
                let _ = store.catch_up(*member, usize::MAX);
            }
            lasts
        });
        self.store.sync(date);
    }

    /// When something happens by itself next.
    pub(super) fn next_wake(&mut self) -> Option<Instant> {
        let sync = self.store.next_sync().and_then(|date| self.clock.instant(date, Instant::now()));
        let leader = self.leader_returns;
        let lag = self.lag_ends.values().min().copied();
        [sync, leader, lag].into_iter().flatten().min()
    }

    /// Notes that the caller sets a timer for the time returned.
    pub(super) fn arm(&mut self) -> Option<Instant> {
        self.armed = self.next_wake();
        self.armed
    }
}
