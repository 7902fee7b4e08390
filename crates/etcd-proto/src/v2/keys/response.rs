//! The answer to every keys call but a watch.

use serde::Serialize;

use super::{Action, KeysEvent, Node};
use crate::v2::{Header, Index};

/// The answer to a keys call: what was done, to which node, and the state of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeysResponse {
    /// What was done.
    pub action: Action,
    /// The node afterwards; without value after a deletion.
    ///
    /// Where the server was asked to leave it out (`noValueOnSuccess`), it has only the key and the modified
    /// index of the write.
    pub node: Node,
    /// The node before, where the call changed or removed one; `None` says of a [`Set`](super::Set) that the
    /// key is new. A deleted directory comes without its children.
    #[serde(rename = "prevNode", skip_serializing_if = "Option::is_none")]
    pub prev_node: Option<Node>,
    /// State of the store and of the answering member.
    #[serde(skip)]
    pub header: Header,
    /// How many times the request was sent, or tried to be, until this answer; 1 when all went well.
    #[serde(skip)]
    pub attempts: u32,
}

impl KeysResponse {
    /// An answer that tells of `event`.
    #[must_use]
    pub fn new(event: KeysEvent, header: Header) -> Self {
        let KeysEvent { action, node, prev_node } = event;
        Self { action, node, prev_node, header, attempts: 1 }
    }

    /// The stored text of the node; empty where there is none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.node.text()
    }

    /// Index of the last write to the node: what a later [`Compare`](crate::v2::Compare) takes.
    #[must_use]
    pub fn index(&self) -> Index {
        self.node.modified_index
    }
}
