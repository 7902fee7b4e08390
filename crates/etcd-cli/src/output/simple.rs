//! The simple format: what a script wants, and no more.

use etcd_client::v2::{KeysResponse, Node, WatchItem};

use super::{Output, escape};
use crate::failure::Result;

/// What of an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Simple {
    /// The value, or the keys of a directory's children.
    Value,
    /// The key.
    Key,
    /// The value that was removed, as etcdctl writes it.
    Removed,
    /// Nothing.
    Nothing,
}

impl Output {
    pub(super) fn simple(&mut self, response: &KeysResponse, wanted: Simple) -> Result<()> {
        match wanted {
            Simple::Value if response.node.dir => self.keys_below(&response.node, false),
            Simple::Value => self.value(response.text()),
            Simple::Key => {
                let key = self.shown(response.node.key.as_str()).into_owned();
                self.line(&key)
            }
            Simple::Removed => match &response.prev_node {
                Some(before) if !before.dir => self.value(&format!("PrevNode.Value: {}", before.text())),
                Some(_) | None => Ok(()),
            },
            Simple::Nothing => Ok(()),
        }
    }

    /// All keys below a directory that the answer has, one a line; `mark` puts a slash behind directories.
    pub(crate) fn keys_below(&mut self, dir: &Node, mark: bool) -> Result<()> {
        for node in dir.walk().skip(1) {
            let slash = if mark && node.dir { "/" } else { "" };
            let line = format!("{}{slash}", self.shown(node.key.as_str()));
            let line = if node.dir { self.style().dir(&line) } else { line };
            self.line(&line)?;
        }
        Ok(())
    }

    /// One item in one line, in a form that can be read back: `set /key value`.
    pub(super) fn simple_item(&mut self, key: &str, item: &WatchItem) -> Result<()> {
        match item {
            WatchItem::Event(event) | WatchItem::AncestorRemoved(event) => {
                let line = record(event.action.as_str(), &event.node);
                self.line(&line)
            }
            WatchItem::Resync { snapshot, index, cause } => {
                self.line(&format!("resync {} index {index}: {cause}", escape::record(key)))?;
                let nodes = snapshot.iter().flat_map(Node::walk).filter(|node| !node.dir);
                for node in nodes {
                    self.line(&record("get", node))?;
                }
                Ok(())
            }
            // A kind of item that a later client may add.
            other => self.line(&format!("other {}", escape::record(&format!("{other:?}")))),
        }
    }
}

fn record(action: &str, node: &Node) -> String {
    let key = escape::record(node.key.as_str());
    match &node.value {
        Some(value) => format!("{action} {key} {}", escape::record(value)),
        None => format!("{action} {key}"),
    }
}
