//! Fencing tokens.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Error, ErrorKind};

/// A fencing token: each holder's is greater than all before, for the life of a cluster.
///
/// Give it to whatever the holding protects, and let that refuse a token smaller than the greatest it has seen: then
/// no late holder can do harm, whatever clocks and networks did. The number is the created index of the holder's key.
///
/// Numbers of two clusters have nothing to do with each other, so the cluster's id stands beside, and tokens with
/// different ids, or one with and one without, cannot be compared: [`partial_cmp`](PartialOrd::partial_cmp) is `None`.
/// A cluster that was restored from a backup counts from there again; its tokens may come twice.
///
/// Its text is `123@cdf818194e3a8c32`, or `123` where the cluster has no id (etcd before 2.0).
///
/// # Examples
/// ```
/// use etcd_recipe::Token;
///
/// let (old, new): (Token, Token) = ("7@cdf818194e3a8c32".parse()?, "12@cdf818194e3a8c32".parse()?);
/// assert!(old < new);
/// assert_eq!(new.index(), 12);
/// let elsewhere: Token = "9@3b4adf01c45e0a8d".parse()?;
/// assert_eq!(old.partial_cmp(&elsewhere), None);
/// # Ok::<(), etcd_recipe::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    index: u64,
    cluster_id: Option<Arc<str>>,
}

impl Token {
    /// The token with this number, of the cluster with this id.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidToken`] for number 0, which no key has, and for an id that is empty or holds anything but
    /// letters and digits of ASCII.
    pub fn new(index: u64, cluster_id: Option<&str>) -> Result<Self, Error> {
        let is_id = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric());
        if index == 0 || !cluster_id.is_none_or(is_id) {
            return Err(invalid(&format!("{index}@{}", cluster_id.unwrap_or_default())));
        }
        Ok(Self::of_key(index, cluster_id))
    }

    /// The token of a key that a server has told of.
    pub(crate) fn of_key(index: u64, cluster_id: Option<&str>) -> Self {
        Self { index, cluster_id: cluster_id.map(Arc::from) }
    }

    /// The number: the created index of the holder's key.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The id of the cluster that it counts in.
    #[must_use]
    pub fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.as_deref()
    }

    /// Whether the token may be one of the cluster with this id: only two ids that differ say no.
    pub(crate) fn may_be_of(&self, cluster_id: Option<&str>) -> bool {
        match (self.cluster_id(), cluster_id) {
            (Some(own), Some(other)) => own == other,
            (Some(_) | None, _) => true,
        }
    }
}

impl PartialOrd for Token {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.cluster_id == other.cluster_id).then(|| self.index.cmp(&other.index))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.index)?;
        self.cluster_id().map_or(Ok(()), |id| write!(f, "@{id}"))
    }
}

impl FromStr for Token {
    type Err = Error;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (index, cluster_id) = match text.split_once('@') {
            Some((index, id)) => (index, Some(id)),
            None => (text, None),
        };
        // `parse` would take a sign, too.
        let digits = index.chars().all(|c| c.is_ascii_digit());
        let index = index.parse().ok().filter(|_| digits).ok_or_else(|| invalid(text))?;
        Self::new(index, cluster_id).map_err(|_| invalid(text))
    }
}

fn invalid(text: &str) -> Error {
    let text: String = text.chars().take(LONGEST_SHOWN).collect();
    Error::new(ErrorKind::InvalidToken).with_detail(format!("{text:?} is no token"))
}

/// Characters of a bad text that are shown.
const LONGEST_SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_comes_back_from_its_text() {
        for text in ["123", "123@cdf818194e3a8c32", "18446744073709551615@a"] {
            assert_eq!(token(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_token_is_refused_by_name() {
        for text in ["", "0", "-1", "+1", "1.5", "@a", "1@", "1@a@b", "1@a b", "18446744073709551616", " 1"] {
            let error = text.parse::<Token>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidToken, "{text}");
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn tokens_compare_within_a_cluster_only() {
        assert!(token("7@a") < token("12@a"));
        assert!(token("7") < token("12"));
        for other in ["12@b", "7@b", "7"] {
            assert_eq!(token("7@a").partial_cmp(&token(other)), None);
            assert_ne!(token("7@a"), token(other));
        }
    }
}
