//! The server's clock: tokio's, set to some date.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A date that moves with tokio's clock, and by jumps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    base: SystemTime,
    /// When the clock was first read: a server may be made outside of the runtime whose time it follows.
    started: Option<Instant>,
}

impl Clock {
    pub(crate) fn new(base: SystemTime) -> Self {
        Self { base, started: None }
    }

    /// The date at an instant. A date beyond what the platform can show stands still.
    pub(crate) fn date(&mut self, now: Instant) -> SystemTime {
        let started = *self.started.get_or_insert(now);
        self.base.checked_add(now.saturating_duration_since(started)).unwrap_or(self.base)
    }

    /// The instant at which a date comes, if nothing jumps; `now` if it has passed, `None` if it never comes.
    ///
    /// The same for a date to come whenever it is asked: by that others tell whether a timer has to be set anew.
    pub(crate) fn instant(&mut self, date: SystemTime, now: Instant) -> Option<Instant> {
        let wait = date.duration_since(self.date(now)).unwrap_or_default();
        now.checked_add(wait)
    }

    /// Sets the date forward.
    pub(crate) fn forward(&mut self, by: Duration) {
        let date = self.base.checked_add(by).filter(|date| *date <= latest());
        self.base = date.unwrap_or_else(|| self.base.max(latest()));
    }

    /// Sets the date back.
    pub(crate) fn back(&mut self, by: Duration) {
        self.base = self.base.checked_sub(by).unwrap_or(self.base);
    }
}

/// When to wake for `next`: then, or earlier to look again. tokio's timers end after some years.
pub(crate) fn timer(next: Instant) -> Instant {
    Instant::now().checked_add(FAR).map_or(next, |far| next.min(far))
}

/// Longer waits are taken in parts.
const FAR: Duration = Duration::from_secs(24 * 3600);

/// How far a jump goes at most, in the year 2219: the store counts nanoseconds, until 2262.
fn latest() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(250 * 365 * 24 * 3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_and_its_instant_are_the_same_time() {
        let mut clock = Clock::new(UNIX_EPOCH);
        let now = Instant::now();
        assert_eq!(clock.date(now), UNIX_EPOCH);
        let later = now + Duration::from_millis(300);
        let date = UNIX_EPOCH + Duration::from_secs(5);
        assert_eq!(clock.instant(date, later), Some(now + Duration::from_secs(5)));
        clock.forward(Duration::from_secs(3));
        assert_eq!(clock.instant(date, later), Some(now + Duration::from_secs(2)));
        clock.back(Duration::from_secs(4));
        assert_eq!(clock.instant(date, later), Some(now + Duration::from_secs(6)));
        assert_eq!(clock.instant(UNIX_EPOCH - Duration::from_secs(9), later), Some(later));
    }

    #[test]
    fn a_far_date_has_one_instant_whenever_it_is_asked() {
        let mut clock = Clock::new(UNIX_EPOCH);
        let now = Instant::now();
        clock.date(now);
        let date = UNIX_EPOCH + 30 * FAR;
        assert_eq!(clock.instant(date, now), Some(now + 30 * FAR));
        assert_eq!(clock.instant(date, now + FAR), Some(now + 30 * FAR));
        assert!(timer(now + 30 * FAR) < now + 2 * FAR);
        assert_eq!(timer(now), now);
    }

    #[test]
    fn a_jump_beyond_all_dates_goes_as_far_as_can_be() {
        let mut clock = Clock::new(UNIX_EPOCH);
        let now = Instant::now();
        clock.forward(Duration::MAX);
        assert_eq!(clock.date(now), latest());
        clock.forward(Duration::from_secs(1));
        assert_eq!(clock.date(now), latest());
    }
}
