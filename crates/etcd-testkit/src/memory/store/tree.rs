//! The tree of files and directories.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;

use super::event::NodeView;
use super::{path, ttl};

/// The tree of files and directories, and what of it has a time to live.
///
/// Nodes stand in one table and name each other by number: the depth of a path is in the hands of whoever sends
/// it, and nothing here may recurse as deep.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: HashMap<NodeId, Node>,
    next: u64,
    /// Ordered by the end; ties by age. (etcd's heap leaves ties open.)
    expiries: BTreeSet<(i64, NodeId)>,
}

/// Which node; never used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u64);

/// A file or directory.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    parent: NodeId,
    name: Bytes,
    /// A file never becomes a directory: etcd puts a new node in its place.
    pub(crate) content: Content,
    /// Index of the change that made it; 0 for the root, which shows none.
    pub(crate) created: u64,
    /// Index of the last change of its own; children do not count, nor does another end of a directory (3.4).
    pub(crate) modified: u64,
    /// Nanoseconds since 1970. A directory may end, too, with all below it.
    expires: Option<i64>,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A value.
    File(Bytes),
    /// Children by name.
    Directory(BTreeMap<Bytes, NodeId>),
}

/// Why a path leads nowhere. Holds the offset in the path at which the element in question ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeadEnd {
    /// The first missing element.
    Missing(usize),
    /// A file, where a directory was needed.
    File(usize),
}

impl Tree {
    /// A tree with nothing but the root.
    pub(crate) fn new() -> Self {
        let root = Node {
            parent: ROOT,
            name: Bytes::new(),
            content: Content::Directory(BTreeMap::new()),
            created: 0,
            modified: 0,
            expires: None,
        };
        Self { nodes: HashMap::from([(ROOT, root)]), next: 1, expiries: BTreeSet::new() }
    }

    /// A node by its number; `None` once it was removed.
    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// The node at a canonical path.
    pub(crate) fn find(&self, target: &[u8]) -> Result<NodeId, DeadEnd> {
        let mut id = ROOT;
        let mut parent_end = 0;
        for (name, end) in path::elements(target) {
            let children = self.children(id).ok_or(DeadEnd::File(parent_end))?;
            id = *children.get(name).ok_or(DeadEnd::Missing(end))?;
            parent_end = end;
        }
        Ok(id)
    }

    /// The directory at a canonical path; what is missing of it is made, at `index` and for good, even where the
    /// node that it is made for has an end.
    ///
    /// Nothing is made where the path goes through a file: below what is missing there are no files.
    pub(crate) fn directory(&mut self, target: &[u8], index: u64) -> Result<NodeId, DeadEnd> {
        let mut id = ROOT;
        for (name, end) in path::elements(target) {
            let children = self.children(id).ok_or(DeadEnd::File(end))?;
            id = match children.get(name) {
                Some(child) if self.children(*child).is_some() => *child,
                Some(_) => return Err(DeadEnd::File(end)),
                None => {
                    let content = Content::Directory(BTreeMap::new());
                    self.add(id, Bytes::copy_from_slice(name), content, index, None)
                }
            };
        }
        Ok(id)
    }

    /// Puts a new node into the directory `parent`.
    pub(crate) fn add(
        &mut self,
        parent: NodeId,
        name: Bytes,
        content: Content,
        index: u64,
        expires: Option<i64>,
    ) -> NodeId {
        let id = NodeId(self.next);
        self.next = self.next.saturating_add(1);
        if let Some(Node { content: Content::Directory(children), .. }) = self.nodes.get_mut(&parent) {
            children.insert(name.clone(), id);
        }
        self.nodes.insert(id, Node { parent, name, content, created: index, modified: index, expires });
        self.expiries.extend(expires.map(|at| (at, id)));
        id
    }

    /// Writes a file; a directory stays untouched, as in etcd 3.4.
    pub(crate) fn write(&mut self, id: NodeId, value: Bytes, index: u64) {
        if let Some(node) = self.nodes.get_mut(&id)
            && let Content::File(old) = &mut node.content
        {
            *old = value;
            node.modified = index;
        }
    }

    /// Gives a node another end, or none.
    pub(crate) fn set_expiry(&mut self, id: NodeId, expires: Option<i64>) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        if let Some(at) = std::mem::replace(&mut node.expires, expires) {
            self.expiries.remove(&(at, id));
        }
        self.expiries.extend(expires.map(|at| (at, id)));
    }

    /// Takes a node and all below it out of the tree. The root stays.
    pub(crate) fn remove(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get(&id) else { return };
        if id == ROOT {
            return;
        }
        let (parent, name) = (node.parent, node.name.clone());
        if let Some(Node { content: Content::Directory(siblings), .. }) = self.nodes.get_mut(&parent) {
            siblings.remove(&name);
        }
        let mut doomed = vec![id];
        while let Some(id) = doomed.pop() {
            let Some(node) = self.nodes.remove(&id) else { continue };
            if let Some(at) = node.expires {
                self.expiries.remove(&(at, id));
            }
            if let Content::Directory(children) = node.content {
                doomed.extend(children.into_values());
            }
        }
    }

    /// How many nodes there are, the root included.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The children of a directory by name; `None` for a file.
    pub(crate) fn children(&self, id: NodeId) -> Option<&BTreeMap<Bytes, NodeId>> {
        match &self.nodes.get(&id)?.content {
            Content::Directory(children) => Some(children),
            Content::File(_) => None,
        }
    }

    /// The node with the earliest end.
    pub(crate) fn first_expiry(&self) -> Option<(i64, NodeId)> {
        self.expiries.first().copied()
    }

    /// The path of a node.
    pub(crate) fn path(&self, id: NodeId) -> Bytes {
        let mut names = Vec::new();
        let mut at = id;
        while at != ROOT {
            let Some(node) = self.nodes.get(&at) else { break };
            names.push(&node.name);
            at = node.parent;
        }
        if names.is_empty() {
            return Bytes::from_static(b"/");
        }
        let mut out = Vec::new();
        for name in names.into_iter().rev() {
            out.push(b'/');
            out.extend_from_slice(name);
        }
        out.into()
    }

    /// The node at `key` as an answer shows it at `now`, without children.
    pub(crate) fn view(&self, id: NodeId, key: Bytes, now: i64) -> Option<NodeView> {
        let node = self.nodes.get(&id)?;
        let value = match &node.content {
            Content::File(value) => Some(value.clone()),
            Content::Directory(_) => None,
        };
        Some(NodeView {
            key,
            is_dir: value.is_none(),
            value,
            expires: node.expires,
            ttl: node.expires.map_or(0, |at| ttl::remaining(at, now)),
            modified: node.modified,
            created: node.created,
        })
    }
}

/// The root is made with the tree and never removed.
pub(crate) const ROOT: NodeId = NodeId(0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_first_missing_element_or_the_file_in_its_way() {
        let mut tree = Tree::new();
        let dir = tree.directory(b"/a/b", 4).unwrap();
        tree.add(dir, "f".into(), Content::File("v".into()), 5, None);
        assert_eq!(tree.find(b"/a/x/y"), Err(DeadEnd::Missing(4)));
        assert_eq!(tree.find(b"/a/b/f/y"), Err(DeadEnd::File(6)));
        assert_eq!(tree.directory(b"/a/b/f/y/z", 6), Err(DeadEnd::File(6)));
        assert_eq!(tree.directory(b"/a/b/f", 6), Err(DeadEnd::File(6)));
        assert_eq!(tree.find(b"/"), Ok(ROOT));
    }

    #[test]
    fn a_removed_subtree_leaves_no_node_and_no_expiry_behind() {
        let mut tree = Tree::new();
        let dir = tree.directory(b"/a/b/c", 4).unwrap();
        let file = tree.add(dir, "f".into(), Content::File("v".into()), 5, Some(9));
        assert_eq!(tree.first_expiry(), Some((9, file)));
        assert_eq!(tree.path(file), "/a/b/c/f");
        tree.remove(tree.find(b"/a").unwrap());
        assert_eq!(tree.nodes.len(), 1);
        assert_eq!(tree.first_expiry(), None);
        tree.remove(ROOT);
        assert_eq!(tree.find(b"/"), Ok(ROOT));
    }

    #[test]
    fn a_path_of_fifty_thousand_elements_costs_no_stack() {
        let deep = "/a".repeat(50_000);
        let mut tree = Tree::new();
        let id = tree.directory(deep.as_bytes(), 4).unwrap();
        assert_eq!(tree.path(id).len(), deep.len());
        drop(tree.clone());
        tree.remove(tree.find(b"/a").unwrap());
        assert_eq!(tree.nodes.len(), 1);
    }
}
