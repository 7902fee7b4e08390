//! A local copy of what is watched.

use std::collections::BTreeMap;

use etcd_proto::v2::{Index, Key, KeysEvent, Node};

use super::WatchItem;

/// A local copy of a watched key and all below it, kept by applying each item of its watch.
///
/// It holds what a recursive read by quorum would show: directories that a write makes on its way, no hidden keys, no
/// times to live (they pass without events). The watch must be recursive: one of a directory alone is not told what
/// happens to the children that its snapshot names. One thing no watch of etcd is told, and so it is not in here until
/// something else happens below it: a directory that the write of a hidden key has made on its way.
///
/// # Examples
/// ```
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
/// use etcd_client::v2::{Key, Tree};
/// use futures_util::TryStreamExt;
///
/// let mut tree = Tree::new(Key::new("/config")?);
/// let mut items = client.watch("/config").recursive(true).with_snapshot(true).start();
/// while let Some(item) = items.try_next().await? {
///     for change in tree.apply(&item) {
///         println!("{}: {:?} -> {:?}", change.key, change.before, change.after);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    root: Key,
    entries: BTreeMap<Key, Entry>,
    index: Index,
}

/// A key as the tree has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// A directory.
    Dir,
    /// A file with its text.
    File(String),
}

/// What an item changed in a [`Tree`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The key.
    pub key: Key,
    /// What was there; `None` if nothing was.
    pub before: Option<Entry>,
    /// What is there now; `None` if it is gone.
    pub after: Option<Entry>,
}

impl Tree {
    /// An empty copy of what is watched at `root`.
    #[must_use]
    pub fn new(root: Key) -> Self {
        Self { root, entries: BTreeMap::new(), index: Index::NONE }
    }

    /// Applies an item, and says what it changed: after a [`Resync`](WatchItem::Resync) all that changed in the
    /// gap. In order of keys; nothing for a write that leaves a value as it was.
    pub fn apply(&mut self, item: &WatchItem) -> Vec<Change> {
        self.index = item.index();
        match item {
            WatchItem::Event(event) => self.event(event),
            WatchItem::AncestorRemoved(_) => self.replace(BTreeMap::new()),
            WatchItem::Resync { snapshot, .. } => {
                let mut entries = BTreeMap::new();
                if let Some(node) = snapshot {
                    collect(node, &self.root, &mut entries);
                }
                self.replace(entries)
            }
        }
    }

    /// The index of the store that the copy shows.
    #[must_use]
    pub fn index(&self) -> Index {
        self.index
    }

    /// What is at a key; `None` if nothing is.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The text of a file; `None` if there is none, or it is a directory.
    #[must_use]
    pub fn text(&self, key: &Key) -> Option<&str> {
        match self.get(key)? {
            Entry::File(text) => Some(text),
            Entry::Dir => None,
        }
    }

    /// All keys with what they hold, in order of their elements.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.entries.iter()
    }

    /// How many keys there are, directories included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn event(&mut self, event: &KeysEvent) -> Vec<Change> {
        let key = &event.node.key;
        if event.action.is_removal() {
            return self.remove_all_below(key);
        }
        let mut changes = Vec::new();
        // A write makes the directories above it without events of their own.
        let mut above = key.parent();
        while let Some(dir) = above.filter(|dir| dir.is_at_or_below(&self.root) && !dir.is_root()) {
            above = dir.parent();
            if !self.entries.contains_key(&dir) {
                self.put(dir, Entry::Dir, &mut changes);
            }
        }
        if !key.is_root() {
            let entry = entry_of(&event.node);
            // A file in place of a directory cannot be; a directory in place of a file is new and empty.
            self.put(key.clone(), entry, &mut changes);
        }
        changes.sort_by(|a, b| a.key.cmp(&b.key));
        changes
    }

    fn put(&mut self, key: Key, entry: Entry, changes: &mut Vec<Change>) {
        let before = self.entries.insert(key.clone(), entry.clone());
        if before.as_ref() != Some(&entry) {
            changes.push(Change { key, before, after: Some(entry) });
        }
    }

    fn remove_all_below(&mut self, key: &Key) -> Vec<Change> {
        let gone: Vec<Key> = self.entries.keys().filter(|entry| entry.is_at_or_below(key)).cloned().collect();
        let remove = |key: Key| Change { before: self.entries.remove(&key), after: None, key };
        gone.into_iter().map(remove).collect()
    }

    fn replace(&mut self, entries: BTreeMap<Key, Entry>) -> Vec<Change> {
        let before = std::mem::replace(&mut self.entries, entries);
        let mut changes = Vec::new();
        for (key, after) in &self.entries {
            if before.get(key) != Some(after) {
                changes.push(Change {
                    key: key.clone(),
                    before: before.get(key).cloned(),
                    after: Some(after.clone()),
                });
            }
        }
        for (key, entry) in before {
            if !self.entries.contains_key(&key) {
                changes.push(Change { key, before: Some(entry), after: None });
            }
        }
        changes.sort_by(|a, b| a.key.cmp(&b.key));
        changes
    }
}

fn entry_of(node: &Node) -> Entry {
    if node.dir { Entry::Dir } else { Entry::File(node.text().to_owned()) }
}

/// Takes a node and all below it; the root of the store is no key.
fn collect(node: &Node, root: &Key, entries: &mut BTreeMap<Key, Entry>) {
    if !node.key.is_root() && node.key.is_at_or_below(root) {
        entries.insert(node.key.clone(), entry_of(node));
    }
    for child in &node.nodes {
        collect(child, root, entries);
    }
}
