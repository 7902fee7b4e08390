//! One step under the lock, and what is told after it.

use std::sync::{MutexGuard, PoisonError};
use std::task::Waker;

use tokio::sync::oneshot::Sender;

use super::{Driver, Engine, Gate, State};
use crate::memory::Answer;

/// One step under the lock. On drop, also by a panic, all concerned are told: first the lock is released.
pub(super) struct Session<'a> {
    // The order of the fields is the order in which they are dropped.
    pub(super) state: MutexGuard<'a, State>,
    notices: Notices<'a>,
}

/// Whom to tell what once the lock is free. Told on drop.
///
/// Waking may run any code of an executor, and that may drop a body, which takes the lock.
struct Notices<'a> {
    engine: &'a Engine,
    gates: Vec<(usize, Gate)>,
    is_rearmed: bool,
    answers: Vec<(Sender<Answer>, Answer)>,
    unanswered: Vec<Sender<Answer>>,
    wakers: Vec<Waker>,
}

impl<'a> Session<'a> {
    pub(super) fn open(engine: &'a Engine) -> Self {
        // What a panic has left behind is still a store: each of its steps is done or not.
        let state = engine.state.lock().unwrap_or_else(PoisonError::into_inner);
        Self { state, notices: Notices::none(engine) }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.state.land();
        self.notices.collect(&mut self.state);
    }
}

impl<'a> Notices<'a> {
    fn none(engine: &'a Engine) -> Self {
        Self {
            engine,
            gates: Vec::new(),
            is_rearmed: false,
            answers: Vec::new(),
            unanswered: Vec::new(),
            wakers: Vec::new(),
        }
    }

    /// Finds out what has come of a step.
    fn collect(&mut self, state: &mut State) {
        let mut wakes_all = false;
        for member in 0..state.gates.len() {
            let is_down = state.is_down(member);
            let is_open = !is_down && !state.plan.refuses(member);
            let Some(gate) = state.gates.get_mut(member) else { continue };
            let kills = gate.kills;
            if gate.update(is_down, is_open) {
                self.gates.push((member, *gate));
                wakes_all |= gate.kills != kills;
            }
        }
        let next = state.next_wake();
        match &self.engine.driver {
            Driver::Task(_) if next != state.armed => {
                state.armed = next;
                self.is_rearmed = true;
            }
            Driver::Bodies if next.is_some_and(|next| state.armed.is_none_or(|armed| next < armed)) => {
                // Each arms its timer anew when it is polled.
                wakes_all = true;
                state.armed = next;
            }
            Driver::Task(_) | Driver::Bodies => {}
        }
        self.answers.append(&mut state.answers);
        self.unanswered.append(&mut state.unanswered);
        let woken = state.store.take_woken();
        if wakes_all {
            self.wakers.extend(state.wakers.drain().map(|(_, waker)| waker));
        } else {
            self.wakers.extend(woken.iter().filter_map(|watcher| state.wakers.remove(watcher)));
        }
    }
}

impl Drop for Notices<'_> {
    fn drop(&mut self) {
        for (member, gate) in self.gates.drain(..) {
            if let Some(sender) = self.engine.gates.get(member) {
                // Another thread may have told of a later step by now.
                sender.send_if_modified(|told| told.renew(gate));
            }
        }
        if let (Driver::Task(changed), true) = (&self.engine.driver, self.is_rearmed) {
            changed.notify_one();
        }
        for (client, answer) in self.answers.drain(..) {
            if let Err(Answer::Watch(watch)) = client.send(answer) {
                // Nobody is there to read it.
                self.engine.close_watch(watch.watcher);
            }
        }
        self.unanswered.clear();
        self.wakers.drain(..).for_each(Waker::wake);
    }
}
