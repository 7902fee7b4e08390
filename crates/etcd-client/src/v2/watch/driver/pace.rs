//! How fast things happen, and how long to wait.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::hope::Hope;
use crate::Error;

/// Pauses between attempts to get a connection back: none at first, then full jitter.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    /// Failures in a row that another member hardly cures.
    odd: u32,
    /// When the first failure was behind which no member has answered.
    since: Option<Instant>,
    /// When the last failure was.
    last: Option<Instant>,
    /// How long it is borne that no member answers.
    limit: Option<Duration>,
}

/// When the last polls were answered, and by what.
#[derive(Debug, Default)]
pub(super) struct Burst {
    answers: VecDeque<Instant>,
    /// How many in a row came out of the history.
    past: usize,
}

/// The mean time between events, weighted to the latest ones.
#[derive(Debug)]
pub(super) struct Gaps {
    mean: Duration,
    last: Instant,
}

// === impl Backoff ===

impl Backoff {
    /// Failures in a row are borne for so long; `None` for ever.
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self { limit, ..Self::default() }
    }

    /// An event has come: what was before is forgotten.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.limit);
    }

    /// When a member last answered, as of a failure that is told next.
    ///
    /// An answer ends the time without one. It ends the row of failures too if what it opened was good for a while:
    /// else a member that answers and cuts at once would be asked without a pause.
    pub(super) fn last_answer(&mut self, at: Option<Instant>) {
        let Some(at) = at.filter(|at| self.last.is_none_or(|last| *at >= last)) else { return };
        self.since = None;
        if at.elapsed() >= QUIET {
            self.reset();
        }
    }

    /// Waits before the next attempt.
    pub(super) async fn pause(&mut self) {
        self.failures = self.failures.saturating_add(1);
        if self.failures == 1 {
            return;
        }
        let most = FIRST * 2_u32.saturating_pow(self.failures - 2).min(MOST_TIMES);
        sleep(most.mul_f64(fastrand::f64())).await;
    }

    /// Whether no member and no time will cure the failure, or the time for it is up.
    pub(super) fn is_hopeless(&mut self, error: &Error) -> bool {
        self.last = Some(Instant::now());
        let hope = if error.may_pass() { Hope::Good } else { Hope::of(error.kind()) };
        match hope {
            Hope::Good => {
                let since = *self.since.get_or_insert_with(Instant::now);
                self.limit.is_some_and(|limit| since.elapsed() >= limit)
            }
            Hope::Little => {
                self.odd += 1;
                self.odd > ODD
            }
            Hope::None => true,
        }
    }
}

// === impl Burst ===

impl Burst {
    /// A poll was answered; whether polls alone cannot keep up.
    ///
    /// Either several came within a short time, or several in a row brought what had happened before they were
    /// opened: on a slow network, or a busy machine, the second shows what the first does not.
    pub(super) fn answered(&mut self, now: Instant, past: bool) -> bool {
        self.past = if past { self.past + 1 } else { 0 };
        self.answers.push_back(now);
        if self.answers.len() > BURST {
            self.answers.pop_front();
        }
        let fast = self.answers.front().is_some_and(|first| now - *first <= BURST_WITHIN);
        (self.answers.len() == BURST && fast) || self.past >= BURST
    }
}

// === impl Gaps ===

impl Gaps {
    pub(super) fn new() -> Self {
        Self { mean: SILENCE_MOST / 10, last: Instant::now() }
    }

    /// An event has come.
    pub(super) fn event(&mut self, now: Instant) {
        self.mean = (self.mean * 7 + (now - self.last)) / 8;
        self.last = now;
    }

    /// The consumer kept the watch from reading: that was no silence of the server.
    pub(super) fn skip_to(&mut self, now: Instant) {
        self.last = now;
    }

    /// When a silence is long enough to look whether the stream is still there.
    pub(super) fn suspicious_at(&self) -> Instant {
        self.last + (self.mean * 10).clamp(SILENCE_LEAST, SILENCE_MOST)
    }

    /// When a silence is long enough to go without a stream.
    pub(super) fn over_at(&self) -> Instant {
        self.last + QUIET
    }
}

/// When a quiet poll is renewed: somewhere between 30 and 45 s from now, so that many watches do not move as one.
pub(super) fn renewal() -> Duration {
    Duration::from_secs(30) + Duration::from_secs(15).mul_f64(fastrand::f64())
}

const FIRST: Duration = Duration::from_millis(25);
/// 25 ms to 1 s, about.
const MOST_TIMES: u32 = 40;
const ODD: u32 = 8;
const BURST: usize = 4;
const BURST_WITHIN: Duration = Duration::from_millis(100);
const SILENCE_LEAST: Duration = Duration::from_millis(20);
const SILENCE_MOST: Duration = Duration::from_millis(200);
/// Without an event for so long there is no need of a stream.
pub(super) const QUIET: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn four_answers_within_a_tenth_of_a_second_are_a_burst() {
        let mut burst = Burst::default();
        let begun = Instant::now();
        let seen =
            [0, 60, 90, 120, 130, 155].map(|at| burst.answered(begun + Duration::from_millis(at), false));
        assert_eq!(seen, [false, false, false, false, true, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn four_answers_in_a_row_out_of_the_history_are_one_however_slow() {
        let (mut burst, begun) = (Burst::default(), Instant::now());
        let pasts = [true, true, true, false, true, true, true, true];
        let mut at = begun;
        let seen = pasts.map(|past| {
            at += Duration::from_millis(300);
            burst.answered(at, past)
        });
        assert_eq!(seen, [false, false, false, false, false, false, false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_failure_costs_no_pause_and_later_ones_at_most_a_second() {
        let (mut backoff, begun) = (Backoff::new(None), Instant::now());
        backoff.pause().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        for _ in 0..100 {
            let before = Instant::now();
            backoff.pause().await;
            assert!(before.elapsed() <= Duration::from_millis(1_001), "{:?}", before.elapsed());
        }
        assert!(begun.elapsed() > Duration::from_secs(20), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_measured_by_the_pace_of_events_within_bounds() {
        let mut gaps = Gaps::new();
        for _ in 0..50 {
            tokio::time::advance(Duration::from_millis(1)).await;
            gaps.event(Instant::now());
        }
        assert_eq!(gaps.suspicious_at() - Instant::now(), SILENCE_LEAST);
        for _ in 0..50 {
            tokio::time::advance(Duration::from_millis(300)).await;
            gaps.event(Instant::now());
        }
        assert_eq!(gaps.suspicious_at() - Instant::now(), SILENCE_MOST);
    }
}
