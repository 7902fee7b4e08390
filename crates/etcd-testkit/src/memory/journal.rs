//! What was served, for assertions.

use std::collections::VecDeque;
use std::sync::Arc;

use http::{Method, Request, StatusCode};

use super::engine::Engine;
use super::fault::Fault;

/// What a server in memory has been asked, in the order in which the heads of the requests came in.
///
/// An entry stands from the arrival of a request on and says what has become of it so far; one of a request that
/// is still under way changes. Refusals of a dead member are in it as well, which no rule counts; connections
/// that a closed port refuses are not. It keeps the last 10,000 requests and counts those before. Cheap to
/// clone; all clones see the same log.
#[derive(Clone, Debug)]
pub struct Log {
    engine: Arc<Engine>,
}

/// One request, and what became of it by the time the log was read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogEntry {
    /// Counts requests from 0, also those that the log has forgotten.
    pub number: u64,
    /// The member that it was sent to.
    pub member: usize,
    /// Its method, of which the first 32 bytes are kept.
    pub method: Method,
    /// Its path and query as they were sent, of which the first KiB is kept.
    pub target: String,
    /// Whether the store has carried it out with success, **whether or not the client was told**. A watch counts
    /// as carried out when it is opened. It may turn true after the client was answered or has left:
    /// [`Fault::ApplyLater`], [`StalledWrites::LandLater`](super::StalledWrites::LandLater).
    pub applied: bool,
    /// What the client was told.
    pub reply: Reply,
    /// The status that went to the client; `None` as long as there is none.
    pub status: Option<StatusCode>,
    /// The fault that it met.
    pub fault: Option<Fault>,
}

/// What the client of a request was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reply {
    /// Nothing yet: the request is under way, or hangs.
    #[default]
    Pending,
    /// A status. Whether its body came through is not noted.
    Answered,
    /// The connection was refused: the member is dead, or by [`Fault::Refuse`].
    Refused,
    /// The connection was ended before the answer, by a fault or by the death of the member.
    Cut,
    /// The client left before the answer, or its body failed on the way.
    Abandoned,
}

/// The log itself.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<LogEntry>,
    count: u64,
    /// How often it was cleared.
    clears: u64,
}

/// An entry of the journal, for amending it. It may be forgotten by then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntryId {
    clears: u64,
    number: u64,
}

impl Log {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// The entries that are kept, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<LogEntry> {
        self.engine.with(|state| state.journal.entries.iter().cloned().collect())
    }

    /// How many requests there were since the start or the last [`clear`](Self::clear).
    #[must_use]
    pub fn count(&self) -> u64 {
        self.engine.with(|state| state.journal.count)
    }

    /// Forgets all, and counts from 0 again. What becomes of requests that are under way is not noted then.
    pub fn clear(&self) {
        self.engine.with(|state| state.journal.clear());
    }
}

impl LogEntry {
    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&*self.target, |(path, _)| path)
    }
}

impl Journal {
    /// Adds a request that has just come in; it gets the next number.
    pub(crate) fn push(&mut self, member: usize, request: &Request<()>) -> EntryId {
        let number = self.count;
        self.count += 1;
        if self.entries.len() >= CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(LogEntry {
            number,
            member,
            method: shortened(request.method()),
            target: start(request.uri().path_and_query().map_or("/", |target| target.as_str())).to_owned(),
            applied: false,
            reply: Reply::Pending,
            status: None,
            fault: None,
        });
        EntryId { clears: self.clears, number }
    }

    /// Has an entry say more, if it is still there.
    pub(crate) fn amend(&mut self, id: EntryId, amend: impl FnOnce(&mut LogEntry)) {
        if id.clears != self.clears {
            return;
        }
        let first = self.entries.front().map_or(0, |entry| entry.number);
        let place = id.number.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        if let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) {
            amend(entry);
        }
    }

    fn clear(&mut self) {
        *self = Self { clears: self.clears + 1, ..Self::default() };
    }
}

/// What is kept of a target, so that the log is bounded by bytes as well.
fn start(target: &str) -> &str {
    let end = (0..=MAX_TARGET).rev().find(|end| target.is_char_boundary(*end)).unwrap_or_default();
    target.get(..end).unwrap_or(target)
}

/// A method as it is kept: an extension may be as long as a head.
fn shortened(method: &Method) -> Method {
    let kept = method.as_str().as_bytes().get(..MAX_METHOD);
    // The start of a token is a token.
    kept.and_then(|kept| Method::from_bytes(kept).ok()).unwrap_or_else(|| method.clone())
}

const CAPACITY: usize = 10_000;

/// Bytes of a target that are kept.
const MAX_TARGET: usize = 1024;

/// Bytes of a method that are kept.
const MAX_METHOD: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn push(journal: &mut Journal) -> EntryId {
        journal.push(0, &Request::new(()))
    }

    #[test]
    fn a_long_target_is_cut_between_characters() {
        assert_eq!(start(&("/".to_owned() + &"ü".repeat(1000))).len(), 1023);
        assert_eq!(start("/a"), "/a");
        assert_eq!(start(""), "");
    }

    #[test]
    fn a_long_method_is_cut() {
        let mut journal = Journal::default();
        for (length, kept) in [(33, 32), (32, 32), (10_000, 32)] {
            let method = "X".repeat(length);
            journal.push(0, &Request::builder().method(&*method).body(()).unwrap());
            assert_eq!(journal.entries.back().unwrap().method.as_str().len(), kept);
        }
        assert_eq!(shortened(&Method::PUT), Method::PUT);
    }

    #[test]
    fn an_amendment_reaches_its_own_entry_or_none() {
        let mut journal = Journal::default();
        let first = push(&mut journal);
        for _ in 1..CAPACITY {
            push(&mut journal);
        }
        journal.amend(first, |entry| entry.applied = true);
        assert!(journal.entries[0].applied);
        let last = push(&mut journal);
        journal.amend(first, |entry| entry.applied = true);
        assert!(!journal.entries[0].applied, "the first one is forgotten");
        journal.amend(last, |entry| entry.applied = true);
        assert!(journal.entries.back().unwrap().applied);
    }

    #[test]
    fn an_amendment_from_before_the_clearing_is_void() {
        let mut journal = Journal::default();
        let old = push(&mut journal);
        journal.clear();
        let new = push(&mut journal);
        journal.amend(old, |entry| entry.applied = true);
        assert!(!journal.entries[0].applied);
        assert_eq!((new.number, journal.count), (0, 1));
    }
}
