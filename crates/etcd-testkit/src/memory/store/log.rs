//! The log that all members apply.
//!
//! What goes through it happens at every member in the same order, and so with the same indexes. Users, members and
//! the leader are beside it: no member is ever stale in these (in etcd they go through the same log).

use std::sync::Arc;

use bytes::Bytes;

use super::command::Command;
use super::error::KeysError;
use super::event::Event;
use super::keyspace::{Keyspace, Scene};
use super::stats::{Counted, Counters};

/// One entry of the log.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// A client's change of the keys, or its read by consensus.
    Command(Command),
    /// The end of all keys whose time has come by then: etcd's `SYNC`, which only a leader proposes. Hence nothing
    /// expires without one.
    Expire(i64),
    /// The end of one key, by a test's will.
    ExpireKey(Bytes),
    /// A write of the server itself: it takes an index and counts, and no client can see it.
    Step(Counted),
    /// The end of the history, by a test's will. It takes no index, as the two that follow.
    ClearHistory,
    /// Another index, by a test's will.
    SetIndex(u64),
    /// All keys as they once were, by a test's will.
    Restore(Arc<Keyspace>),
}

/// What an entry has done.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The event for the client; `None` where there is none to show.
    pub(crate) result: Result<Option<Arc<Event>>, KeysError>,
    /// How many keys and directories have expired, each counted once whatever was in it.
    pub(crate) expired: u64,
}

impl Entry {
    /// Applies the entry. The same entries in the same order give the same keys, whatever member applies them and when.
    pub(crate) fn apply(&self, keyspace: &mut Keyspace, scene: &mut Scene<'_, '_>) -> Outcome {
        let mut expired = 0;
        let result = match self {
            Self::Command(command) => keyspace.apply(command, scene),
            Self::Expire(cutoff) => {
                expired = keyspace.expire(*cutoff, scene);
                Ok(None)
            }
            Self::ExpireKey(key) => {
                let done = keyspace.expire_key(key, scene);
                expired = u64::from(done.is_ok());
                done.map(|()| None)
            }
            Self::Step(_) => {
                keyspace.step();
                Ok(None)
            }
            Self::ClearHistory => {
                keyspace.history.clear(keyspace.index);
                Ok(None)
            }
            Self::SetIndex(index) => {
                keyspace.index = *index;
                keyspace.history.clear(*index);
                Ok(None)
            }
            Self::Restore(snapshot) => {
                keyspace.clone_from(snapshot);
                Ok(None)
            }
        };
        Outcome { result, expired }
    }

    /// Counts the entry at a member that has applied it: `/v2/stats/store` is each member's own, and a write counts
    /// at all of them.
    pub(crate) fn count(&self, outcome: &Outcome, counters: &mut Counters) {
        counters.count_expired(outcome.expired);
        match (self, &outcome.result) {
            (Self::Command(command), Ok(_)) => counters.count(command.counted(), true),
            (Self::Command(command), Err(error)) => {
                counters.count(command.counted(), command.counts_as_success(error));
                if command.counts_failed_set(error) {
                    counters.count(Counted::Set, false);
                }
            }
            (Self::Step(counted), _) => counters.count(*counted, true),
            (
                Self::Expire(_)
                | Self::ExpireKey(_)
                | Self::ClearHistory
                | Self::SetIndex(_)
                | Self::Restore(_),
                _,
            ) => {}
        }
    }

    /// About how many bytes of memory the entry holds on to.
    pub(crate) fn weight(&self) -> usize {
        let own = match self {
            Self::Command(command) => command.weight(),
            Self::ExpireKey(key) => key.len(),
            Self::Restore(snapshot) => snapshot.tree.len().saturating_mul(size_of::<Self>()),
            Self::Expire(_) | Self::Step(_) | Self::ClearHistory | Self::SetIndex(_) => 0,
        };
        own.saturating_add(size_of::<Self>())
    }
}
