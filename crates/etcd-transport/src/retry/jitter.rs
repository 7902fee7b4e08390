//! Where random pauses come from.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A source of random numbers for pauses, so that clients that failed together do not come back together.
///
/// ```
/// use etcd_transport::retry::Jitter;
///
/// let longest = Jitter::new(|| 1.0); // for a test: no chance at all
/// # drop(longest);
/// ```
#[derive(Clone)]
pub struct Jitter(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Jitter {
    /// Takes the numbers from this function. They are kept within 0 and 1.
    #[must_use]
    pub fn new(fraction: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(fraction))
    }

    /// A time between two others.
    pub(crate) fn between(&self, shortest: Duration, longest: Duration) -> Duration {
        let fraction = (self.0)();
        let fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
        shortest + longest.saturating_sub(shortest).mul_f64(fraction)
    }
}

impl Default for Jitter {
    /// The generator of the thread, seeded by the system; not for secrets.
    fn default() -> Self {
        Self::new(fastrand::f64)
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jitter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stay_between_the_two_whatever_the_source_says() {
        let (short, long) = (Duration::from_millis(250), Duration::from_millis(500));
        for (fraction, millis) in
            [(0.0, 250), (0.5, 375), (1.0, 500), (7.0, 500), (-1.0, 250), (f64::NAN, 250)]
        {
            let time = Jitter::new(move || fraction).between(short, long);
            assert_eq!(time, Duration::from_millis(millis), "{fraction}");
        }
        assert_eq!(Jitter::new(|| 0.5).between(long, short), long);
    }
}
