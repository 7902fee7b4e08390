//! Positions in etcd's history.

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// A position in etcd's history: one counter for the whole store, the same on all members.
///
/// 0 stands for "none": the server sends it where it knows no index (errors of the request's form), and reads
/// it as "absent" in conditions and watches. Where an index is sent to the server, 0 is refused with
/// [`ErrorKind::InvalidIndex`].
///
/// Each write that succeeds moves it by one, however much it makes or removes, and so does each key that
/// expires. Reads, refused writes and watches do not. The server counts changes of its own too, so neither is
/// the first write 1 nor do two writes always follow each other closely.
///
/// # Examples
/// ```
/// use etcd_proto::v2::Index;
///
/// let event = Index::from(1818);
/// assert_eq!(event.next().get(), 1819);
/// assert!(Index::NONE.is_none() && Index::NONE < event);
/// assert!(Index::NONE.to_non_zero().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Index(u64);

impl Index {
    /// No index.
    pub const NONE: Self = Self(0);

    /// The number as etcd writes it.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The index after this one: the `wait_index` that continues after an event with this index.
    ///
    /// Stays at `u64::MAX`, which no store reaches.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Whether this is 0, "none".
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// For serde, which hands a reference.
    pub(crate) fn is_none_ref(&self) -> bool {
        self.is_none()
    }

    /// The index as a number that can be sent to a server.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidIndex`] for 0, which servers from 2.0 on read as "absent" (a compare-and-swap with
    /// it would be a plain set).
    pub fn to_non_zero(self) -> Result<NonZeroU64, Error> {
        NonZeroU64::new(self.0).ok_or_else(|| {
            Error::new(ErrorKind::InvalidIndex, "index 0 means \"absent\" to etcd and cannot be sent")
        })
    }
}

impl From<u64> for Index {
    fn from(index: u64) -> Self {
        Self(index)
    }
}

impl From<NonZeroU64> for Index {
    fn from(index: NonZeroU64) -> Self {
        Self(index.get())
    }
}

impl From<Index> for u64 {
    fn from(index: Index) -> Self {
        index.0
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
