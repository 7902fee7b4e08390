//! What happened to a key.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Node;
use crate::v2::Index;

/// What happened to a key, as the server sends it to watchers.
///
/// # Examples
/// ```
/// use etcd_proto::v2::EventDecoder;
///
/// let mut decoder = EventDecoder::default();
/// decoder.push(
///     br#"{"action":"expire","node":{"key":"/lock","modifiedIndex":9,"createdIndex":7},
///     "prevNode":{"key":"/lock","value":"host-7","modifiedIndex":8,"createdIndex":7}}"#,
/// );
/// let event = decoder.next_event()?.unwrap();
/// assert!(event.action.is_removal());
/// // The value stands in the node before, the index of the event in the node itself.
/// assert_eq!(event.prev_node.as_ref().map(|node| node.text()), Some("host-7"));
/// assert_eq!(event.index().get(), 9);
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeysEvent {
    /// What was done.
    pub action: Action,
    /// The node afterwards; without value after a deletion or expiry. For a directory that was deleted or has
    /// expired, watchers of what was in it get the directory's event.
    pub node: Node,
    /// The node before, where there was one.
    #[serde(rename = "prevNode", default, skip_serializing_if = "Option::is_none")]
    pub prev_node: Option<Node>,
}

impl KeysEvent {
    /// An event on `node`.
    #[must_use]
    pub fn new(action: Action, node: Node, prev_node: Option<Node>) -> Self {
        Self { action, node, prev_node }
    }

    /// The index of the event. A watch goes on at the next one.
    #[must_use]
    pub fn index(&self) -> Index {
        self.node.modified_index
    }
}

/// What was done to a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Action {
    /// It was read.
    Get,
    /// It was written, whatever was there.
    Set,
    /// It was written where no key was.
    Create,
    /// It was written where a key was, or prolonged.
    Update,
    /// It was deleted.
    Delete,
    /// It was written on a condition.
    CompareAndSwap,
    /// It was deleted on a condition.
    CompareAndDelete,
    /// Its time to live ended. Sent when the leader finds out, up to half a second later, and while there is
    /// none not at all. Only watchers see it.
    Expire,
    /// Something that no etcd from 0.3 to 3.5 is known to send, in the server's word.
    Other(Box<str>),
}

impl Action {
    /// etcd's word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::CompareAndSwap => "compareAndSwap",
            Self::CompareAndDelete => "compareAndDelete",
            Self::Expire => "expire",
            Self::Other(word) => word,
        }
    }

    /// Whether the key is gone afterwards.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        match self {
            Self::Delete | Self::CompareAndDelete | Self::Expire => true,
            Self::Get | Self::Set | Self::Create | Self::Update | Self::CompareAndSwap | Self::Other(_) => {
                false
            }
        }
    }
}

impl From<String> for Action {
    fn from(word: String) -> Self {
        match word.as_str() {
            "get" => Self::Get,
            "set" => Self::Set,
            "create" => Self::Create,
            "update" => Self::Update,
            "delete" => Self::Delete,
            "compareAndSwap" => Self::CompareAndSwap,
            "compareAndDelete" => Self::CompareAndDelete,
            "expire" => Self::Expire,
            _ => Self::Other(word.into()),
        }
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.as_str().into()
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
