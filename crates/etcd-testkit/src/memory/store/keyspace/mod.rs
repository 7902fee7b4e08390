//! The keys: tree, index and history. What changes them is by the kind of change in the files beside this one.
//!
//! One counter serves the whole store, the *etcd index*. It goes up by one for each change that succeeds, whatever
//! number of nodes it touches: a recursive delete is one step, and so is a write with all the parents that it
//! makes. A refusal, a read and a watch take none. The server's own writes take some, so what clients see may
//! have gaps.

mod remove;
mod write;

use std::sync::Arc;

use bytes::Bytes;
use etcd_proto::v2::ErrorCode;

use super::command::{Command, Comparison, Write};
use super::error::KeysError;
use super::event::{Event, NodeView};
use super::history::History;
use super::path;
use super::tree::{Content, DeadEnd, NodeId, Tree};
use super::watch::Hub;
use crate::memory::{Profile, Quirks};

/// The keys as one member knows them. Applying the same commands to a clone gives the same keys.
#[derive(Clone, Debug)]
pub(crate) struct Keyspace {
    /// Files and directories.
    pub(crate) tree: Tree,
    /// Index of the last change: what `X-Etcd-Index` shows.
    pub(crate) index: u64,
    /// The last events. It is part of the state, as in etcd: equal on all members, kept over restarts.
    pub(crate) history: History,
    /// Entries of the log so far: what `X-Raft-Index` shows. More than [`index`](Self::index), since refused
    /// commands and reads by consensus are entries, too. (etcd's sync adds one every 500 ms while a key has a
    /// time to live; not imitated, since nobody can use the number.)
    pub(crate) raft_index: u64,
}

/// What a command meets: the time at the member that took it, and the watchers to tell.
#[derive(Debug)]
pub(crate) struct Scene<'a, 'h> {
    /// Nanoseconds since 1970, by the clock of the member that took the command: etcd sends ends as dates through
    /// the log, so clocks of members that differ move them.
    pub(crate) now: i64,
    /// Which etcd's refusals and JSON are due.
    pub(crate) profile: Profile,
    /// Which oddities the watchers meet.
    pub(crate) quirks: Quirks,
    /// The watchers of all members that apply the command now. Each member has its own; an event is told to all.
    pub(crate) hubs: &'a mut [&'h mut Hub],
}

impl Keyspace {
    /// Empty keys, after `index` changes of the server's own: 3 on a fresh member alone, 7 with three (3.4, 3.5).
    pub(crate) fn new(index: u64) -> Self {
        Self { tree: Tree::new(), index, history: History::new(index), raft_index: index.saturating_add(1) }
    }

    /// Applies a command. A quorum read makes no event, and none is returned for it.
    ///
    /// A created-in-order key is named by the index that it gets, in 20 digits with zeros in front, so that the
    /// order of bytes is the order of making.
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
    ///
    /// etcd keeps those in the same store under another root. So they move the index of the keys, and push events
    /// out of the history that no client ever sees.
    pub(crate) fn step(&mut self) {
        self.index = self.next_index();
        self.raft_index = self.raft_index.saturating_add(1);
        self.history.push_internal(self.index);
    }

    /// The node at `key`.
    ///
    /// The refusals are 100 with the first missing element as its cause, which need not be the key itself, and
    /// 104 with the file that stands where a directory would have to.
    pub(crate) fn find(&self, key: &Bytes) -> Result<NodeId, KeysError> {
        self.tree.find(key).map_err(|end| self.dead_end(key, end))
    }

    /// The file at `key`, if the comparison holds. `cause` is that of the refusal of a directory.
    ///
    /// Directories are never compared (102), not even by their index.
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
