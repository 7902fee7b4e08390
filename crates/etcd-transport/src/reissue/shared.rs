//! What silent calls share: whose turn a canary is, and what canaries have shown.
//!
//! Poll-driven: no task. A turn is a point in time, so if the call that took it goes away, the next turn is
//! taken by whichever silent call looks first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use crate::RetryConfig;
use crate::retry::{Budget, Jitter};

/// Of all clones of one layer.
#[derive(Debug)]
pub(super) struct Shared {
    enabled: bool,
    budget: Option<Budget>,
    max_attempts: Option<usize>,
    jitter: Jitter,
    /// Of reads and of writes, in microseconds; 0 before the first answer.
    latency: [AtomicU64; 2],
    turns: Mutex<Turns>,
}

/// Changed under one short lock.
#[derive(Debug, Default)]
struct Turns {
    /// When the next canary may be sent; `None` for at once.
    next: Option<Instant>,
    /// When the latest canary was sent that was answered.
    answered: Option<Instant>,
    /// The tasks of silent calls, by the number of their seat. As many as there are silent calls.
    silent: HashMap<u64, Waker>,
    /// The number of the next seat.
    seats: u64,
}

/// What a silent call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is sent once more: as a canary, or because one was answered.
    Send { resent: bool },
    /// It waits until then, or until a canary is answered.
    Wait(Instant),
}

/// What a silent call says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silent {
    /// When its silent copy was sent.
    pub(super) since: Instant,
    /// When its second copy was sent.
    pub(super) second: Option<Instant>,
    /// It was sent once more because a canary was answered.
    pub(super) resent: bool,
    /// It takes nothing from the budget.
    pub(super) exempt: bool,
}

/// A silent call's place among those that are woken by an answered canary.
#[derive(Debug)]
pub(super) struct Seat {
    shared: Arc<Shared>,
    number: u64,
}

impl Shared {
    pub(super) fn new(config: &RetryConfig) -> Self {
        Self {
            enabled: config.repeat && config.reissue,
            budget: config.budget.clone(),
            max_attempts: config.max_attempts,
            jitter: config.backoff.source(),
            latency: [const { AtomicU64::new(0) }; 2],
            turns: Mutex::default(),
        }
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// How many attempts a call may make that does not say so itself.
    pub(super) fn max_attempts(&self) -> Option<usize> {
        self.max_attempts
    }

    /// How long a call of this class may wait before it counts as silent.
    pub(super) fn patience(&self, read: bool) -> Duration {
        let latency = Duration::from_micros(self.latency[usize::from(read)].load(Ordering::Relaxed));
        (4 * latency).max(SHORTEST)
    }

    /// A call of this class was answered after this time, at the first attempt.
    ///
    /// The average moves by an eighth. Two that are answered at once may lose one of their times, which does
    /// not matter.
    pub(super) fn record(&self, read: bool, took: Duration) {
        let average = &self.latency[usize::from(read)];
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        let before = average.load(Ordering::Relaxed);
        let after = if before == 0 { took } else { before - before / 8 + took / 8 };
        average.store(after, Ordering::Relaxed);
    }

    /// What a silent call does now; to wait, it takes its seat.
    pub(super) fn turn(
        self: &Arc<Self>,
        seat: &mut Option<Seat>,
        waker: &Waker,
        silent: Silent,
        now: Instant,
    ) -> Turn {
        // What belongs to a waker is the executor's code: it runs before the lock and behind it.
        let waker = waker.clone();
        let mut turns = self.turns();
        // A canary that was sent after it was answered: the cluster serves, but not this copy.
        let served = turns.answered.is_some_and(|sent| {
            sent > silent.since && silent.second.is_none_or(|second| second < sent) && !silent.resent
        });
        let canary = turns.next.is_none_or(|next| next <= now);
        let interval = self.jitter.between(INTERVAL / 2, INTERVAL);
        let mut wait = turns.next.filter(|next| *next > now).unwrap_or(now + interval);
        if served || canary {
            if silent.exempt || self.budget.as_ref().is_none_or(Budget::withdraw) {
                if !served {
                    turns.next = Some(now + interval);
                }
                return Turn::Send { resent: served };
            }
            wait = wait.max(now + interval);
        }
        let number = match seat {
            Some(seat) => seat.number,
            None => {
                turns.seats += 1;
                let number = turns.seats;
                *seat = Some(Seat { shared: Arc::clone(self), number });
                number
            }
        };
        let older = turns.silent.insert(number, waker);
        drop(turns);
        drop(older);
        Turn::Wait(wait)
    }

    /// A copy that was sent then was answered: silent calls look again.
    pub(super) fn answered(&self, sent: Instant) {
        let silent = {
            let mut turns = self.turns();
            turns.answered = turns.answered.max(Some(sent));
            std::mem::take(&mut turns.silent)
        };
        silent.into_values().for_each(Waker::wake);
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        // The guarded data is whole between any two statements: a panic elsewhere spoils nothing.
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many silent calls wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.turns().silent.len()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let waker = self.shared.turns().silent.remove(&self.number);
        // Not under the lock: it is the executor's code.
        drop(waker);
    }
}

/// Nothing that is younger is silent.
const SHORTEST: Duration = Duration::from_millis(500);

/// The longest time between two canaries; the shortest is half of it.
const INTERVAL: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_half_a_second_or_four_times_the_latency_of_the_class() {
        let shared = Shared::new(&RetryConfig::new());
        assert_eq!(shared.patience(true), SHORTEST);
        shared.record(true, Duration::from_secs(1));
        assert_eq!(shared.patience(true), Duration::from_secs(4));
        assert_eq!(shared.patience(false), SHORTEST);
        (0..100).for_each(|_| shared.record(true, Duration::from_millis(1)));
        assert_eq!(shared.patience(true), SHORTEST);
    }

    /// What a call does that is silent since then, at a time in milliseconds.
    fn turn(shared: &Arc<Shared>, start: Instant, silent: Silent, at: u64) -> Turn {
        shared.turn(&mut None, Waker::noop(), silent, start + Duration::from_millis(at))
    }

    /// A waker that notes when it is dropped, and whether the lock was free then.
    struct Free {
        shared: Arc<Shared>,
        seen: Arc<Mutex<Vec<bool>>>,
    }

    impl std::task::Wake for Free {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Free {
        fn drop(&mut self) {
            self.seen.lock().unwrap().push(self.shared.turns.try_lock().is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_waker_is_dropped_with_the_lock_free_when_it_is_replaced_and_when_its_seat_is_left() {
        let shared = Arc::new(Shared::new(&RetryConfig::new()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = || seen.lock().unwrap().clone();
        let now = Instant::now();
        let silent = Silent { since: now, second: None, resent: false, exempt: true };
        assert_eq!(turn(&shared, now, silent, 0), Turn::Send { resent: false });
        let mut seat = None;
        for _ in 0..2 {
            let waker = Arc::new(Free { shared: Arc::clone(&shared), seen: Arc::clone(&seen) }).into();
            assert!(matches!(shared.turn(&mut seat, &waker, silent, now), Turn::Wait(_)));
        }
        assert_eq!(told(), [true]);
        drop(seat);
        assert_eq!(told(), [true, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answered_canary_speaks_once_and_for_what_was_sent_before_it() {
        let jitter = crate::retry::Backoff::default().jitter(Jitter::new(|| 1.0));
        let shared = Arc::new(Shared::new(&RetryConfig::new().backoff(jitter)));
        let start = Instant::now();
        let ms = |millis| start + Duration::from_millis(millis);
        let silent = Silent { since: start, second: None, resent: false, exempt: false };
        assert_eq!(turn(&shared, start, silent, 500), Turn::Send { resent: false });
        assert_eq!(turn(&shared, start, silent, 510), Turn::Wait(ms(1_000)));
        shared.answered(ms(500));
        assert_eq!(turn(&shared, start, silent, 520), Turn::Send { resent: true });
        // It was sent once more already, and that copy is silent too.
        let resent = Silent { second: Some(ms(490)), resent: true, ..silent };
        assert_eq!(turn(&shared, start, resent, 520), Turn::Wait(ms(1_000)));
        // Its second copy is younger than the canary.
        let younger = Silent { second: Some(ms(505)), ..silent };
        assert_eq!(turn(&shared, start, younger, 520), Turn::Wait(ms(1_000)));
        // It was itself sent after the canary.
        let later = Silent { since: ms(501), ..silent };
        assert_eq!(turn(&shared, start, later, 520), Turn::Wait(ms(1_000)));
        assert_eq!(turn(&shared, start, later, 1_000), Turn::Send { resent: false });
    }
}
