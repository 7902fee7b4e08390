//! The clock by which a holding ends.

use std::fmt;
use std::future::Future;
use std::ops::{Add, Sub};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

/// The wait of a [`Clock`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The clock by which a holding ends: it never goes back, and it counts the time that the machine sleeps.
///
/// [`SystemClock`] is the one to use. A clock of one's own is for tests.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use etcd_recipe::{Clock, SystemClock};
///
/// let before = SystemClock.now();
/// assert!(SystemClock.now().saturating_since(before) < Duration::from_secs(60));
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits until it is `time`, or a little later.
    ///
    /// Awaited inside a tokio runtime. It may be dropped at any time.
    fn sleep_until(&self, time: Timestamp) -> Sleep;
}

/// A time of a [`Clock`]: so long after the clock's origin. Times of two clocks have nothing to do with each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(Duration);

impl Timestamp {
    /// The time that is so long behind the clock's origin.
    #[must_use]
    pub const fn from_origin(since: Duration) -> Self {
        Self(since)
    }

    /// How long after the clock's origin this is.
    #[must_use]
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// Ends at the last time that there is.
    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    /// Ends at the clock's origin.
    fn sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time))
    }
}

/// The clock of the operating system that counts from its start on, with the time that the machine was asleep:
/// `CLOCK_BOOTTIME` on Linux, `CLOCK_MONOTONIC` on macOS, where that counts sleep. Nobody can set it.
///
/// A wait wakes up once a second at least and reads the clock anew, since timers stand still while the machine
/// sleeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let time = rustix::time::clock_gettime(CLOCK);
        // Neither is negative: the clock begins at 0, and a fraction is below 1,000,000,000.
        let secs = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
        Timestamp(Duration::new(secs, nanos))
    }

    fn sleep_until(&self, time: Timestamp) -> Sleep {
        let clock = *self;
        Box::pin(async move {
            loop {
                let left = time.saturating_since(clock.now());
                if left.is_zero() {
                    return;
                }
                sleep(left.min(SLICE)).await;
            }
        })
    }
}

/// tokio's clock, for tests in virtual time.
///
/// **Not for anything else**: it stands still while the machine sleeps, and a holding by it would be taken for valid
/// after the key has run out.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: Instant,
}

impl TokioClock {
    /// A clock that begins now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.origin.elapsed())
    }

    fn sleep_until(&self, time: Timestamp) -> Sleep {
        match self.origin.checked_add(time.0) {
            Some(instant) => Box::pin(sleep_until(instant)),
            // Behind the last instant that there is.
            None => Box::pin(std::future::pending()),
        }
    }
}

#[cfg(target_os = "linux")]
const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

/// The longest part of a wait.
const SLICE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_goes_on() {
        let first = SystemClock.now();
        assert!(first > Timestamp::default());
        assert!(SystemClock.now() >= first);
    }

    #[tokio::test(start_paused = true)]
    async fn tokios_clock_goes_with_virtual_time() {
        let clock = TokioClock::new();
        let end = clock.now() + Duration::from_secs(60);
        clock.sleep_until(end).await;
        assert_eq!(clock.now().saturating_since(end).as_secs(), 0);
        assert!(clock.now() >= end);
    }

    #[test]
    fn times_end_at_the_ends() {
        let last = Timestamp::from_origin(Duration::MAX);
        assert_eq!(last + Duration::from_secs(1), last);
        assert_eq!(Timestamp::default() - Duration::from_secs(1), Timestamp::default());
        assert_eq!(Timestamp::default().saturating_since(last), Duration::ZERO);
    }
}
