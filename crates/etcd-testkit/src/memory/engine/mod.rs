//! One cluster with its clock, faults and log, behind one lock.
//!
//! A request comes from a service or a connection, by its head, with a future that reads its body:
//!
//! 1. `serve` lets it in if its member lives and is the one that it was sent to, not one restarted since. It gets
//!    its place in the log and the fault of the first rule whose turn it is.
//! 2. The body is read, and the fault met: the store is asked now (`handle`), later (`apply_later`), or not at all.
//! 3. `ticket` notes in the log what the client was told; also that it has left, by being dropped.
//!
//! All the while a kill of the member ends it: `gate` counts kills, and what belongs to an older life is cut.
//! A gate must not be held where a watch's body may be dropped; see `killed`.
//!
//! What changes the cluster goes through a `session`. It opens by doing what is due by then (`state`): expiries, a
//! leader that is back, members that catch up, requests whose time has come (`backlog`), each as of its own time. It
//! closes by landing writes that have waited for a leader, and, once the lock is free, telling gates, timers,
//! clients (`claim`) and watches. `change` is what a test has happen; `clock` the date in the cluster.

mod backlog;
mod change;
mod claim;
mod clock;
mod gate;
mod serve;
mod session;
mod state;
mod ticket;

use std::fmt;
use std::future::pending;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Context;

use bytes::Bytes;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

pub(crate) use self::clock::{Clock, timer};
pub(crate) use self::gate::{Gate, killed};
pub(crate) use self::serve::Caller;
pub(crate) use self::state::State;

use self::session::Session;
use super::journal::{EntryId, LogEntry};
use super::{Change, Error, WatcherId};

/// One cluster, as all its fronts share it.
///
/// The lock is held for single steps only, never across an await, and nobody is woken and no waker dropped under
/// it: either may run code of an executor, which may drop a body, which takes the lock.
pub(crate) struct Engine {
    state: Mutex<State>,
    /// One per member: what is told of the gates in the state.
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

impl Engine {
    pub(crate) fn new(mut state: State, members: usize, driver: Driver) -> Self {
        state.gates = vec![Gate::default(); members];
        let gates = (0..members).map(|_| watch::Sender::new(Gate::default())).collect();
        let engine = Self { state: Mutex::new(state), gates, driver };
        // Opens the gates. No tick: the clock starts at the first request.
        drop(Session::open(&engine));
        engine
    }

    /// Does something to the cluster, with what is due done before, and tells everybody concerned after, also if
    /// `act` panics.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        let mut session = Session::open(self);
        session.state.tick();
        act(&mut session.state)
    }

    /// Has an entry of the log say more. Nothing else happens, and nobody has to be told.
    fn amend(&self, entry: EntryId, amend: impl FnOnce(&mut LogEntry)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.journal.amend(entry, amend);
    }

    /// Ends all members for good.
    pub(crate) fn stop(&self) {
        self.with(State::stop);
    }

    /// Has something happen to the cluster, or nothing at all where it names what does not exist.
    pub(crate) fn change(&self, change: &Change) -> Result<(), Error> {
        // A member that was added by a request has no gate: nothing of this can happen to it.
        match change.member().filter(|member| *member >= self.gates.len()) {
            Some(member) => Err(Error::no_member(member)),
            None => self.with(|state| state.change(change)),
        }
    }

    /// The gate of a member, now and later.
    pub(crate) fn gate(&self, member: usize) -> Option<watch::Receiver<Gate>> {
        self.gates.get(member).map(watch::Sender::subscribe)
    }

    /// Ready when a member is killed that had been killed `kills` times.
    pub(crate) fn death(&self, member: usize, kills: u64) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        let gate = self.gate(member);
        Box::pin(async move {
            let Some(mut gate) = gate else { return pending().await };
            if gate.wait_for(|gate| gate.kills != kills).await.is_err() {
                // Nobody is left who could kill it; what it has answered goes out.
                pending().await
            }
        })
    }

    /// How often a member was killed so far.
    pub(crate) fn kills(&self, member: usize) -> u64 {
        self.with(|state| state.kills(member))
    }

    /// The next event of a watch that was opened when its member had been killed `kills` times.
    ///
    /// Kills are counted under the lock, so that none falls between the look and the note of the waker.
    pub(crate) fn poll_watch(
        &self,
        (member, kills): (usize, u64),
        watcher: WatcherId,
        context: &mut Context<'_>,
    ) -> Polled {
        let (polled, replaced) = self.with(|state| {
            if state.kills(member) != kills {
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
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("members", &self.gates.len()).finish_non_exhaustive()
    }
}
