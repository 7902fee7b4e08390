//! What a test can do to the cluster.

use std::sync::Arc;
use std::time::SystemTime;

use super::Store;
use super::keyspace::Keyspace;
use super::log::Entry;
use super::member::Contact;
use super::path;
use crate::memory::{Error, time};

/// All keys with index and history at some time; see [`Store::snapshot`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Snapshot {
    keyspace: Arc<Keyspace>,
}

impl Store {
    /// Makes a member the leader, or leaves the cluster without one.
    ///
    /// Without one no member can commit and nothing expires. A new leader begins a new term.
    ///
    /// # Errors
    /// [`ErrorKind::NoMember`](crate::memory::ErrorKind::NoMember) for a member that does not exist, was removed
    /// or has not run yet.
    pub fn set_leader(&mut self, leader: Option<usize>, now: SystemTime) -> Result<(), Error> {
        if let Some(member) = leader {
            self.check_member(member)?;
            if !self.is_running(member) {
                return Err(Error::no_member(member));
            }
        }
        self.lead(leader, time::nanos(now));
        Ok(())
    }

    /// The leader as members in contact know it.
    #[must_use]
    pub fn leader(&self) -> Option<usize> {
        self.leader
    }

    /// Says what a member can reach of the rest.
    ///
    /// A member without a majority still answers local reads and opens watches, from what it has. To cut it off
    /// while the others go on, [`freeze`](Self::freeze) it as well, and give them another leader if it led.
    /// Nothing expires while the leader has no majority.
    ///
    /// # Errors
    /// [`ErrorKind::NoMember`](crate::memory::ErrorKind::NoMember) for a member that does not exist or was
    /// removed.
    pub fn set_contact(&mut self, member: usize, contact: Contact) -> Result<(), Error> {
        self.check_member(member)?;
        let leader = self.leader;
        if let Some(slot) = self.members.get_mut(member) {
            if slot.contact == Contact::Connected {
                slot.last_leader = leader;
            }
            slot.contact = contact;
        }
        Ok(())
    }

    /// Forgets all events: a watch from any index up to the present one is refused with 401.
    ///
    /// That goes for frozen members as well, each by its own index: at once, and again when it gets to this
    /// point of the log, for what it has missed by then.
    pub fn clear_history(&mut self) {
        self.clear_frozen_histories();
        self.do_to_keys(Entry::ClearHistory);
    }

    /// Sets the index, with all keys as they are and the history cleared: a store that was put back.
    ///
    /// A frozen member forgets its history at once. Its index stays until it gets to this point of the log, so
    /// that the events that it has missed come with the numbers that they had elsewhere.
    ///
    /// For keys that go back with the index see [`restore`](Self::restore).
    pub fn set_index(&mut self, index: u64) {
        self.clear_frozen_histories();
        self.do_to_keys(Entry::SetIndex(index));
    }

    /// All keys with index and history, for [`restore`](Self::restore).
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { keyspace: Arc::new(self.keyspace.clone()) }
    }

    /// Puts keys, index and history back, as from a backup. Watches stay open and hear nothing of it.
    ///
    /// Frozen members keep what they have until they get to this point of the log.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.do_to_keys(Entry::Restore(Arc::clone(&snapshot.keyspace)));
    }

    /// Shows another cluster id from now on: another cluster behind the same address.
    pub fn set_cluster_id(&mut self, id: u64) {
        self.cluster_id = id;
    }

    /// Expires a key or directory now, whether or not it has a time to live.
    ///
    /// The slash in front may be missing, and one at the end means nothing: `a/b` and `/a/b/` are `/a/b`.
    ///
    /// # Errors
    /// [`ErrorKind::NoKey`](crate::memory::ErrorKind::NoKey) for a key that does not exist, and for the root.
    pub fn expire_key(&mut self, key: &str, now: SystemTime) -> Result<(), Error> {
        let key = path::canonical(key.as_bytes());
        if key == "/" {
            return Err(Error::root());
        }
        // Looked for before it goes into the log: a change that fails leaves no trace there.
        let missing = |_| Error::no_key(&String::from_utf8_lossy(&key));
        self.keyspace.find(&key).map_err(missing)?;
        self.commit(Entry::ExpireKey(key.clone()), time::nanos(now)).map(drop).map_err(missing)
    }

    /// Expires all that has a time to live, now.
    pub fn expire_all(&mut self, now: SystemTime) {
        // An expiry has no conditions that could fail.
        let _ = self.commit(Entry::Expire(i64::MAX), time::nanos(now));
    }

    /// Whether a member can get a command into the log.
    #[must_use]
    pub fn can_commit(&self, member: usize) -> bool {
        self.has_working_leader()
            && self.members.get(member).is_some_and(|slot| slot.contact == Contact::Connected)
    }

    /// Ends a time without a leader: the one of before leads again, or the first that runs where that one is
    /// gone. Nothing happens while there is a leader.
    pub(crate) fn recover_leader(&mut self, now: SystemTime) {
        if self.leader.is_none() {
            let first = || (0..self.members.len()).find(|member| self.is_running(*member));
            let leader = self.leader_before.filter(|member| self.is_running(*member)).or_else(first);
            self.lead(leader, time::nanos(now));
        }
    }

    /// Whether a majority follows a leader.
    pub(crate) fn has_working_leader(&self) -> bool {
        let leader = self.leader.and_then(|leader| self.members.get(leader));
        leader.is_some_and(|slot| slot.contact == Contact::Connected) && self.has_majority()
    }

    /// The leader that a member believes in.
    pub(crate) fn leader_seen_by(&self, member: usize) -> Option<usize> {
        let slot = self.members.get(member)?;
        match slot.contact {
            Contact::Connected => self.leader,
            Contact::NoQuorum => slot.last_leader,
            Contact::NoLeader => None,
        }
    }

    fn lead(&mut self, leader: Option<usize>, now: i64) {
        if leader.is_some() && leader != self.leader {
            self.term = self.term.saturating_add(1);
            self.leader_since = now;
        }
        self.leader_before = self.leader.or(self.leader_before);
        self.leader = leader;
    }

    /// Frozen members know no event of before any more.
    fn clear_frozen_histories(&mut self) {
        for lag in self.members.iter_mut().filter_map(|slot| slot.lag.as_mut()) {
            lag.keyspace.history.clear(lag.keyspace.index);
        }
    }

    /// Puts something into the log that a test does, and that takes no time and cannot fail.
    fn do_to_keys(&mut self, entry: Entry) {
        let _ = self.commit(entry, self.last_sync);
    }
}
