//! Reading: the JSON of a node with its children.
//!
//! Hidden children are left out at every depth, but a hidden directory that is asked for by name lists its own.
//! There is no paging and no limit, as in etcd.

use bytes::Bytes;

use super::error::KeysError;
use super::event::NodeView;
use super::keyspace::Keyspace;
use super::path;
use super::tree::{NodeId, Tree};
use crate::memory::{Profile, json};

impl Keyspace {
    /// The body of a `get`, with the line end.
    ///
    /// Children come in the order of their bytes at each level, asked for or not; etcd's order is random without
    /// `sorted`. One level of them is shown, and with `recursive` all. A directory among them that is not opened has
    /// no `nodes`, and neither has one without visible children: the two look alike.
    pub(crate) fn get(
        &self,
        key: &Bytes,
        recursive: bool,
        now: i64,
        profile: Profile,
    ) -> Result<Bytes, KeysError> {
        let id = self.find(key)?;
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"{\"action\":\"get\",\"node\":");
        let mut listing = Listing { tree: &self.tree, out, now, profile, recursive };
        listing.write(id, key);
        listing.out.extend_from_slice(b"}\n");
        Ok(listing.out.into())
    }
}

/// A listing being written.
struct Listing<'a> {
    tree: &'a Tree,
    out: Vec<u8>,
    now: i64,
    profile: Profile,
    recursive: bool,
}

/// What is still to be written. A stack of these stands for recursion, whose depth a client would choose.
enum Step {
    /// A node, after a comma unless it is the first.
    Open { id: NodeId, key: Bytes, is_first: bool },
    /// The end of a directory with children.
    Close(NodeView),
}

impl Listing<'_> {
    /// Writes a node with its visible children: one level of them, or all with `recursive`.
    fn write(&mut self, id: NodeId, key: &Bytes) {
        let mut steps = vec![Step::Open { id, key: key.clone(), is_first: true }];
        let mut is_top = true;
        while let Some(step) = steps.pop() {
            match step {
                Step::Open { id, key, is_first } => {
                    if !is_first {
                        self.out.push(b',');
                    }
                    let expands = is_top || self.recursive;
                    is_top = false;
                    self.open(id, key, expands, &mut steps);
                }
                Step::Close(node) => {
                    self.out.push(b']');
                    node.write_tail(&mut self.out);
                }
            }
        }
    }

    /// Writes the front of a node, and the whole of one without visible children: `nodes` is left out then.
    fn open(&mut self, id: NodeId, key: Bytes, expands: bool, steps: &mut Vec<Step>) {
        let Some(node) = self.tree.view(id, key.clone(), self.now) else { return };
        self.out.push(b'{');
        node.write_head(&mut self.out, self.profile);
        let children = self.tree.children(id).filter(|_| expands);
        let mut opened: Vec<Step> = children
            .into_iter()
            .flatten()
            .filter(|(name, _)| !name.starts_with(b"_"))
            .enumerate()
            .map(|(place, (name, id))| Step::Open {
                id: *id,
                key: path::join(&key, name),
                is_first: place == 0,
            })
            .collect();
        if opened.is_empty() {
            node.write_tail(&mut self.out);
            return;
        }
        json::write_name(&mut self.out, "nodes");
        self.out.push(b'[');
        steps.push(Step::Close(node));
        opened.reverse();
        steps.append(&mut opened);
    }
}
