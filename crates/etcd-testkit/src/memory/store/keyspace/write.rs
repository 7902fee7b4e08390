//! Changes that leave something behind: set, create, update, compare and swap.
//!
//! Set and create make a *new* node, also in the place of a file: with a new index of creation. Update and
//! compare-and-swap change the node that is there. All four take the time to live away where none is given.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use etcd_proto::v2::{Action, ErrorCode};

use super::{Keyspace, Scene};
use crate::memory::store::command::{Comparison, Write};
use crate::memory::store::error::KeysError;
use crate::memory::store::event::{Event, NodeView};
use crate::memory::store::tree::{Content, NodeId};
use crate::memory::store::{path, ttl};

impl Keyspace {
    /// Writes whatever is there but a directory (102, with `dir` as well: making one twice is refused).
    ///
    /// The node is a new one, with a new index of creation, so "same index of creation, same owner" does not hold
    /// over a set, nor over a refresh without conditions. `dir` puts an empty directory in the place of a file.
    /// A refresh needs the node and keeps its value; with `dir` it still turns a file into a directory (3.4, 3.5).
    pub(super) fn set(&mut self, write: &Write, scene: &mut Scene<'_, '_>) -> Result<Arc<Event>, KeysError> {
        let mut value = write.value.clone();
        match self.find(&write.key) {
            Ok(id) if write.refresh => value = self.value(id),
            Ok(_) => {}
            Err(error) if write.refresh || error.code != ErrorCode::KeyNotFound => return Err(error),
            Err(_) => {}
        }
        self.make(Action::Set, &Write { value, ..write.clone() }, scene)
    }

    /// Writes where nothing is, else 105, be it a file or a directory. Conditions do not come this far: etcd drops
    /// `prevValue` and `prevIndex` where `prevExist=false` stands.
    pub(super) fn create(
        &mut self,
        write: &Write,
        scene: &mut Scene<'_, '_>,
    ) -> Result<Arc<Event>, KeysError> {
        // `refresh` means nothing here (3.4, 3.5): an ordinary create that wakes watchers.
        self.make(Action::Create, &Write { refresh: false, ..write.clone() }, scene)
    }

    /// Makes a node, for set in the place of a file.
    ///
    /// Missing parents are made as directories for good, with the index of the node: one step in all, and no event
    /// for them. A refused write leaves none behind.
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
        let content =
            if write.dir { Content::Directory(BTreeMap::new()) } else { Content::File(write.value.clone()) };
        let id = self.tree.add(parent, name, content, index, expires);
        let node = self.view(id, &write.key, scene.now)?;
        Ok(self.publish(Event::new(action, node, prev_node), write.refresh, scene))
    }

    /// Writes value and end where something is. `dir` means nothing here: a file stays one, and is emptied.
    ///
    /// Of a directory only the end can change, and on 3.5 not even that: its store hands an error out that 3.4
    /// ignores.
    pub(super) fn update(
        &mut self,
        write: &Write,
        scene: &mut Scene<'_, '_>,
    ) -> Result<Arc<Event>, KeysError> {
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

    /// Writes value and end of a file if the comparison holds. Without a value the file is emptied, without a time
    /// to live it stays for good, and `dir` means nothing.
    pub(super) fn compare_and_swap(
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

    /// Writes value and end of a node that stays the same one: its index of creation is kept.
    ///
    /// A refresh (2.3 and later) keeps the value. It takes an index all the same, so whoever compares by index has
    /// to take it from the last refresh.
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
}
