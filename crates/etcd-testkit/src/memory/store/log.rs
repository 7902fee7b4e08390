//! The log that all members apply.

use std::collections::VecDeque;
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
    /// The end of all keys whose time has come by then.
    Expire(i64),
    /// The end of one key, by a test's will.
    ExpireKey(Bytes),
    /// A write of the server itself: it takes an index and counts, and no client can see it.
    Step(Counted),
}

/// What an entry has done.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) result: Result<Option<Arc<Event>>, KeysError>,
    pub(crate) expired: u64,
}

/// The keys as a member knows them that does not follow the log just now.
#[derive(Debug)]
pub(crate) struct Lag {
    pub(crate) keyspace: Keyspace,
    /// What it has missed, each with the time at which it was applied elsewhere.
    missed: VecDeque<(i64, Entry)>,
}

impl Entry {
    /// Applies the entry.
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
        };
        Outcome { result, expired }
    }

    /// Counts the entry at a member that has applied it.
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
            (Self::Expire(_) | Self::ExpireKey(_), _) => {}
        }
    }
}

impl Lag {
    /// A member that stops at `keyspace`.
    pub(crate) fn new(keyspace: Keyspace) -> Self {
        Self { keyspace, missed: VecDeque::new() }
    }

    /// Notes what the member misses.
    pub(crate) fn miss(&mut self, now: i64, entry: Entry) {
        self.missed.push_back((now, entry));
    }

    /// The oldest entry that it has missed.
    pub(crate) fn next(&mut self) -> Option<(i64, Entry)> {
        self.missed.pop_front()
    }

    /// How many entries it is behind.
    pub(crate) fn len(&self) -> usize {
        self.missed.len()
    }
}
