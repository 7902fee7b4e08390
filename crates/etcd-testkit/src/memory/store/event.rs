//! What happened to a key, as it stands in the history and goes to watchers.

use std::sync::OnceLock;

use bytes::Bytes;
use etcd_proto::v2::Action;

use crate::memory::{Profile, json, time};

/// A node as an event shows it: never with children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeView {
    /// Canonical path; bytes, since a key need not be UTF-8.
    pub(crate) key: Bytes,
    /// `None` for a directory, and for what was deleted: that value is in the previous node.
    pub(crate) value: Option<Bytes>,
    /// Shown as `dir` when true, left out when not.
    pub(crate) is_dir: bool,
    /// Nanoseconds since 1970.
    pub(crate) expires: Option<i64>,
    /// Seconds left when the view was taken, rounded up. 0 is left out of the JSON: so it is
    /// between the end and the sync. Negative while there is no leader to expire the key.
    pub(crate) ttl: i64,
    /// Index of the last change. That of a directory does not follow its children.
    pub(crate) modified: u64,
    /// Index of the change that made the node. A set makes a new one each time.
    pub(crate) created: u64,
}

/// What happened to a key. It does not change once made, and its JSON is made once.
#[derive(Debug)]
pub(crate) struct Event {
    /// What was done, in etcd's words: `set`, `create`, `update`, `compareAndSwap`, `delete`, …
    pub(crate) action: Action,
    /// The node after it; of a removal without value and end.
    pub(crate) node: NodeView,
    /// The node before it, if there was one.
    pub(crate) prev_node: Option<NodeView>,
    /// A refresh stands in the history, where it takes one of the 1000 places, but no watcher ever sees it.
    pub(crate) is_refresh: bool,
    line: OnceLock<Bytes>,
}

impl Event {
    /// An event that watchers see.
    pub(crate) fn new(action: Action, node: NodeView, prev_node: Option<NodeView>) -> Self {
        Self { action, node, prev_node, is_refresh: false, line: OnceLock::new() }
    }

    /// The index of the event, which is that of the store after it.
    pub(crate) fn index(&self) -> u64 {
        self.node.modified
    }

    /// Whether the answer has status 201: for `create`, and for a `set` with nothing there before.
    pub(crate) fn is_creation(&self) -> bool {
        self.action == Action::Create || (self.action == Action::Set && self.prev_node.is_none())
    }

    /// Whether a whole directory went with this event.
    pub(crate) fn removes_directory(&self) -> bool {
        // compareAndDelete never meets a directory.
        matches!(self.action, Action::Delete | Action::Expire)
            && self.prev_node.as_ref().is_some_and(|node| node.is_dir)
    }

    /// The JSON of the event and a line end; all watchers share it.
    pub(crate) fn line(&self, profile: Profile) -> Bytes {
        self.line.get_or_init(|| self.encode(profile)).clone()
    }

    /// What is left of the answer under `noValueOnSuccess` (3.1 and later). The name of a key created in order is
    /// lost with it; its number is in `X-Etcd-Index`.
    pub(crate) fn action_line(&self) -> Bytes {
        format!("{{\"action\":\"{}\"}}\n", self.action).into()
    }

    /// In etcd's order of fields; children never come with an event.
    fn encode(&self, profile: Profile) -> Bytes {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(format!("{{\"action\":\"{}\"", self.action).as_bytes());
        json::write_name(&mut out, "node");
        self.node.write(&mut out, profile);
        if let Some(node) = &self.prev_node {
            json::write_name(&mut out, "prevNode");
            node.write(&mut out, profile);
        }
        out.extend_from_slice(b"}\n");
        out.into()
    }
}

impl NodeView {
    /// Appends the node as JSON, in etcd's order of fields.
    fn write(&self, out: &mut Vec<u8>, profile: Profile) {
        out.push(b'{');
        self.write_head(out, profile);
        self.write_tail(out);
    }

    /// All that stands before the children.
    pub(crate) fn write_head(&self, out: &mut Vec<u8>, profile: Profile) {
        if self.key != "/" {
            json::write_name(out, "key");
            json::write_string(out, &self.key, profile);
        }
        if let Some(value) = &self.value {
            json::write_name(out, "value");
            json::write_string(out, value, profile);
        }
        if self.is_dir {
            json::write_name(out, "dir");
            out.extend_from_slice(b"true");
        }
        if let Some(expires) = self.expires {
            json::write_name(out, "expiration");
            out.extend_from_slice(format!("\"{}\"", time::rfc3339(expires)).as_bytes());
        }
        if self.ttl != 0 {
            json::write_name(out, "ttl");
            json::write_number(out, self.ttl);
        }
    }

    /// All that stands behind the children, with the closing brace.
    pub(crate) fn write_tail(&self, out: &mut Vec<u8>) {
        for (name, index) in [("modifiedIndex", self.modified), ("createdIndex", self.created)] {
            if index != 0 {
                json::write_name(out, name);
                json::write_number(out, index);
            }
        }
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(key: &'static str) -> NodeView {
        NodeView {
            key: key.into(),
            value: None,
            is_dir: false,
            expires: None,
            ttl: 0,
            modified: 7,
            created: 5,
        }
    }

    #[test]
    fn an_event_is_written_in_etcds_order_and_empty_fields_are_left_out() {
        let node = NodeView { value: Some("".into()), expires: Some(0), ttl: -3, ..view("/a") };
        let event = Event::new(Action::Set, node, Some(view("/a")));
        assert_eq!(
            event.line(Profile::V3_4),
            "{\"action\":\"set\",\"node\":{\"key\":\"/a\",\"value\":\"\",\"expiration\":\"1970-01-01T00:00:00Z\",\
             \"ttl\":-3,\"modifiedIndex\":7,\"createdIndex\":5},\"prevNode\":{\"key\":\"/a\",\"modifiedIndex\":7,\
             \"createdIndex\":5}}\n"
        );
        assert_eq!(event.action_line(), "{\"action\":\"set\"}\n");
    }

    #[test]
    fn only_the_first_write_of_a_key_is_a_creation() {
        assert!(Event::new(Action::Set, view("/a"), None).is_creation());
        assert!(Event::new(Action::Create, view("/a"), None).is_creation());
        assert!(!Event::new(Action::Set, view("/a"), Some(view("/a"))).is_creation());
        assert!(!Event::new(Action::Update, view("/a"), Some(view("/a"))).is_creation());
    }
}
