//! Changes that take something away: delete, compare and delete, expiry.
//!
//! A directory goes with all below it in *one* event, which names the directory. Whoever watches a path below is
//! told by an event on an ancestor of what it watches, and only if that path existed.

use std::sync::Arc;

use bytes::Bytes;
use etcd_proto::v2::{Action, ErrorCode};

use super::{Keyspace, Scene};
use crate::memory::store::command::Comparison;
use crate::memory::store::error::KeysError;
use crate::memory::store::event::{Event, NodeView};
use crate::memory::store::tree::{NodeId, ROOT};

impl Keyspace {
    /// Expires all whose time has come, in the order of their ends. Returns how many.
    ///
    /// Each is an event and a step of its own. Those that end at the same nanosecond go by age; etcd's heap
    /// leaves that open.
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

    /// Expires one key, whether or not its time has come or it has any. No etcd does that by itself; it is for
    /// tests, and looks to watchers as any expiry does.
    pub(crate) fn expire_key(&mut self, key: &Bytes, scene: &mut Scene<'_, '_>) -> Result<(), KeysError> {
        let id = self.find(key)?;
        self.remove(Action::Expire, key, id, scene).map(drop)
    }

    /// Deletes a file, an empty directory with `dir`, or anything with `recursive`, which implies `dir`.
    ///
    /// Hidden children count: a directory that lists as empty may still be refused (108).
    pub(super) fn delete(
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
    pub(super) fn compare_and_delete(
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

    /// Takes a node with all below it away, and tells the watchers of every removed path.
    ///
    /// Which watched paths exist is looked up before, and told before the ordinary round of watchers: so does
    /// etcd, and so a watcher on the very key hears of it twice ([`Quirks::doubled_deletes`]).
    ///
    /// [`Quirks::doubled_deletes`]: crate::memory::Quirks::doubled_deletes
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
}
