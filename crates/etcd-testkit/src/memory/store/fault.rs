//! What a test can do to the cluster.

use std::time::SystemTime;

use bytes::Bytes;

use super::Store;
use super::keyspace::{Keyspace, Scene};
use super::log::{Entry, Lag};
use super::member::Contact;
use crate::memory::time;

/// All keys with index and history at some time; see [`Store::snapshot`].
#[derive(Clone, Debug)]
pub struct Snapshot {
    keyspace: Keyspace,
}

impl Store {
    /// Makes a member the leader, or leaves the cluster without one.
    ///
    /// Without one no member can commit and nothing expires. A new leader begins a new term.
    pub fn set_leader(&mut self, leader: Option<usize>, now: SystemTime) {
        let leader = leader.filter(|member| self.is_running(*member));
        if leader.is_some() && leader != self.leader {
            self.term = self.term.saturating_add(1);
            self.leader_since = time::nanos(now);
        }
        self.leader = leader;
    }

    /// The leader as members in contact know it.
    #[must_use]
    pub fn leader(&self) -> Option<usize> {
        self.leader
    }

    /// Says what a member can reach of the rest. Unknown members are ignored.
    ///
    /// A member without a majority still answers local reads and opens watches, from what it has. To cut it off
    /// while the others go on, [`freeze`](Self::freeze) it as well, and give them another leader if it led.
    /// Nothing expires while the leader has no majority.
    pub fn set_contact(&mut self, member: usize, contact: Contact) {
        let leader = self.leader;
        if let Some(slot) = self.members.get_mut(member) {
            if slot.contact == Contact::Connected {
                slot.last_leader = leader;
            }
            slot.contact = contact;
        }
    }

    /// Stops a member at the present state: it answers local reads and watches from there, as a follower does
    /// that lags behind.
    ///
    /// Writes and reads by consensus sent to it are answered from the state of the cluster, at once. (A real
    /// follower would answer them once it has caught up.) What it misses is kept, up to 100,000 entries; beyond
    /// that it follows at that distance. Users and members are never stale.
    pub fn freeze(&mut self, member: usize) {
        let keyspace = &self.keyspace;
        if let Some(slot) = self.members.get_mut(member)
            && slot.lag.is_none()
        {
            slot.lag = Some(Lag::new(keyspace.clone()));
        }
    }

    /// Lets a frozen member apply up to `entries` of what it has missed; its watches get their events.
    ///
    /// With all applied it follows again. Returns how many entries it still lags.
    pub fn catch_up(&mut self, member: usize, entries: usize) -> usize {
        let (profile, quirks) = (self.profile, self.quirks);
        let Some(slot) = self.members.get_mut(member) else { return 0 };
        let Some(lag) = &mut slot.lag else { return 0 };
        for _ in 0..entries {
            let Some((now, entry)) = lag.next() else { break };
            let mut scene = Scene { now, profile, quirks, hubs: &mut [&mut slot.hub] };
            let outcome = entry.apply(&mut lag.keyspace, &mut scene);
            entry.count(&outcome, &mut slot.counters);
        }
        let behind = lag.len();
        if behind == 0 {
            slot.lag = None;
        }
        behind
    }

    /// Forgets all events: a watch from any index up to the present one is refused with 401.
    pub fn clear_history(&mut self) {
        let index = self.keyspace.index;
        self.keyspace.history.clear(index);
    }

    /// Sets the index, with all keys as they are and the history cleared: a store that was put back.
    ///
    /// For keys that go back with the index see [`restore`](Self::restore).
    pub fn set_index(&mut self, index: u64) {
        self.keyspace.index = index;
        self.keyspace.history.clear(index);
    }

    /// All keys with index and history, for [`restore`](Self::restore).
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { keyspace: self.keyspace.clone() }
    }

    /// Puts keys, index and history back, as from a backup. Watches stay open and hear nothing of it.
    ///
    /// Frozen members keep what they have, and follow the log from here on once they have caught up.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.keyspace = snapshot.keyspace.clone();
    }

    /// Shows another cluster id from now on: another cluster behind the same address.
    pub fn set_cluster_id(&mut self, id: u64) {
        self.cluster_id = id;
    }

    /// Expires a key or directory now, whether or not it has a time to live. `false` if it does not exist, and
    /// for the root.
    ///
    /// `key` has a leading slash and none at the end.
    pub fn expire_key(&mut self, key: &str, now: SystemTime) -> bool {
        let key = Bytes::copy_from_slice(key.as_bytes());
        self.commit(Entry::ExpireKey(key), time::nanos(now)).is_ok()
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

    /// Keeps what frozen members miss within bounds.
    pub(crate) fn bound_lags(&mut self) {
        for member in 0..self.members.len() {
            let behind = self.members.get(member).and_then(|slot| slot.lag.as_ref()).map_or(0, Lag::len);
            if behind > MAX_LAG {
                self.catch_up(member, behind - MAX_LAG);
            }
        }
    }
}

const MAX_LAG: usize = 100_000;
