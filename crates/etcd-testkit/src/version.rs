//! Which etcd a server is.

use std::fmt;
use std::str::FromStr;

/// An etcd version: `major.minor.patch`.
///
/// ```
/// use etcd_testkit::{Series, Version};
///
/// let version: Version = "3.5.16".parse()?;
/// assert_eq!(version.series(), Some(Series::V3_5));
/// assert!(version > "3.5.9".parse()?);
/// # Ok::<(), etcd_testkit::ParseVersionError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

/// A line of etcd releases that the workspace is tested with: those that still have the v2 API.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// etcd 3.4.
    V3_4,
    /// etcd 3.5, the last one with the v2 API.
    V3_5,
}

/// A text is not a version or not a known series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct ParseVersionError {
    text: String,
    expected: &'static str,
}

// === impl Version ===

impl Version {
    /// The series this version belongs to, `None` if it is not one that the workspace is tested with.
    #[must_use]
    pub fn series(self) -> Option<Series> {
        Series::ALL.into_iter().find(|series| series.numbers() == (self.major, self.minor))
    }
}

impl FromStr for Version {
    type Err = ParseVersionError;

    /// Reads `3.4.23`; anything behind the third number, as in `3.5.0-rc.1`, is left out.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseVersionError { text: text.to_owned(), expected: "a version like 3.4.23" };
        let mut parts = text.trim().splitn(3, '.');
        let mut next = || -> Option<u32> {
            let part = parts.next()?;
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part.get(..end)?.parse().ok()
        };
        match (next(), next(), next()) {
            (Some(major), Some(minor), Some(patch)) => Ok(Self { major, minor, patch }),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

// === impl Series ===

impl Series {
    /// Every series, oldest first.
    pub const ALL: [Self; 2] = [Self::V3_4, Self::V3_5];

    fn numbers(self) -> (u32, u32) {
        match self {
            Self::V3_4 => (3, 4),
            Self::V3_5 => (3, 5),
        }
    }
}

impl FromStr for Series {
    type Err = ParseVersionError;

    /// Reads `3.4` or `3.5`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|series| series.to_string() == text.trim()).ok_or_else(|| {
            ParseVersionError { text: text.to_owned(), expected: "a known etcd series (3.4, 3.5)" }
        })
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.numbers();
        write!(f, "{major}.{minor}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_by_number() {
        let version: Version = "3.4.23".parse().unwrap();
        assert_eq!(version, Version { major: 3, minor: 4, patch: 23 });
        assert_eq!("3.5.0-rc.1".parse::<Version>().unwrap().to_string(), "3.5.0");
        assert!(version < "3.4.100".parse().unwrap());
        for bad in ["", "3", "3.5", "three.4.5", "3..1", "v3.4.1"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_versions_with_the_v2_api_have_a_series() {
        let series = |text: &str| text.parse::<Version>().unwrap().series();
        assert_eq!(series("3.4.0"), Some(Series::V3_4));
        assert_eq!(series("3.5.21"), Some(Series::V3_5));
        assert_eq!(series("3.6.0"), None);
        assert_eq!(series("2.3.8"), None);
    }

    #[test]
    fn a_series_is_read_back_from_its_text() {
        for series in Series::ALL {
            assert_eq!(series.to_string().parse(), Ok(series));
        }
        let error = "3.6".parse::<Series>().unwrap_err();
        assert_eq!(error.to_string(), "`3.6` is not a known etcd series (3.4, 3.5)");
    }
}
