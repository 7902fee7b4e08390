//! Times to live that etcd keeps as asked.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use crate::{Error, ErrorKind};

/// A time to live: 1 to 6,000,000,000 whole seconds.
///
/// 0 would expire the key at once. At the upper end the server's clock runs over: it counts nanoseconds in 64 bits, so
/// an expiry after 11 April 2262 wraps around, and the key is gone at once or, worse, stays for ever without a word
/// (measured on 3.4.23 and 3.5.16 in 2026: 7,400,000,000 s are kept, 7,430,000,000 s make a permanent key). The limit
/// here holds until 2072. Fractions of a second are rounded up.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use etcd_proto::v2::Ttl;
///
/// assert_eq!(Ttl::try_from(Duration::from_millis(1500))?.as_secs(), 2);
/// assert!(Ttl::try_from(Duration::ZERO).is_err());
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(NonZeroU64);

impl Ttl {
    /// The longest, in seconds.
    pub const MAX_SECS: u64 = 6_000_000_000;

    /// A time to live in whole seconds.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidTtl`] for 0 and for more than [`Ttl::MAX_SECS`].
    pub fn from_secs(secs: u64) -> Result<Self, Error> {
        match NonZeroU64::new(secs) {
            Some(ttl) if secs <= Self::MAX_SECS => Ok(Self(ttl)),
            _ => Err(Error::new(
                ErrorKind::InvalidTtl,
                format!("ttl {secs} s is not within 1 to {} s", Self::MAX_SECS),
            )),
        }
    }

    /// The seconds that are sent.
    #[must_use]
    pub fn as_secs(self) -> u64 {
        self.0.get()
    }

    /// The time that is sent, for a deadline beside it.
    #[must_use]
    pub fn as_duration(self) -> Duration {
        Duration::from_secs(self.0.get())
    }
}

impl TryFrom<Duration> for Ttl {
    type Error = Error;

    /// Rounds fractions of a second up.
    fn try_from(ttl: Duration) -> Result<Self, Error> {
        Self::from_secs(ttl.as_secs().saturating_add(u64::from(ttl.subsec_nanos() > 0)))
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_rounded_up_and_the_ends_are_kept() {
        assert_eq!(Ttl::try_from(Duration::from_nanos(1)).unwrap().as_secs(), 1);
        assert_eq!(Ttl::try_from(Duration::from_secs(3)).unwrap().as_secs(), 3);
        assert_eq!(Ttl::from_secs(Ttl::MAX_SECS).unwrap().as_secs(), 6_000_000_000);
    }

    #[test]
    fn zero_and_what_overflows_in_the_server_are_refused_by_name() {
        for ttl in [Duration::ZERO, Duration::from_secs(6_000_000_001), Duration::MAX] {
            let error = Ttl::try_from(ttl).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidTtl);
        }
        assert_eq!(Ttl::from_secs(0).unwrap_err().to_string(), "ttl 0 s is not within 1 to 6000000000 s");
    }
}
