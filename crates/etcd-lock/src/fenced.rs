//! A value and the token that it was written with.

use std::fmt;

use crate::{Error, ErrorKind, Token};

/// A value and the token that it was written with, as a [`FencedKey`](crate::FencedKey) stores them.
///
/// As text, which is what etcd holds and other programs read and write: the token, one space, the value.
///
/// # Examples
/// ```
/// use etcd_lock::Fenced;
///
/// let fenced = Fenced::parse("12@cdf818194e3a8c32 on fire")?;
/// assert_eq!((fenced.token.index(), &*fenced.value), (12, "on fire"));
/// assert_eq!(fenced.to_string(), "12@cdf818194e3a8c32 on fire");
/// # Ok::<(), etcd_lock::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fenced {
    /// The token of the holder that wrote it.
    pub token: Token,
    /// What it wrote.
    pub value: String,
}

impl Fenced {
    /// This value, written with this token.
    #[must_use]
    pub fn new(token: Token, value: impl Into<String>) -> Self {
        Self { token, value: value.into() }
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// [`ErrorKind::NotFenced`] for a text that does not begin with a token and a space.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let parts = text.split_once(' ');
        let fenced = parts.and_then(|(token, value)| Some(Self::new(token.parse().ok()?, value)));
        // Without the text: it may be a secret that somebody stored there.
        fenced.ok_or_else(|| ErrorKind::NotFenced.into())
    }
}

impl fmt::Display for Fenced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.token, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_comes_back() {
        for value in ["", " ", "a b", "7@a 8", "line\nline", "ü"] {
            for token in ["7", "7@cdf818194e3a8c32"] {
                let fenced = Fenced::new(token.parse().unwrap(), value);
                assert_eq!(Fenced::parse(&fenced.to_string()).unwrap(), fenced);
            }
        }
    }

    #[test]
    fn what_was_not_written_with_a_token_is_refused_and_not_shown() {
        for text in ["", "7", "hunter2", "hunter2 7", " 7 a", "0 a", "7@ a"] {
            let error = Fenced::parse(text).unwrap_err();
            assert!(error.is_not_fenced(), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
