//! The keys: tree, index and history, and every change of them.

use std::sync::Arc;

use bytes::Bytes;
use etcd_proto::v2::{Action, ErrorCode};

use super::command::{Command, Comparison, Write};
use super::error::KeysError;
use super::event::{Event, NodeView};
use super::history::History;
use super::tree::{Content, DeadEnd, NodeId, ROOT, Tree};
use super::watch::Hub;
use super::{path, ttl};
use crate::memory::{Profile, Quirks};

/// The keys as one member knows them. Applying the same commands to a clone gives the same keys.
#[derive(Clone, Debug)]
pub(crate) struct Keyspace {
    pub(crate) tree: Tree,
    /// Index of the last change.
    pub(crate) index: u64,
    pub(crate) history: History,
    /// Entries of the log so far; more than [`index`](Self::index), since refused commands count, too.
    pub(crate) raft_index: u64,
}

/// What a command meets: the time at the member that took it, and the watchers to tell.
#[derive(Debug)]
pub(crate) struct Scene<'a, 'h> {
    /// Nanoseconds since 1970.
    pub(crate) now: i64,
    pub(crate) profile: Profile,
    pub(crate) quirks: Quirks,
    pub(crate) hubs: &'a mut [&'h mut Hub],
}

impl Keyspace {
    /// Empty keys, after `index` changes of the server's own.
    pub(crate) fn new(index: u64) -> Self {
        Self { tree: Tree::new(), index, history: History::new(index), raft_index: index.saturating_add(1) }
    }

    /// Applies a command. A quorum read makes no event, and none is returned for it.
    pub(crate) fn apply(
        &mut self,
        command: &Command,
        scene: &mut Scene<'_, '_>,
    ) -> Result<Option<Arc<Event>>, KeysError> {
        self.raft_index = self.raft_index.saturating_add(1);
        let event = match command {
            Command::Set(write) => self.set(write, scene),
            Command::Create(write) => self.create(write, scene),
            Command::CreateInOrder(write) => {
                let name = format!("{:020}", self.next_index());
                let key = path::join(&write.key, name.as_bytes());
                self.create(&Write { key, ..write.clone() }, scene)
            }
            Command::Update(write) => self.update(write, scene),
            Command::CompareAndSwap(write, comparison) => self.compare_and_swap(write, comparison, scene),
            Command::Delete { key, dir, recursive } => self.delete(key, *dir, *recursive, scene),
            Command::CompareAndDelete(key, comparison) => self.compare_and_delete(key, comparison, scene),
            Command::QuorumGet { key, .. } => return self.find(key).map(|_| None),
        };
        event.map(Some)
    }

    /// Takes an index for a write of the server itself: members, users, roles.
    pub(crate) fn step(&mut self) {
        self.index = self.next_index();
        self.raft_index = self.raft_index.saturating_add(1);
        self.history.push_internal(self.index);
    }

    /// Expires all whose time has come, in the order of their ends. Returns how many.
    pub(crate) fn expire(&mut self, cutoff: i64, scene: &mut Scene<'_, '_>) -> u64 {
        let mut expired = 0;
        while let Some((_, id)) = self.tree.first_expiry().filter(|(at, _)| *at <= cutoff) {
            let key = self.tree.path(id);
            if self.remove(Action::Expire, &key, id, scene).is_err() {
                break;
            }
            expired += 1;
        }
        expired
    }

    /// Expires one key, whether or not its time has come or it has any.
    pub(crate) fn expire_key(&mut self, key: &Bytes, scene: &mut Scene<'_, '_>) -> Result<(), KeysError> {
        let id = self.find(key)?;
        self.remove(Action::Expire, key, id, scene).map(drop)
    }

    /// The node at `key`.
    pub(crate) fn find(&self, key: &Bytes) -> Result<NodeId, KeysError> {
        self.tree.find(key).map_err(|end| self.dead_end(key, end))
    }

    /// Writes whatever is there but a directory. The node is a new one, with a new index of creation.
    ///
    /// A refresh needs the node and keeps its value; with `dir` it still turns a file into a directory (3.4, 3.5).
    fn set(&mut self, write: &Write, scene: &mut Scene<'_, '_>) -> Result<Arc<Event>, KeysError> {
        let mut value = write.value.clone();
        match self.find(&write.key) {
            Ok(id) if write.refresh => value = self.value(id),
            Ok(_) => {}
            Err(error) if write.refresh || error.code != ErrorCode::KeyNotFound => return Err(error),
            Err(_) => {}
        }
        self.make(Action::Set, &Write { value, ..write.clone() }, scene)
    }

    /// Writes where nothing is. Conditions do not come this far: etcd drops them.
    fn create(&mut self, write: &Write, scene: &mut Scene<'_, '_>) -> Result<Arc<Event>, KeysError> {
        // `refresh` means nothing here (3.4, 3.5): an ordinary create that wakes watchers.
        self.make(Action::Create, &Write { refresh: false, ..write.clone() }, scene)
    }

    /// Makes a node, for set in the place of a file.
    fn make(
        &mut self,
        action: Action,
        write: &Write,
        scene: &mut Scene<'_, '_>,
    ) -> Result<Arc<Event>, KeysError> {
        let Some((parent, name)) = path::split_last(&write.key) else { return Err(self.root_read_only()) };
        let expires = ttl::of_new_node(write.expires);
        let index = self.next_index();
        let name = Bytes::copy_from_slice(name);
        let parent = self.tree.directory(parent, index).map_err(|end| self.dead_end(&write.key, end))?;
        let old = self.tree.children(parent).and_then(|children| children.get(&name)).copied();
        let mut prev_node = None;
        if let Some(old) = old {
            if action != Action::Set {
                return Err(self.error(ErrorCode::KeyExists, write.key.clone()));
            }
            if self.tree.children(old).is_some() {
                return Err(self.error(ErrorCode::NotAFile, write.key.clone()));
            }
            prev_node = self.tree.view(old, write.key.clone(), scene.now);
            self.tree.remove(old);
        }
        let content = if write.dir {
            Content::Directory(std::collections::BTreeMap::new())
        } else {
            Content::File(write.value.clone())
        };
        let id = self.tree.add(parent, name, content, index, expires);
        let node = self.view(id, &write.key, scene.now)?;
        Ok(self.publish(Event::new(action, node, prev_node), write.refresh, scene))
    }

    /// Writes value and end where something is. `dir` means nothing here: a file stays one, and is emptied.
    ///
    /// Of a directory only the end can change, and on 3.5 not even that: its store hands an error out that 3.4
    /// ignores.
    fn update(&mut self, write: &Write, scene: &mut Scene<'_, '_>) -> Result<Arc<Event>, KeysError> {
        if write.key == "/" {
            return Err(self.root_read_only());
        }
        let id = self.find(&write.key)?;
        if self.tree.children(id).is_some() {
            if !write.value.is_empty() {
                return Err(self.error(ErrorCode::NotAFile, write.key.clone()));
            }
            if scene.profile.fails_directory_updates() {
                // `/1` is where etcd keeps the keys inside; only this one message shows it.
                let cause = [b"nodePath /1", &*write.key, b" : Not a file ()"].concat();
                return Err(KeysError::of_request(ErrorCode::RaftInternal, cause));
            }
        }
        self.rewrite(Action::Update, id, write, scene)
    }

    /// Writes value and end of a file if the comparison holds. Without a value the file is emptied.
    fn compare_and_swap(
        &mut self,
        write: &Write,
        comparison: &Comparison,
        scene: &mut Scene<'_, '_>,
    ) -> Result<Arc<Event>, KeysError> {
        if write.key == "/" {
            return Err(self.root_read_only());
        }
        let id = self.compare(&write.key, comparison, write.key.clone())?;
        self.rewrite(Action::CompareAndSwap, id, write, scene)
    }

    /// Writes value and end of a node that stays the same one.
    fn rewrite(
        &mut self,
        action: Action,
        id: NodeId,
        write: &Write,
        scene: &mut Scene<'_, '_>,
    ) -> Result<Arc<Event>, KeysError> {
        let index = self.next_index();
        let prev_node = self.view(id, &write.key, scene.now)?;
        if !write.refresh {
            self.tree.write(id, write.value.clone(), index);
        } else {
            self.tree.write(id, self.value(id), index);
        }
        self.tree.set_expiry(id, write.expires);
        // The event of a directory has the new index, the directory itself keeps its old one (3.4).
        let node = NodeView { modified: index, ..self.view(id, &write.key, scene.now)? };
        Ok(self.publish(Event::new(action, node, Some(prev_node)), write.refresh, scene))
    }

    /// Deletes a file, an empty directory with `dir`, or anything with `recursive`. Hidden children count.
    fn delete(
        &mut self,
        key: &Bytes,
        dir: bool,
        recursive: bool,
        scene: &mut Scene<'_, '_>,
    ) -> Result<Arc<Event>, KeysError> {
        if key == "/" {
            return Err(self.root_read_only());
        }
        let id = self.find(key)?;
        if let Some(children) = self.tree.children(id) {
            if !dir && !recursive {
                return Err(self.error(ErrorCode::NotAFile, key.clone()));
            }
            if !recursive && !children.is_empty() {
                return Err(self.error(ErrorCode::DirectoryNotEmpty, key.clone()));
            }
        }
        self.remove(Action::Delete, key, id, scene)
    }

    /// Deletes a file if the comparison holds. No flag makes it delete a directory.
    fn compare_and_delete(
        &mut self,
        key: &Bytes,
        comparison: &Comparison,
        scene: &mut Scene<'_, '_>,
    ) -> Result<Arc<Event>, KeysError> {
        // For the root the cause is empty: etcd cuts its inner `/1` off, and nothing is left.
        let cause = if key == "/" { Bytes::new() } else { key.clone() };
        let id = self.compare(key, comparison, cause)?;
        self.remove(Action::CompareAndDelete, key, id, scene)
    }

    /// The file at `key`, if the comparison holds. `cause` is that of the refusal of a directory.
    fn compare(&self, key: &Bytes, comparison: &Comparison, cause: Bytes) -> Result<NodeId, KeysError> {
        let id = self.find(key)?;
        match self.tree.node(id).map(|node| (&node.content, node.modified)) {
            Some((Content::File(value), modified)) => comparison
                .check(value, modified)
                .map(|()| id)
                .map_err(|cause| self.error(ErrorCode::CompareFailed, cause)),
            Some((Content::Directory(_), _)) | None => Err(self.error(ErrorCode::NotAFile, cause)),
        }
    }

    /// Takes a node with all below it away, and tells the watchers of every removed path.
    fn remove(
        &mut self,
        action: Action,
        key: &Bytes,
        id: NodeId,
        scene: &mut Scene<'_, '_>,
    ) -> Result<Arc<Event>, KeysError> {
        if id == ROOT {
            return Err(self.root_read_only());
        }
        let prev_node = self.view(id, key, scene.now)?;
        let node =
            NodeView { value: None, expires: None, ttl: 0, modified: self.next_index(), ..prev_node.clone() };
        let removed: Vec<Vec<Bytes>> = scene
            .hubs
            .iter()
            .map(|hub| {
                let mut paths = hub.watched_below(key);
                paths.retain(|path| self.tree.find(path).is_ok());
                paths
            })
            .collect();
        self.tree.remove(id);
        let event = Arc::new(Event::new(action, node, Some(prev_node)));
        for (hub, paths) in scene.hubs.iter_mut().zip(removed) {
            for path in paths {
                hub.notify_removed(&event, &path, scene.quirks);
            }
        }
        self.publish_shared(&event, scene);
        Ok(event)
    }

    /// Moves the index, keeps the event and tells the watchers, a refresh apart.
    fn publish(&mut self, mut event: Event, refresh: bool, scene: &mut Scene<'_, '_>) -> Arc<Event> {
        event.is_refresh = refresh;
        let event = Arc::new(event);
        self.publish_shared(&event, scene);
        event
    }

    /// Moves the index, keeps the event and tells the watchers.
    fn publish_shared(&mut self, event: &Arc<Event>, scene: &mut Scene<'_, '_>) {
        self.index = event.index();
        self.history.push(Arc::clone(event));
        if event.is_refresh {
            return;
        }
        for hub in scene.hubs.iter_mut() {
            hub.notify(event, scene.quirks);
        }
    }

    /// The value of a file; empty for a directory, as etcd's own node has it.
    fn value(&self, id: NodeId) -> Bytes {
        match self.tree.node(id).map(|node| &node.content) {
            Some(Content::File(value)) => value.clone(),
            Some(Content::Directory(_)) | None => Bytes::new(),
        }
    }

    /// The node as an event shows it.
    fn view(&self, id: NodeId, key: &Bytes, now: i64) -> Result<NodeView, KeysError> {
        let missing = || self.error(ErrorCode::KeyNotFound, key.clone());
        self.tree.view(id, key.clone(), now).ok_or_else(missing)
    }

    fn next_index(&self) -> u64 {
        self.index.saturating_add(1)
    }

    fn error(&self, code: ErrorCode, cause: impl Into<Bytes>) -> KeysError {
        KeysError::new(code, cause, self.index)
    }

    /// The cause is `/` whatever the call was.
    fn root_read_only(&self) -> KeysError {
        self.error(ErrorCode::RootReadOnly, "/")
    }

    /// Names the first missing element, or the file in the way: not the whole key.
    fn dead_end(&self, key: &Bytes, end: DeadEnd) -> KeysError {
        match end {
            DeadEnd::Missing(end) => self.error(ErrorCode::KeyNotFound, path::prefix(key, end)),
            DeadEnd::File(end) => self.error(ErrorCode::NotADirectory, path::prefix(key, end)),
        }
    }
}
