//! The extended format, line by line as etcdctl writes it.

use etcd_client::v2::{Header, KeysResponse, Node, WatchItem};

use super::Output;
use crate::failure::Result;

impl Output {
    pub(super) fn extended(&mut self, response: &KeysResponse) -> Result<()> {
        let KeysResponse { action, node, prev_node, header, .. } = response;
        self.fields(node, prev_node.as_ref(), Some(header))?;
        if action.is_removal() {
            return Ok(());
        }
        self.line("")?;
        if node.dir { self.keys_below(node, true) } else { self.value(node.text()) }
    }

    pub(super) fn extended_item(&mut self, key: &str, item: &WatchItem) -> Result<()> {
        match item {
            WatchItem::Event(event) | WatchItem::AncestorRemoved(event) => {
                let head = format!("[{}] {}", event.action, self.shown(event.node.key.as_str()));
                self.line(&head)?;
                self.fields(&event.node, event.prev_node.as_ref(), None)?;
                if event.action.is_removal() {
                    return Ok(());
                }
                self.line("")?;
                self.value(event.node.text())
            }
            other => self.simple_item(key, other),
        }
    }

    fn fields(&mut self, node: &Node, before: Option<&Node>, header: Option<&Header>) -> Result<()> {
        let key = format!("Key: {}", self.shown(node.key.as_str()));
        self.line(&key)?;
        self.line(&format!("Created-Index: {}", node.created_index))?;
        self.line(&format!("Modified-Index: {}", node.modified_index))?;
        if let Some(before) = before {
            self.value(&format!("PrevNode.Value: {}", before.text()))?;
        }
        self.line(&format!("TTL: {}", node.ttl.unwrap_or(0)))?;
        match header {
            Some(header) => self.line(&format!("Index: {}", header.etcd_index)),
            None => Ok(()),
        }
    }
}
