//! The state of a cluster: everything but HTTP and time.

mod auth;
mod builder;
mod cluster;
mod command;
mod error;
mod event;
mod fault;
mod history;
mod keyspace;
mod lag;
mod log;
mod member;
pub(crate) mod path;
mod read;
mod stats;
mod sync;
mod tree;
mod ttl;
mod watch;

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

pub use self::builder::StoreBuilder;
pub use self::fault::Snapshot;
pub use self::member::{Contact, MemberInfo};
pub use self::watch::WatchMode;

pub(crate) use self::auth::{AuthError, Credentials, Patterns, Permissions, Role, User, UserChange};
pub(crate) use self::cluster::MembersError;
pub(crate) use self::command::{Command, Comparison, Write};
pub(crate) use self::error::KeysError;
pub(crate) use self::event::Event;
pub(crate) use self::stats::Counted;
pub(crate) use self::ttl::expiration;
pub(crate) use self::watch::WatchRequest;

use self::auth::Auth;
use self::keyspace::{Keyspace, Scene};
use self::log::Entry;
use self::member::Member;
use super::{Profile, Quirks};

/// The state of an etcd cluster in memory: keys, watchers, members, users, and the faults put upon it.
///
/// It does no I/O, spawns nothing and never reads a clock: whoever calls it says what time it is. All members of
/// a cluster share one store; each call says which member it was sent to, by its place in the order of
/// building, from 0.
///
/// Requests go in by [`handle`](Self::handle) and come out as an [`Answer`](super::Answer). After each call
/// [`take_woken`](Self::take_woken) names the watches that have something to read; after
/// [`next_sync`](Self::next_sync) something may expire.
///
/// # Examples
/// ```
/// use std::time::SystemTime;
///
/// use bytes::Bytes;
/// use etcd_testkit::memory::{Answer, Store};
///
/// let mut store = Store::builder().members(3).build();
/// let request = http::Request::put("/v2/keys/a?value=1").body(Bytes::new())?;
/// let Answer::Complete(answer) = store.handle(0, &request, SystemTime::now()) else { panic!() };
/// assert_eq!(answer.status(), 201);
/// assert_eq!(answer.headers()["x-etcd-index"], "8");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug)]
pub struct Store {
    profile: Profile,
    quirks: Quirks,
    cluster_id: u64,
    term: u64,
    keyspace: Keyspace,
    members: Vec<Member>,
    removed_ids: BTreeSet<u64>,
    /// The leader as members in contact know it.
    leader: Option<usize>,
    /// The one that led last, while there is none.
    leader_before: Option<usize>,
    leader_since: i64,
    started: i64,
    /// The beat of the sync that was done last.
    last_sync: i64,
    auth: Auth,
}

/// A watch that was opened, until it is read to its end or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatcherId {
    member: usize,
    number: u64,
}

impl Store {
    /// Settings for a new store.
    pub fn builder() -> StoreBuilder {
        StoreBuilder::default()
    }

    /// Which etcd it behaves like.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The etcd index: the number of changes so far.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.keyspace.index
    }

    /// Watches that have got something to read since the last call, each once: member by member, and within a
    /// member in the order in which etcd tells them. For a deletion that is: what was below first, then from the
    /// root down to the key.
    pub fn take_woken(&mut self) -> Vec<WatcherId> {
        let mut woken = Vec::new();
        for (member, slot) in self.members.iter_mut().enumerate() {
            woken.extend(slot.hub.take_woken().into_iter().map(|number| WatcherId { member, number }));
        }
        woken
    }

    /// The next unread event of a watch as it goes on the wire: JSON and a line end.
    ///
    /// `None` if there is nothing to read now, or the watch is unknown. A poll is forgotten when its one event
    /// has been read; its body ends there. At most 100 events wait to be read per watch
    /// ([`Quirks::streams_overflow`]).
    pub fn read_watch(&mut self, watcher: WatcherId) -> Option<Bytes> {
        let event = self.members.get_mut(watcher.member)?.hub.read(watcher.number)?;
        Some(event.line(self.profile))
    }

    /// Forgets a watch whose client has gone away. Unknown ones are ignored.
    pub fn close_watch(&mut self, watcher: WatcherId) {
        if let Some(slot) = self.members.get_mut(watcher.member) {
            slot.hub.close(watcher.number);
        }
    }

    /// How many watches of a member wait for events; 0 for an unknown member.
    #[must_use]
    pub fn watcher_count(&self, member: usize) -> u64 {
        self.members.get(member).map_or(0, |slot| slot.hub.waiting_count())
    }

    /// What `X-Etcd-Cluster-Id` shows (2.0 and later). A client tells by it that another cluster answers.
    pub(crate) fn cluster_id(&self) -> u64 {
        self.cluster_id
    }

    /// What `X-Raft-Term` shows: one more for each new leader.
    pub(crate) fn term(&self) -> u64 {
        self.term
    }

    /// The keys as a member knows them: what local reads and watches see, which may be stale in any etcd.
    pub(crate) fn keys_of(&self, member: usize) -> &Keyspace {
        match self.members.get(member).and_then(|slot| slot.lag.as_ref()) {
            Some(lag) => &lag.keyspace,
            None => &self.keyspace,
        }
    }

    /// The keys as the cluster has agreed on them: what reads by consensus see.
    pub(crate) fn agreed_keys(&self) -> &Keyspace {
        &self.keyspace
    }

    /// Puts a client's command into the log. The caller has made sure that the member can commit.
    pub(crate) fn apply(&mut self, command: Command, now: i64) -> Result<Option<Arc<Event>>, KeysError> {
        self.commit(Entry::Command(command), now)
    }

    /// Opens a watch at a member.
    ///
    /// The scan of the history and the registration are one step, as under etcd's lock: nothing is lost between
    /// them, and `X-Etcd-Index` of a watch that waits says from where on it does.
    ///
    /// A stream that finds an event in the history gets that one and nothing more, for ever: etcd never registers
    /// it ([`Quirks::history_ends_streams`]). An index to come waits for events from there on, so a watch at a
    /// member that lags is safe. The refusal is 401 for an index of which the history knows nothing more.
    pub(crate) fn open_watch(
        &mut self,
        member: usize,
        mut request: WatchRequest,
    ) -> Result<WatcherId, KeysError> {
        let quirks = self.quirks;
        let keyspace = self.keys_of(member);
        if request.since == 0 {
            request.since = keyspace.index.saturating_add(1);
        }
        let scan = |since| {
            keyspace
                .history
                .scan(&request.key, request.recursive, since, quirks)
                .map_err(|error| KeysError { index: keyspace.index, ..error })
        };
        let mut known: Vec<Arc<Event>> = scan(request.since)?.into_iter().collect();
        let mut waits = known.is_empty();
        if request.mode == WatchMode::Stream && !quirks.history_ends_streams {
            waits = true;
            while let Some(event) = known.last().and_then(|last| scan(last.index().saturating_add(1)).ok()?) {
                known.push(event);
            }
        }
        let number = self.members.get_mut(member).map_or(0, |slot| slot.hub.open(request, known, waits));
        Ok(WatcherId { member, number })
    }

    /// Counts a local read at one member.
    pub(crate) fn count_get(&mut self, member: usize, success: bool) {
        if let Some(slot) = self.members.get_mut(member) {
            slot.counters.count(Counted::Get, success);
        }
    }

    /// Applies an entry at all members that follow the log; the others note it for later.
    fn commit(&mut self, entry: Entry, now: i64) -> Result<Option<Arc<Event>>, KeysError> {
        let mut hubs = Vec::with_capacity(self.members.len());
        let mut counters = Vec::with_capacity(self.members.len());
        for slot in &mut self.members {
            match &mut slot.lag {
                Some(lag) => lag.miss(now, entry.clone()),
                None => {
                    hubs.push(&mut slot.hub);
                    counters.push(&mut slot.counters);
                }
            }
        }
        let mut scene = Scene { now, profile: self.profile, quirks: self.quirks, hubs: &mut hubs };
        let outcome = entry.apply(&mut self.keyspace, &mut scene);
        for counters in counters {
            entry.count(&outcome, counters);
        }
        self.bound_lags();
        outcome.result
    }

    /// Counts a call at every member that follows the log.
    fn count_everywhere(&mut self, counted: Counted, success: bool) {
        for slot in self.members.iter_mut().filter(|slot| slot.lag.is_none()) {
            slot.counters.count(counted, success);
        }
    }
}
