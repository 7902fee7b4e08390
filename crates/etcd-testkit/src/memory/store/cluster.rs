//! Changes of membership, and what members know of each other.
//!
//! Each change takes an index or two of the keys': etcd writes members into the same store. Members that are added
//! or removed by a request are only entries here: nothing starts or ends a listener but the engine.

use super::Store;
use super::builder::member_id;
use super::log::Entry;
use super::member::{Member, MemberInfo};
use super::stats::{Counted, Counters};
use crate::memory::Error;

/// Why a change of membership was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MembersError {
    /// Another member has one of the peer URLs: 409.
    PeerUrlExists,
    /// There is no such member, and was none: 404.
    NotFound,
    /// The member was removed for good: 410. etcd never gives an id out twice.
    Removed,
    /// The cluster would not be safe with it: 500, and etcd hides why. (It refuses also within some 5 s after a
    /// member has started; that is not imitated.)
    Internal,
}

impl Store {
    /// All members in the order of building, removed ones left out.
    #[must_use]
    pub fn members(&self) -> Vec<MemberInfo> {
        self.present().map(Member::info).collect()
    }

    /// Whether this member exists, has run and was not removed. The process of a removed one ends.
    #[must_use]
    pub fn is_running(&self, member: usize) -> bool {
        self.members.get(member).is_some_and(|slot| slot.is_started && !slot.is_removed)
    }

    /// Says where clients reach a member, for `/v2/members` and `/v2/machines`. Takes no index.
    ///
    /// # Errors
    /// [`ErrorKind::NoMember`](crate::memory::ErrorKind::NoMember) for a member that does not exist or was
    /// removed.
    pub fn set_client_urls(
        &mut self,
        member: usize,
        urls: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), Error> {
        self.check_member(member)?;
        if let Some(slot) = self.members.get_mut(member) {
            slot.client_urls = urls.into_iter().map(Into::into).collect();
        }
        Ok(())
    }

    /// Runs a member that was added: it gets a name and counts for the majority. Its place is the one after all
    /// members before it. Takes one index, as the server's own write of its name does.
    ///
    /// # Errors
    /// [`ErrorKind::NoMember`](crate::memory::ErrorKind::NoMember) for a member that does not exist or was
    /// removed, [`ErrorKind::Config`](crate::memory::ErrorKind::Config) for one that runs already.
    pub fn start_member(
        &mut self,
        member: usize,
        name: impl Into<String>,
        client_urls: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), Error> {
        self.check_member(member)?;
        let Some(slot) = self.members.get_mut(member) else { return Err(Error::no_member(member)) };
        if slot.is_started {
            return Err(Error::config(format!("member {member} runs already")));
        }
        slot.name = name.into();
        slot.client_urls = client_urls.into_iter().map(Into::into).collect();
        slot.is_started = true;
        self.step(Counted::Set);
        Ok(())
    }

    /// Whether there is such a member: it may be yet to run, but was not removed.
    pub(crate) fn check_member(&self, member: usize) -> Result<(), Error> {
        match self.members.get(member) {
            None => Err(Error::no_member(member)),
            Some(slot) if slot.is_removed => Err(Error::removed_member(member)),
            Some(_) => Ok(()),
        }
    }

    /// The members as the API lists them: by id.
    pub(crate) fn members_by_id(&self) -> Vec<MemberInfo> {
        let mut members: Vec<&Member> = self.present().collect();
        members.sort_by_key(|member| member.id);
        members.into_iter().map(Member::info).collect()
    }

    /// Client URLs of all members, sorted as etcd does: `/v2/machines`. Those of members that never ran are missing.
    pub(crate) fn machines(&self) -> Vec<String> {
        let mut urls: Vec<String> =
            self.present().flat_map(|slot| slot.client_urls.iter().cloned()).collect();
        urls.sort();
        urls
    }

    /// A member by its place, removed or not.
    pub(crate) fn member(&self, member: usize) -> Option<&Member> {
        self.members.get(member)
    }

    /// The counters of a member with its watchers.
    pub(crate) fn counters(&self, member: usize) -> Counters {
        self.members
            .get(member)
            .map_or_else(Counters::default, |slot| slot.counters.with_watchers(slot.hub.waiting_count()))
    }

    /// Since when the servers run and the leader leads, in nanoseconds since 1970.
    pub(crate) fn times(&self) -> (i64, i64) {
        (self.started, self.leader_since)
    }

    /// Other running members than `member`.
    pub(crate) fn others(&self, member: usize) -> impl Iterator<Item = &Member> {
        self.members
            .iter()
            .enumerate()
            .filter(move |(place, slot)| *place != member && !slot.is_removed)
            .map(|(_, slot)| slot)
    }

    /// Adds a member that is yet to run.
    ///
    /// While another one has not run, etcd refuses (its strict check of reconfigurations), and before it looks
    /// at the URLs.
    pub(crate) fn add_member(&mut self, peer_urls: Vec<String>) -> Result<MemberInfo, MembersError> {
        if self.present().any(|slot| !slot.is_started) || self.members.len() >= MAX_MEMBERS {
            return Err(MembersError::Internal);
        }
        self.check_peer_urls(&peer_urls, None)?;
        let salt = u64::try_from(self.members.len()).unwrap_or(u64::MAX);
        let member = Member::unstarted(member_id(&peer_urls.join(","), salt), peer_urls);
        let info = member.info();
        self.members.push(member);
        self.step(Counted::Create);
        Ok(info)
    }

    /// Gives a member other peer URLs. The same as before are a change, too.
    pub(crate) fn update_member(&mut self, id: u64, peer_urls: Vec<String>) -> Result<(), MembersError> {
        if self.removed_ids.contains(&id) {
            // 500 and not 410: etcd forgets this case when it updates (3.4, 3.5).
            return Err(MembersError::Internal);
        }
        if !self.present().any(|slot| slot.id == id) {
            return Err(MembersError::NotFound);
        }
        self.check_peer_urls(&peer_urls, Some(id))?;
        for slot in self.members.iter_mut().filter(|slot| slot.id == id) {
            slot.peer_urls.clone_from(&peer_urls);
        }
        self.step(Counted::Update);
        Ok(())
    }

    /// Removes a member; its process ends. The last running member cannot be removed.
    pub(crate) fn remove_member(&mut self, id: u64) -> Result<(), MembersError> {
        if self.removed_ids.contains(&id) {
            return Err(MembersError::Removed);
        }
        let Some(place) = self.members.iter().position(|slot| slot.id == id && !slot.is_removed) else {
            return Err(MembersError::NotFound);
        };
        let (all, started) = self
            .present()
            .filter(|slot| slot.id != id)
            .fold((0, 0), |(all, started), slot| (all + 1, started + usize::from(slot.is_started)));
        if started < all / 2 + 1 {
            return Err(MembersError::Internal);
        }
        self.removed_ids.insert(id);
        if let Some(slot) = self.members.get_mut(place) {
            slot.is_removed = true;
            slot.hub = Default::default();
        }
        if self.leader == Some(place) {
            self.leader = (0..self.members.len()).find(|member| self.is_running(*member));
            self.term = self.term.saturating_add(1);
        }
        self.step(Counted::Delete);
        self.step(Counted::Create);
        Ok(())
    }

    /// Whether enough members run: more than half of those that were not removed. Killed ones count as running; that
    /// is the engine's business, which does not stall the cluster for it.
    pub(crate) fn has_majority(&self) -> bool {
        let all = self.present().count();
        self.present().filter(|slot| slot.is_started).count() > all / 2
    }

    /// A write of the server itself: it takes an index and a place in the history, and no client sees it.
    pub(crate) fn step(&mut self, counted: Counted) {
        // A step has no conditions that could fail.
        let _ = self.commit(Entry::Step(counted), self.last_sync);
    }

    /// Members that were not removed.
    fn present(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|slot| !slot.is_removed)
    }

    /// Whether no other member has one of these URLs.
    fn check_peer_urls(&self, urls: &[String], own: Option<u64>) -> Result<(), MembersError> {
        let taken = self
            .present()
            .filter(|slot| Some(slot.id) != own)
            .any(|slot| slot.peer_urls.iter().any(|url| urls.contains(url)));
        if taken { Err(MembersError::PeerUrlExists) } else { Ok(()) }
    }
}

/// Removed ones included, so that no client can grow the list for ever.
const MAX_MEMBERS: usize = 1000;
