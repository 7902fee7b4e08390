//! The pauses between rounds over the endpoints.

use std::time::Duration;

use super::Jitter;

/// How long to pause before a request goes round the endpoints again.
///
/// Full jitter: a random time between zero and a bound, which is 25 ms before the second round, doubles with
/// each round and ends at 1 s. The random share is all of it, since the servers are best off if clients that
/// failed together come back spread out.
///
/// ```
/// use std::time::Duration;
///
/// use etcd_transport::retry::Backoff;
///
/// let patient = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
/// # drop(patient);
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    jitter: Jitter,
}

impl Backoff {
    /// With these bounds for the first pause and for all. Zero for both means no pauses, which is for tests.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, jitter: Jitter::default() }
    }

    /// Another source of random numbers, also for the time between canaries
    /// ([`ReissueLayer`](crate::ReissueLayer)).
    #[must_use]
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Where its random numbers come from.
    pub(crate) fn source(&self) -> Jitter {
        self.jitter.clone()
    }

    /// The pause after so many rounds, from 1.
    pub(super) fn pause(&self, rounds: u32) -> Duration {
        let bound =
            2_u32.checked_pow(rounds.saturating_sub(1)).and_then(|factor| self.first.checked_mul(factor));
        self.jitter.between(Duration::ZERO, bound.map_or(self.longest, |bound| bound.min(self.longest)))
    }
}

impl Default for Backoff {
    /// 25 ms to 1 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(25), Duration::from_secs(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_longest_and_the_pause_is_any_part_of_it() {
        let longest = Backoff::default().jitter(Jitter::new(|| 1.0));
        let millis: Vec<u128> = [1, 2, 3, 6, 7, 40, u32::MAX].map(|n| longest.pause(n).as_millis()).into();
        assert_eq!(millis, [25, 50, 100, 800, 1000, 1000, 1000]);
        assert_eq!(Backoff::default().jitter(Jitter::new(|| 0.0)).pause(5), Duration::ZERO);
    }
}
