//! A key or directory as the server shows it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::v2::{Index, Key};
use crate::{Error, ErrorKind};

/// A key or directory as the server shows it in an answer or event.
///
/// Written as JSON it has etcd's own shape and field order.
///
/// The two indexes answer two questions. The same created index: still the same node, however often it was
/// updated (a lock that is still one's own). The same modified index: nobody has written it since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Node {
    /// The path. The root node comes without one from etcd 2.0 on; it is `/` here.
    #[serde(default = "Key::root", deserialize_with = "server_key", skip_serializing_if = "Key::is_root")]
    pub key: Key,
    /// The stored text of a file; `None` for a directory and for a key that is gone.
    ///
    /// Also `None` for an empty text stored by etcd 0.3, which leaves it out; [`Node::text`] is the same for both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whether this is a directory.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dir: bool,
    /// When the key expires, in RFC 3339 as the server writes it, by the clock of the member that took the write.
    ///
    /// etcd 0.4 sends year 1 in the previous node of a write that drops a ttl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<String>,
    /// Whole seconds left, rounded up; absent in the last second of an expired node and where there is no ttl.
    ///
    /// Below 0 the key has expired and the cluster has no leader to say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<i64>,
    /// The children that the server shows; none for a file, and hidden ones are never shown.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Self>,
    /// Index of the last write to the node; [`Index::NONE`] for the root. A child's write does not move it.
    #[serde(rename = "modifiedIndex", default, skip_serializing_if = "Index::is_none_ref")]
    pub modified_index: Index,
    /// Index at which the node came into being; [`Index::NONE`] for the root. `set` makes a node anew.
    #[serde(rename = "createdIndex", default, skip_serializing_if = "Index::is_none_ref")]
    pub created_index: Index,
}

impl Node {
    /// A node without value, children or ttl.
    #[must_use]
    pub fn new(key: Key, modified_index: Index, created_index: Index) -> Self {
        Self {
            key,
            value: None,
            dir: false,
            expiration: None,
            ttl: None,
            nodes: Vec::new(),
            modified_index,
            created_index,
        }
    }

    /// The stored text; empty where there is none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }

    /// The stored text read as JSON.
    ///
    /// ```
    /// use etcd_proto::v2::keys::{Node, encode_json};
    /// use etcd_proto::v2::{Index, Key};
    ///
    /// let mut node = Node::new(Key::new("/limits")?, Index::from(7), Index::from(7));
    /// node.value = Some(encode_json(&[10, 20])?);
    /// assert_eq!(node.json::<Vec<u32>>()?, [10, 20]);
    /// // The error names the key and the place, never the value.
    /// assert!(!node.json::<String>().unwrap_err().to_string().contains("10"));
    /// # Ok::<(), etcd_proto::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidValue`], naming the key, if the text is no JSON of this type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(self.text()).map_err(|source| {
            // serde's text can quote the value, so only the place is kept.
            let place = format!("at line {} column {}", source.line(), source.column());
            self.invalid_value(&format!("is no JSON of the wanted type {place}"))
        })
    }

    /// The stored text read as bytes in base64 (RFC 4648, section 4, padded), as [`encode_bytes`] writes them.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidValue`], naming the key, if the text is no base64.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        BASE64.decode(self.text()).map_err(|_| self.invalid_value("is no base64"))
    }

    /// This node, then all below it that the server has shown, each before its children.
    pub fn walk(&self) -> impl Iterator<Item = &Self> {
        let mut stack = vec![self];
        std::iter::from_fn(move || {
            let node = stack.pop()?;
            stack.extend(node.nodes.iter().rev());
            Some(node)
        })
    }

    fn invalid_value(&self, what: &str) -> Error {
        Error::new(ErrorKind::InvalidValue, format!("the value of {:?} {what}", self.key))
    }
}

/// Bytes as text that etcd keeps: base64 (RFC 4648, section 4, padded). Read back by [`Node::bytes`].
///
/// etcd answers in JSON and turns each byte that is not UTF-8 into U+FFFD, so bytes cannot be stored as they are.
#[must_use]
pub fn encode_bytes(bytes: impl AsRef<[u8]>) -> String {
    BASE64.encode(bytes)
}

/// A value as JSON text. Read back by [`Node::json`].
///
/// # Errors
/// [`ErrorKind::InvalidValue`] for what serde cannot write as JSON, such as a map without text keys.
pub fn encode_json<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|source| {
        Error::new(ErrorKind::InvalidValue, "the value cannot be written as JSON").with_source(source)
    })
}

fn server_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
    Ok(Key::from_server(&std::borrow::Cow::<'de, str>::deserialize(deserializer)?))
}

fn null_as_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Node>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(json: &str) -> Node {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn missing_and_unknown_fields_are_taken() {
        let root = node(r#"{"dir":true,"refresh":true,"new":[1]}"#);
        assert!(root.key.is_root() && root.dir && root.nodes.is_empty());
        assert!(root.modified_index.is_none());
        assert_eq!(node(r#"{"key":"/a","nodes":null,"ttl":-3}"#).ttl, Some(-3));
        assert_eq!(node(r#"{"key":"/a"}"#).text(), "");
    }

    #[test]
    fn a_node_is_written_in_etcds_own_shape() {
        let json = r#"{"key":"/a","value":"","expiration":"2026-11-21T07:31:16Z","ttl":1,"modifiedIndex":7,"createdIndex":6}"#;
        assert_eq!(serde_json::to_string(&node(json)).unwrap(), json);
        let dir = r#"{"dir":true,"nodes":[{"key":"/d","dir":true,"modifiedIndex":7,"createdIndex":7}]}"#;
        assert_eq!(serde_json::to_string(&node(dir)).unwrap(), dir);
    }

    #[test]
    fn json_and_bytes_come_back_and_errors_do_not_show_the_value() {
        let mut stored = node(r#"{"key":"/a","value":""}"#);
        stored.value = Some(encode_json(&[1, 2]).unwrap());
        assert_eq!(stored.json::<Vec<u8>>().unwrap(), [1, 2]);
        stored.value = Some(encode_bytes([0, 255, 128]));
        assert_eq!(stored.bytes().unwrap(), [0, 255, 128]);
        stored.value = Some("\"canary".into());
        let errors = [stored.json::<Vec<u8>>().unwrap_err(), stored.bytes().unwrap_err()];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            assert!(error.to_string().contains("/a") && !format!("{error:?}").contains("canary"));
        }
    }

    #[test]
    fn a_walk_sees_every_node_before_its_children() {
        let tree =
            node(r#"{"dir":true,"nodes":[{"key":"/a","dir":true,"nodes":[{"key":"/a/b"}]},{"key":"/c"}]}"#);
        let keys: Vec<_> = tree.walk().map(|node| node.key.as_str()).collect();
        assert_eq!(keys, ["/", "/a", "/a/b", "/c"]);
    }
}
