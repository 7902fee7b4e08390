//! What became of a write.

use std::fmt;

/// What became of the write that a failed call wanted to make.
///
/// Decided where a failure arises, never from an error's text. For a call that only reads there is nothing
/// to apply, so its failures are always [`Outcome::NotApplied`].
///
/// The order of the variants is the order in which attempts of one call outweigh each other, see
/// [`Outcome::merge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Proved: the write did not happen and will not happen later.
    ///
    /// The connection was never made, the request was handed back unsent, or etcd refused it.
    NotApplied,
    /// The write may have happened, or may still happen later.
    ///
    /// A reset or a time limit after the first byte was sent, etcd's error 300 (seen landing after the
    /// answer), a status from something between.
    Unknown,
    /// The write happened; something failed after etcd said so.
    Applied,
}

impl Outcome {
    /// The outcome of a call whose attempts ended with `self` and `other`.
    ///
    /// An attempt that was applied decides (an earlier copy whose end is unknown may land on top of it); else
    /// an unknown one outweighs any that were refused: a later refusal proves nothing about an earlier copy
    /// of the request.
    ///
    /// # Examples
    /// ```
    /// use etcd_proto::Outcome::{Applied, NotApplied, Unknown};
    ///
    /// // Timed out at one member, refused a connection by the next.
    /// assert_eq!(Unknown.merge(NotApplied), Unknown);
    /// // Whatever the first copy does, the second has been written.
    /// assert_eq!(Unknown.merge(Applied), Applied);
    /// ```
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        self.max(other)
    }

    /// Whether the write may be repeated without any risk that it happens twice.
    #[must_use]
    pub fn is_not_applied(self) -> bool {
        self == Self::NotApplied
    }

    /// Whether the write may have happened.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        self == Self::Unknown
    }

    /// Whether the write has happened.
    #[must_use]
    pub fn is_applied(self) -> bool {
        self == Self::Applied
    }

    /// What an HTTP status alone proves about a write, when the body says no more.
    ///
    /// 301, 400, 401, 403, 404, 405, 409, 410, 413, 415, 421 and 431 are sent by etcd (2.0 to 3.5) only
    /// where nothing was done. All others, 5xx and what a proxy may invent, prove nothing.
    #[must_use]
    pub fn of_status(status: http::StatusCode) -> Self {
        match status.as_u16() {
            301 | 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 421 | 431 => Self::NotApplied,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotApplied => "not applied",
            Self::Unknown => "unknown",
            Self::Applied => "applied",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Applied, NotApplied, Unknown};
    use super::*;

    #[test]
    fn a_refusal_after_an_unknown_attempt_stays_unknown() {
        assert_eq!(Unknown.merge(NotApplied), Unknown);
        assert_eq!(NotApplied.merge(Unknown), Unknown);
        assert_eq!(NotApplied.merge(NotApplied), NotApplied);
    }

    #[test]
    fn an_applied_attempt_decides() {
        assert_eq!(Unknown.merge(Applied), Applied);
        assert_eq!(Applied.merge(NotApplied), Applied);
    }

    #[test]
    fn a_server_error_or_a_bare_412_proves_nothing() {
        for status in [500, 502, 503, 504, 412, 408, 429, 302, 307] {
            let status = http::StatusCode::from_u16(status).unwrap();
            assert_eq!(Outcome::of_status(status), Unknown, "{status}");
        }
    }
}
