//! Making a store.
//!
//! A fresh one is as a cluster is whose members have just started: the leader is elected, in term 2, and their own
//! first writes have taken the lowest indexes and counters.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Store;
use super::auth::Auth;
use super::keyspace::Keyspace;
use super::member::Member;
use super::stats::Counters;
use crate::memory::{Profile, Quirks, time};

/// Settings of a [`Store`]; [`build`](Self::build) makes it.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until built"]
pub struct StoreBuilder {
    members: usize,
    profile: Profile,
    quirks: Quirks,
    cluster_id: u64,
    index: Option<u64>,
    started_at: SystemTime,
}

impl Default for StoreBuilder {
    fn default() -> Self {
        Self {
            members: 1,
            profile: Profile::default(),
            quirks: Quirks::faithful(),
            cluster_id: 0x3b4a_df01_c45e_0a8d,
            index: None,
            started_at: UNIX_EPOCH,
        }
    }
}

impl StoreBuilder {
    /// How many members the cluster has; default 1, 0 counts as 1. The first one leads.
    ///
    /// They are called `m1`, `m2`, …, with loopback URLs that
    /// [`Store::set_client_urls`] puts right once the listeners are known.
    pub fn members(mut self, members: usize) -> Self {
        self.members = members.max(1);
        self
    }

    /// Which etcd to behave like; default 3.5.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Which oddities of etcd's watches to have; default all.
    pub fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// What `X-Etcd-Cluster-Id` shows; default some fixed number.
    pub fn cluster_id(mut self, id: u64) -> Self {
        self.cluster_id = id;
        self
    }

    /// Index of the fresh store; default as on real servers: 3 for one member, 7 for three, in between and
    /// beyond on the same line (two for each further member).
    pub fn initial_index(mut self, index: u64) -> Self {
        self.index = Some(index);
        self
    }

    /// When the servers started, for statistics and for the beat of the sync every 500 ms; default 1970, which
    /// puts the beats on whole and half seconds.
    pub fn started_at(mut self, time: SystemTime) -> Self {
        self.started_at = time;
        self
    }

    /// Makes the store.
    #[must_use]
    pub fn build(self) -> Store {
        let started = time::nanos(self.started_at);
        let own = 1 + 2 * u64::try_from(self.members).unwrap_or(u64::MAX / 4);
        let counters = Counters::at_start(self.members);
        let members: Vec<Member> = (1..=self.members)
            .map(|number| Member { counters: counters.clone(), ..member(number) })
            .collect();
        Store {
            profile: self.profile,
            quirks: self.quirks,
            cluster_id: self.cluster_id,
            term: 2,
            keyspace: Keyspace::new(self.index.unwrap_or(own)),
            members,
            removed_ids: Default::default(),
            leader: Some(0),
            leader_before: None,
            leader_since: started,
            started,
            last_sync: started,
            auth: Auth::default(),
        }
    }
}

/// Member number `number`, counted from 1.
fn member(number: usize) -> Member {
    let peer_url = format!("http://127.0.0.1:{}", 12_380_usize.saturating_add(number));
    let client_url = format!("http://127.0.0.1:{}", 12_400_usize.saturating_add(number));
    let name = format!("m{number}");
    Member::started(member_id(&peer_url, 0), name, vec![peer_url], vec![client_url])
}

/// An id that depends on the URL alone, so that tests repeat (FNV-1a). Never 0, which etcd keeps for "none".
pub(crate) fn member_id(peer_urls: &str, salt: u64) -> u64 {
    let basis = 0xcbf2_9ce4_8422_2325_u64 ^ salt;
    let hash =
        peer_urls.bytes().fold(basis, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash.max(1)
}
