//! Where a watch can be taken up again.

use std::fmt;
use std::str::FromStr;

use etcd_proto::v2::Index;

use crate::{Error, ErrorKind};

/// Where a watch can be taken up again, by this process or another: the next wanted index, and the cluster that it
/// belongs to.
///
/// As text it is the index, and behind an `@` the cluster's id where that is known:
///
/// ```
/// use etcd_client::v2::Position;
///
/// let stored: Position = "1819@cdf818194e3a8c32".parse()?;
/// assert_eq!(stored.next().get(), 1819);
/// assert_eq!(stored.to_string(), "1819@cdf818194e3a8c32");
/// # Ok::<(), etcd_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    next: Index,
    cluster_id: Option<Box<str>>,
}

impl Position {
    pub(super) fn new(next: Index, cluster_id: Option<Box<str>>) -> Self {
        Self { next, cluster_id }
    }

    /// The first index that is not delivered yet; [`Index::NONE`] if nothing is known: the watch had not begun.
    #[must_use]
    pub fn next(&self) -> Index {
        self.next
    }

    /// The cluster's id in hexadecimal; `None` for a server before 2.0, or where nothing was answered yet.
    #[must_use]
    pub fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.as_deref()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.next.get())?;
        match &self.cluster_id {
            Some(id) => write!(f, "@{id}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Position {
    type Err = Error;

    /// # Errors
    /// [`ErrorKind::InvalidIndex`] for anything but a number, with `@` and hexadecimal digits behind it or not.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = || {
            let error = Error::new(ErrorKind::InvalidIndex);
            error.with_source(format!("`{}` is no position of a watch", text.escape_debug()))
        };
        let (index, id) = match text.split_once('@') {
            Some((index, id)) => (index, Some(id)),
            None => (text, None),
        };
        let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if id.is_some_and(|id| !is_id(id)) {
            return Err(invalid());
        }
        let next = index.parse::<u64>().map_err(|_| invalid())?;
        Ok(Self { next: next.into(), cluster_id: id.map(Box::from) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_position_is_refused_by_name() {
        for text in ["", "x", "-1", "7@", "7@xyz", "@ab", "7 8"] {
            let error = text.parse::<Position>().unwrap_err();
            assert!(error.is_invalid_index(), "{text}");
            assert!(std::error::Error::source(&error).unwrap().to_string().contains(text), "{text}");
        }
        assert_eq!("7".parse::<Position>().unwrap().to_string(), "7");
    }
}
