//! One cluster with its clock, faults and log, behind one lock.

mod change;
mod clock;
mod gate;
mod serve;
mod state;

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

pub(crate) use self::clock::{Clock, timer};
pub(crate) use self::gate::{Gate, killed};
pub(crate) use self::state::State;

use super::{Change, WatcherId};

/// One cluster, as all its fronts share it.
///
/// The lock is held for single steps only, never across an await, and no waker of a watch is woken or dropped
/// under it: either may drop a body, which takes the lock. Those who wait for a gate, and the task, are woken
/// under it, so that gates change in the order of what changes them; the wakers of an executor that drops a
/// future while it is woken would wait for ever there. (tokio's do not.)
pub(crate) struct Engine {
    state: Mutex<State>,
    /// One per member.
    gates: Vec<watch::Sender<Gate>>,
    driver: Driver,
}

/// What a watch finds.
pub(crate) enum Polled {
    Event(Bytes),
    /// The member was killed.
    Cut,
    /// Nothing; the waker is noted, and the caller has to be back at this time.
    Wait(Option<Instant>),
}

/// Who sees to it that time passes while nobody asks.
#[derive(Debug)]
pub(crate) enum Driver {
    /// Every open watch has a timer: nothing is spawned.
    Bodies,
    /// One task; it is told when the next time changes.
    Task(Notify),
}

/// Wakes them on drop.
struct Wakers(Vec<Waker>);

impl Drop for Wakers {
    fn drop(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}

impl Engine {
    pub(crate) fn new(state: State, members: usize, driver: Driver) -> Self {
        let gates = (0..members).map(|_| watch::Sender::new(Gate::default())).collect();
        let engine = Self { state: Mutex::new(state), gates, driver };
        // Opens the gates. No tick: the clock starts at the first request. Nobody is there to be woken.
        drop(engine.settle(&mut engine.state.lock().unwrap_or_else(PoisonError::into_inner)));
        engine
    }

    /// Does something to the cluster, with what is due done before, and tells everybody concerned after.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        // Dropped after the lock: if `act` panics, those who are due by then are woken all the same.
        let mut wakers = Wakers(Vec::new());
        // What a panic has left behind is still a store: each of its steps is done or not.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tick();
        // Once before as well: `act` may note that the next time is known, which says nothing about the others.
        wakers.0.append(&mut self.settle(&mut state));
        let result = act(&mut state);
        wakers.0.append(&mut self.settle(&mut state));
        drop(state);
        drop(wakers);
        result
    }

    /// Has something happen to the cluster.
    pub(crate) fn change(&self, change: &Change) {
        let is_known = change.member().is_none_or(|member| member < self.gates.len());
        if is_known {
            self.with(|state| state.change(change));
        }
    }

    /// The gate of a member, now and later.
    pub(crate) fn gate(&self, member: usize) -> Option<watch::Receiver<Gate>> {
        self.gates.get(member).map(watch::Sender::subscribe)
    }

    /// How often a member was killed so far.
    pub(crate) fn kills(&self, member: usize) -> u64 {
        self.gates.get(member).map_or(0, |gate| gate.borrow().kills)
    }

    /// The next event of a watch that was opened when its member had been killed `kills` times.
    ///
    /// Gates change under the lock only, so that no kill falls between the look and the note of the waker.
    pub(crate) fn poll_watch(
        &self,
        (member, kills): (usize, u64),
        watcher: WatcherId,
        context: &mut Context<'_>,
    ) -> Polled {
        let (polled, replaced) = self.with(|state| {
            if self.kills(member) != kills {
                return (Polled::Cut, state.wakers.remove(&watcher));
            }
            if let Some(event) = state.store.read_watch(watcher) {
                return (Polled::Event(event), state.wakers.remove(&watcher));
            }
            let replaced = state.wakers.insert(watcher, context.waker().clone());
            let next = match self.driver {
                Driver::Bodies => state.arm(),
                Driver::Task(_) => None,
            };
            (Polled::Wait(next), replaced)
        });
        // Here, where the lock is free.
        drop(replaced);
        polled
    }

    pub(crate) fn close_watch(&self, watcher: WatcherId) {
        let waker = self.with(|state| {
            state.store.close_watch(watcher);
            state.wakers.remove(&watcher)
        });
        drop(waker);
    }

    /// Lets time pass for as long as it is polled; only for an engine with [`Driver::Task`].
    pub(crate) async fn run(&self) {
        let Driver::Task(changed) = &self.driver else { return };
        loop {
            match self.with(State::arm) {
                None => changed.notified().await,
                Some(next) => tokio::select! {
                    () = tokio::time::sleep_until(timer(next)) => {}
                    () = changed.notified() => {}
                },
            }
        }
    }

    /// Opens and closes gates, and finds whom to wake.
    fn settle(&self, state: &mut State) -> Vec<Waker> {
        let mut wakes_all = false;
        for (member, gate) in self.gates.iter().enumerate() {
            let killed = state.is_down(member);
            let is_open = !killed && !state.plan.refuses(member);
            gate.send_if_modified(|gate| {
                wakes_all |= gate.update(killed, is_open);
                gate.take_changed()
            });
        }
        let next = state.next_wake();
        match &self.driver {
            Driver::Task(changed) if next != state.armed => {
                state.armed = next;
                changed.notify_one();
            }
            Driver::Bodies if next.is_some_and(|next| state.armed.is_none_or(|armed| next < armed)) => {
                // Each arms its timer anew when it is polled.
                wakes_all = true;
                state.armed = next;
            }
            Driver::Task(_) | Driver::Bodies => {}
        }
        let woken = state.store.take_woken();
        if wakes_all {
            return state.wakers.drain().map(|(_, waker)| waker).collect();
        }
        woken.iter().filter_map(|watcher| state.wakers.remove(watcher)).collect()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("members", &self.gates.len()).finish_non_exhaustive()
    }
}
