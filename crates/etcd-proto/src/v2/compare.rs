//! The condition of a compare-and-swap or compare-and-delete.

use std::num::NonZeroU64;

use super::Index;
use crate::{Error, ErrorKind};

/// What the key must hold for a write to happen: a value, a modified index, or both.
///
/// Made by [`Compare::value`] or [`Compare::index`]; never empty, since etcd takes a compare-and-swap without
/// condition for a plain set. An index is the sharper tool: a value can come back (ABA), an index cannot, and
/// "equals the empty string" cannot be said to etcd at all (error 201).
///
/// # Examples
/// ```
/// use etcd_proto::v2::Compare;
///
/// let compare = Compare::value("Hello").and_index(1818).build()?;
/// assert_eq!(compare.prev_value(), Some("Hello"));
/// assert!(Compare::index(0).build().is_err());
/// # Ok::<(), etcd_proto::Error>(())
/// ```
///
/// Of a key that was read, the index to compare with is that of the node, never that of the header, which any
/// other key moves:
/// ```
/// use etcd_proto::v2::{Compare, Header, Index, Key, KeysEvent, KeysResponse, Node};
/// # use etcd_proto::v2::Action;
///
/// # let node = Node::new(Key::new("/config")?, Index::from(7), Index::from(3));
/// # let read = KeysResponse::new(KeysEvent::new(Action::Get, node, None), Header::default());
/// // `read` is the answer to a get.
/// let unchanged = Compare::index(read.index()).build()?;
/// assert_eq!(unchanged.prev_index(), Some(read.node.modified_index));
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    value: Option<Box<str>>,
    index: Option<NonZeroU64>,
}

impl Compare {
    /// The key must hold this value: the whole text, byte by byte. It must not be empty.
    ///
    /// On a delete it travels in the request line, which has room for 4096 bytes in all.
    pub fn value(value: impl Into<String>) -> CompareBuilder {
        CompareBuilder { value: Some(value.into()), index: None }
    }

    /// The key's modified index must be this one. A refresh moves it, too.
    pub fn index(index: impl Into<Index>) -> CompareBuilder {
        CompareBuilder { value: None, index: Some(index.into()) }
    }

    /// The value that the key must hold.
    #[must_use]
    pub fn prev_value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The modified index that the key must have.
    #[must_use]
    pub fn prev_index(&self) -> Option<Index> {
        self.index.map(Index::from)
    }
}

/// A condition that is not checked yet, see [`Compare`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a condition does nothing unless it is sent"]
pub struct CompareBuilder {
    value: Option<String>,
    index: Option<Index>,
}

impl CompareBuilder {
    /// The key must hold this value as well.
    pub fn and_value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// The key's modified index must be this one as well.
    pub fn and_index(mut self, index: impl Into<Index>) -> Self {
        self.index = Some(index.into());
        self
    }

    /// Checks the condition.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCompare`] for an empty value, [`ErrorKind::InvalidIndex`] for index 0.
    pub fn build(self) -> Result<Compare, Error> {
        if self.value.as_deref() == Some("") {
            return Err(Error::new(
                ErrorKind::InvalidCompare,
                "etcd cannot compare with an empty value; compare with the modified index",
            ));
        }
        let index = self.index.map(Index::to_non_zero).transpose()?;
        Ok(Compare { value: self.value.map(Into::into), index })
    }
}

impl TryFrom<CompareBuilder> for Compare {
    type Error = Error;

    fn try_from(builder: CompareBuilder) -> Result<Self, Error> {
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_keeps_what_it_was_given() {
        let both = Compare::index(7).and_value("a").build().unwrap();
        assert_eq!(both, Compare::value("a").and_index(7).build().unwrap());
        assert_eq!((both.prev_value(), both.prev_index()), (Some("a"), Some(Index::from(7))));
    }

    #[test]
    fn conditions_that_etcd_would_ignore_are_refused() {
        assert_eq!(Compare::index(0).build().unwrap_err().kind(), ErrorKind::InvalidIndex);
        assert_eq!(Compare::value("a").and_index(0).build().unwrap_err().kind(), ErrorKind::InvalidIndex);
        assert_eq!(Compare::value("").build().unwrap_err().kind(), ErrorKind::InvalidCompare);
    }
}
