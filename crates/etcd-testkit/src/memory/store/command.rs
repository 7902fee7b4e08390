//! What goes through the log: every change of the keys.

use bytes::Bytes;
use etcd_proto::v2::ErrorCode;

use super::error::KeysError;
use super::stats::Counted;

/// A change of the keys, with all that it depends on. Applied to equal stores it has equal effects.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Write, whatever is there: a `PUT` without conditions.
    Set(Write),
    /// Write where nothing is: `prevExist=false`, whatever other conditions there are.
    Create(Write),
    /// Write under a new name in a directory: any `POST`. The name is the index, and known only when it is applied.
    CreateInOrder(Write),
    /// Write where something is: `prevExist=true` and nothing to compare.
    Update(Write),
    /// Write if the comparison holds: `prevValue` or `prevIndex`, unless `prevExist=false`.
    CompareAndSwap(Write, Comparison),
    /// Delete. `prevExist` means nothing here.
    Delete { key: Bytes, dir: bool, recursive: bool },
    /// Delete if the comparison holds.
    CompareAndDelete(Bytes, Comparison),
    /// Read by consensus (`quorum=true`). It changes nothing, but it is an entry of the log: it moves the raft index,
    /// costs a round of the cluster, and waits where a write would.
    QuorumGet { key: Bytes },
}

/// What is written.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    /// The canonical path.
    pub(crate) key: Bytes,
    /// Empty where none was given: etcd does not tell the two apart.
    pub(crate) value: Bytes,
    /// Make a directory. It wins over the value; update and compare-and-swap ignore it.
    pub(crate) dir: bool,
    /// Nanoseconds since 1970; `None` for good. A date and no duration, so that all members agree on it.
    pub(crate) expires: Option<i64>,
    /// Keep the value and wake no watcher (2.3 and later).
    pub(crate) refresh: bool,
}

/// What must hold; the empty text and 0 stand for "not compared", as in etcd.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    /// The value that must be there. "Equals the empty text" cannot be asked.
    pub(crate) value: Bytes,
    /// The modified index that must be there.
    pub(crate) index: u64,
}

impl Command {
    /// The counter that the command belongs to.
    pub(crate) fn counted(&self) -> Counted {
        match self {
            Self::Set(_) => Counted::Set,
            Self::Create(_) | Self::CreateInOrder(_) => Counted::Create,
            Self::Update(_) => Counted::Update,
            Self::CompareAndSwap(..) => Counted::CompareAndSwap,
            Self::Delete { .. } => Counted::Delete,
            Self::CompareAndDelete(..) => Counted::CompareAndDelete,
            Self::QuorumGet { .. } => Counted::Get,
        }
    }

    /// Bytes of its keys and values.
    pub(crate) fn weight(&self) -> usize {
        let compared = |comparison: &Comparison| comparison.value.len();
        match self {
            Self::Set(write) | Self::Create(write) | Self::CreateInOrder(write) | Self::Update(write) => {
                write.weight()
            }
            Self::CompareAndSwap(write, comparison) => write.weight() + compared(comparison),
            Self::Delete { key, .. } | Self::QuorumGet { key } => key.len(),
            Self::CompareAndDelete(key, comparison) => key.len() + compared(comparison),
        }
    }

    /// Whether etcd counts a refusal of this command as a success (3.4, 3.5): it forgets to note some errors.
    pub(crate) fn counts_as_success(&self, error: &KeysError) -> bool {
        match self {
            Self::Update(_) => {
                matches!(error.code, ErrorCode::RootReadOnly | ErrorCode::NotAFile | ErrorCode::RaftInternal)
            }
            Self::CompareAndSwap(..) | Self::Delete { .. } => error.code == ErrorCode::RootReadOnly,
            Self::CompareAndDelete(..) => {
                matches!(error.code, ErrorCode::NotAFile | ErrorCode::CompareFailed)
            }
            Self::Set(_) | Self::Create(_) | Self::CreateInOrder(_) | Self::QuorumGet { .. } => false,
        }
    }

    /// Whether a refusal counts as a failed set besides: creations whose path goes through a file do.
    pub(crate) fn counts_failed_set(&self, error: &KeysError) -> bool {
        matches!(self, Self::Create(_) | Self::CreateInOrder(_)) && error.code == ErrorCode::NotADirectory
    }
}

impl Write {
    fn weight(&self) -> usize {
        self.key.len() + self.value.len()
    }
}

impl Comparison {
    /// Whether a node with this value and index is the expected one; else the cause of the refusal.
    pub(crate) fn check(&self, value: &Bytes, index: u64) -> Result<(), Bytes> {
        let values = (!self.value.is_empty() && self.value != value)
            .then(|| [b"[", &*self.value, b" != ", value, b"]"].concat());
        let indexes = (self.index != 0 && self.index != index)
            .then(|| format!("[{} != {index}]", self.index).into_bytes());
        match (values, indexes) {
            (None, None) => Ok(()),
            (Some(cause), None) | (None, Some(cause)) => Err(cause.into()),
            (Some(values), Some(indexes)) => Err([&*values, b" ", &*indexes].concat().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_a_failed_comparison_names_both_sides_of_what_failed() {
        let check = |value: &'static str, index| {
            Comparison { value: value.into(), index }
                .check(&"v".into(), 7)
                .map_err(|cause| String::from_utf8(cause.to_vec()).unwrap())
        };
        assert_eq!(check("v", 7), Ok(()));
        assert_eq!(check("", 0), Ok(()));
        assert_eq!(check("w", 0), Err("[w != v]".into()));
        assert_eq!(check("v", 3), Err("[3 != 7]".into()));
        assert_eq!(check("w", 3), Err("[w != v] [3 != 7]".into()));
    }
}
