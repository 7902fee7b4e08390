//! Members that stay behind.

use std::collections::VecDeque;

use super::Store;
use super::keyspace::{Keyspace, Scene};
use super::log::Entry;
use crate::memory::Error;

/// The keys as a member knows them that does not follow the log just now.
#[derive(Debug)]
pub(crate) struct Lag {
    /// The keys as they were when it stopped, and what it has applied since.
    pub(crate) keyspace: Keyspace,
    /// What it has missed, each with the time at which it was applied elsewhere.
    missed: VecDeque<(i64, Entry)>,
    /// What the missed entries weigh together.
    weight: usize,
}

impl Lag {
    /// A member that stops at `keyspace`.
    pub(crate) fn new(keyspace: Keyspace) -> Self {
        Self { keyspace, missed: VecDeque::new(), weight: 0 }
    }

    /// Notes what the member misses.
    pub(crate) fn miss(&mut self, now: i64, entry: Entry) {
        self.weight = self.weight.saturating_add(entry.weight());
        self.missed.push_back((now, entry));
    }

    /// Takes the oldest entry that it has missed.
    fn take(&mut self) -> Option<(i64, Entry)> {
        let (now, entry) = self.missed.pop_front()?;
        self.weight = self.weight.saturating_sub(entry.weight());
        Some((now, entry))
    }

    /// How many of the oldest entries are too many to keep.
    fn excess(&self) -> usize {
        let mut weight = self.weight;
        let too_heavy = self.missed.iter().take_while(|(_, entry)| {
            let is_over = weight > MAX_WEIGHT;
            weight = weight.saturating_sub(entry.weight());
            is_over
        });
        too_heavy.count().max(self.missed.len().saturating_sub(MAX_ENTRIES))
    }
}

impl Store {
    /// Stops a member at the present state: it answers local reads and watches from there, as a follower does
    /// that lags behind. One that is frozen already stays where it is.
    ///
    /// Writes and reads by consensus sent to it are answered from the state of the cluster, at once. (A real
    /// follower would answer them once it has caught up.) What it misses is kept, up to 100,000 entries and
    /// about 64 MiB of keys and values; beyond that it follows at that distance. Users and members are never
    /// stale.
    ///
    /// # Errors
    /// [`ErrorKind::NoMember`](crate::memory::ErrorKind::NoMember) for a member that does not exist or was
    /// removed.
    pub fn freeze(&mut self, member: usize) -> Result<(), Error> {
        self.check_member(member)?;
        let keyspace = &self.keyspace;
        if let Some(slot) = self.members.get_mut(member) {
            slot.lag.get_or_insert_with(|| Lag::new(keyspace.clone()));
        }
        Ok(())
    }

    /// Lets a frozen member apply up to `entries` of what it has missed; its watches get their events.
    ///
    /// With all applied it follows again. Returns how many entries it still lags; 0 for one that follows.
    ///
    /// # Errors
    /// [`ErrorKind::NoMember`](crate::memory::ErrorKind::NoMember) for a member that does not exist or was
    /// removed.
    pub fn catch_up(&mut self, member: usize, entries: usize) -> Result<usize, Error> {
        self.check_member(member)?;
        let behind = self.apply_missed(member, entries);
        if behind == 0
            && let Some(slot) = self.members.get_mut(member)
        {
            slot.lag = None;
        }
        Ok(behind)
    }

    /// Keeps what frozen members miss within bounds.
    pub(crate) fn bound_lags(&mut self) {
        for member in 0..self.members.len() {
            let lag = self.members.get(member).and_then(|slot| slot.lag.as_ref());
            let excess = lag.map_or(0, Lag::excess);
            if excess > 0 {
                self.apply_missed(member, excess);
            }
        }
    }

    /// Applies the oldest of what a member has missed. Returns how many entries are left.
    fn apply_missed(&mut self, member: usize, entries: usize) -> usize {
        let (profile, quirks) = (self.profile, self.quirks);
        let Some(slot) = self.members.get_mut(member) else { return 0 };
        let Some(lag) = &mut slot.lag else { return 0 };
        for _ in 0..entries {
            let Some((now, entry)) = lag.take() else { break };
            let mut scene = Scene { now, profile, quirks, hubs: &mut [&mut slot.hub] };
            let outcome = entry.apply(&mut lag.keyspace, &mut scene);
            entry.count(&outcome, &mut slot.counters);
        }
        lag.missed.len()
    }
}

const MAX_ENTRIES: usize = 100_000;

/// In bytes; more than six of the largest bodies that etcd takes.
const MAX_WEIGHT: usize = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::memory::store::{Command, Write};

    fn write(bytes: usize) -> Entry {
        let value = Bytes::from(vec![0; bytes]);
        let key = Bytes::from_static(b"/a");
        Entry::Command(Command::Set(Write { key, value, dir: false, expires: None, refresh: false }))
    }

    #[test]
    fn what_is_missed_is_bounded_by_bytes() {
        let mut store = Store::builder().members(2).build();
        store.freeze(1).unwrap();
        let mib = 1024 * 1024;
        for _ in 0..80 {
            let _ = store.commit(write(mib), 0);
        }
        let lag = store.members[1].lag.as_ref().unwrap();
        assert_eq!(lag.missed.len(), 63, "64 would weigh a little more than 64 MiB");
        assert_eq!(lag.keyspace.index, 5 + 80 - 63);
        assert_eq!(lag.weight, lag.missed.iter().map(|(_, entry)| entry.weight()).sum::<usize>());
    }

    #[test]
    fn what_is_missed_is_bounded_by_entries() {
        let mut store = Store::builder().members(2).build();
        store.freeze(1).unwrap();
        for _ in 0..MAX_ENTRIES + 7 {
            let _ = store.commit(write(0), 0);
        }
        assert_eq!(store.members[1].lag.as_ref().map(|lag| lag.missed.len()), Some(MAX_ENTRIES));
        assert_eq!(store.catch_up(1, usize::MAX).unwrap(), 0);
        assert!(store.members[1].lag.is_none());
    }
}
