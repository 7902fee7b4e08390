//! The members of the cluster.

use serde::Serialize;

use super::lag::Lag;
use super::stats::Counters;
use super::watch::Hub;

/// What a member can reach of the rest.
///
/// Where it cannot commit, writes, reads by consensus and changes of members and users get no answer from it for
/// 7 s, and then an error that says nothing about the outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contact {
    /// The leader and a majority.
    #[default]
    Connected,
    /// No majority, while it still believes in the leader it had: so for about 1 s after a loss.
    NoQuorum,
    /// No majority, and it knows that it has no leader.
    NoLeader,
}

/// A member as `/v2/members` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MemberInfo {
    /// Its id in hexadecimal.
    pub id: String,
    /// Its name; empty until it was started.
    pub name: String,
    /// Where other members would reach it.
    #[serde(rename = "peerURLs")]
    pub peer_urls: Vec<String>,
    /// Where clients reach it.
    #[serde(rename = "clientURLs")]
    pub client_urls: Vec<String>,
}

/// One member with all that is its own.
#[derive(Debug)]
pub(crate) struct Member {
    /// Never 0, which etcd keeps for "no member".
    pub(crate) id: u64,
    /// Empty until its process has run: so it is told from the others in `/v2/members`.
    pub(crate) name: String,
    /// Where other members would reach it. No two members may share one (409).
    pub(crate) peer_urls: Vec<String>,
    /// What it advertises to clients, right or wrong; etcd does not check it.
    pub(crate) client_urls: Vec<String>,
    /// Whether its process has run; one that was only added has not.
    pub(crate) is_started: bool,
    /// A removed member keeps its place, so that the others keep theirs.
    pub(crate) is_removed: bool,
    /// What it can reach of the rest.
    pub(crate) contact: Contact,
    /// The leader that it believed in when it lost the contact.
    pub(crate) last_leader: Option<usize>,
    /// The watches that were opened at it; they live and die with it.
    pub(crate) hub: Hub,
    /// What it shows in `/v2/stats/store`.
    pub(crate) counters: Counters,
    /// `None` while it follows the log.
    pub(crate) lag: Option<Lag>,
}

impl Member {
    /// A member that was added and has not run yet. It counts for the majority from then on, so one that is added
    /// to a single member stops all writes until it runs.
    pub(crate) fn unstarted(id: u64, peer_urls: Vec<String>) -> Self {
        Self {
            id,
            name: String::new(),
            peer_urls,
            client_urls: Vec::new(),
            is_started: false,
            is_removed: false,
            contact: Contact::Connected,
            last_leader: None,
            hub: Hub::default(),
            counters: Counters::default(),
            lag: None,
        }
    }

    /// A running member.
    pub(crate) fn started(id: u64, name: String, peer_urls: Vec<String>, client_urls: Vec<String>) -> Self {
        Self { name, client_urls, is_started: true, ..Self::unstarted(id, peer_urls) }
    }

    /// Its id as etcd writes it: hexadecimal, small letters, no zeros in front.
    pub(crate) fn hex_id(&self) -> String {
        format!("{:x}", self.id)
    }

    /// As `/v2/members` shows it.
    pub(crate) fn info(&self) -> MemberInfo {
        MemberInfo {
            id: self.hex_id(),
            name: self.name.clone(),
            peer_urls: self.peer_urls.clone(),
            client_urls: self.client_urls.clone(),
        }
    }
}
