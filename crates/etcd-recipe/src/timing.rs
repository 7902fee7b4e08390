//! From a time to live to all other times of a holding.

use std::time::Duration;

use etcd_client::v2::Ttl;

use crate::{Error, ErrorKind};

/// The times of a holding, all of them from its time to live.
///
/// | | |
/// | --- | --- |
/// | ttl | whole seconds, rounded up; 5 s at least, 15 s by default |
/// | margin | the larger of a tenth of the ttl and 1 s, and the allowance for skew on top |
/// | renewed every | a third of the ttl |
/// | a request may take | a sixth of the ttl |
///
/// The holder's own belief ends a margin before the key does. It is what clocks may differ by, among the servers and
/// in rate between here and there, and what a caller may take between `check()` and what it does then.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use etcd_recipe::Timing;
///
/// let timing = Timing::new(Duration::from_secs(30), Duration::ZERO)?;
/// assert_eq!(timing.margin(), Duration::from_secs(3));
/// assert_eq!(timing.renew_every(), Duration::from_secs(10));
/// assert_eq!(timing.request_limit(), Duration::from_secs(5));
/// # Ok::<(), etcd_recipe::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    ttl: Duration,
    margin: Duration,
}

impl Timing {
    /// The shortest time to live: below it a renewal has no time to fail once and be repeated.
    pub const SHORTEST_TTL: Duration = Duration::from_secs(5);
    /// The time to live where none is given.
    pub const DEFAULT_TTL: Duration = Duration::from_secs(15);

    /// The times for this ttl, with so much allowed for clocks of servers that differ, beyond a tenth of the ttl.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidTtl`] for a ttl below 5 s or above what etcd keeps (6,000,000,000 s), and where the margin
    /// would be more than half of it.
    pub fn new(ttl: Duration, skew_allowance: Duration) -> Result<Self, Error> {
        if ttl < Self::SHORTEST_TTL {
            return Err(invalid(format!("ttl {ttl:?} is below {:?}", Self::SHORTEST_TTL)));
        }
        let ttl = Ttl::try_from(ttl).map_err(etcd_client::Error::from)?.as_duration();
        let margin = (ttl / 10).max(LEAST_MARGIN).saturating_add(skew_allowance);
        if margin > ttl / 2 {
            return Err(invalid(format!("ttl {ttl:?} is too short for a margin of {margin:?}")));
        }
        Ok(Self { ttl, margin })
    }

    /// How long the key lives at the server without a renewal.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// How long before the key's end the holder's belief ends.
    #[must_use]
    pub fn margin(&self) -> Duration {
        self.margin
    }

    /// How long a renewal is good for, from when it was first sent: the ttl without the margin.
    #[must_use]
    pub fn validity(&self) -> Duration {
        self.ttl.saturating_sub(self.margin)
    }

    /// The time from one renewal to the next.
    #[must_use]
    pub fn renew_every(&self) -> Duration {
        self.ttl / 3
    }

    /// The limit of one request.
    #[must_use]
    pub fn request_limit(&self) -> Duration {
        self.ttl / 6
    }
}

fn invalid(detail: String) -> Error {
    Error::new(ErrorKind::InvalidTtl).with_detail(detail)
}

const LEAST_MARGIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(ttl: f64, allowance: f64) -> Result<Timing, Error> {
        Timing::new(Duration::from_secs_f64(ttl), Duration::from_secs_f64(allowance))
    }

    #[test]
    fn the_margin_is_a_tenth_or_a_second_and_the_allowance() {
        assert_eq!(timing(5.0, 0.0).unwrap().margin(), Duration::from_secs(1));
        assert_eq!(timing(60.0, 2.5).unwrap().margin(), Duration::from_millis(8500));
        assert_eq!(timing(60.0, 2.5).unwrap().validity(), Duration::from_millis(51_500));
        assert_eq!(timing(14.2, 0.0).unwrap().ttl(), Duration::from_secs(15));
    }

    #[test]
    fn what_leaves_no_time_is_refused_by_name() {
        for (ttl, allowance, word) in [(4.999, 0.0, "4.999s"), (0.0, 0.0, "0ns"), (10.0, 4.1, "5.1s")] {
            let error = timing(ttl, allowance).unwrap_err();
            assert!(error.is_invalid_ttl() && error.to_string().contains(word), "{error}");
        }
        assert!(Timing::new(Duration::MAX, Duration::ZERO).unwrap_err().is_client());
        assert!(timing(10.0, 4.0).is_ok());
    }
}
