//! A tree of keys as a document: what `export` writes and `import` reads.

use etcd_client::v2::{Key, Node};
use serde::{Deserialize, Serialize};

/// The document. One node a line, so that it can be compared line by line.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    /// [`FORMAT`].
    pub(super) format: String,
    /// The key that was exported.
    pub(super) root: Key,
    /// All below it, each directory before what is in it.
    pub(super) nodes: Vec<Entry>,
}

/// A key or directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) key: Key,
    /// Of a key; a directory has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) dir: bool,
    /// Whole seconds that were left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<u64>,
}

impl Entry {
    pub(super) fn of(node: &Node) -> Self {
        // What is about to go has a second left: without a ttl it would stay for ever.
        let left = |ttl: i64| u64::try_from(ttl).unwrap_or(0).max(1);
        let expires = node.expiration.is_some() || node.ttl.is_some();
        Self {
            key: node.key.clone(),
            value: (!node.dir).then(|| node.text().to_owned()),
            dir: node.dir,
            ttl: expires.then(|| left(node.ttl.unwrap_or(0))),
        }
    }
}

/// What a document says of itself.
pub(super) const FORMAT: &str = "etcd v2 keys 1";
