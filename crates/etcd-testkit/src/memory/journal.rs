//! What was served, for assertions.

use std::collections::VecDeque;
use std::sync::Arc;

use http::{Method, StatusCode};

use super::engine::Engine;
use super::fault::Fault;

/// What a server in memory has served, in the order in which it decided on each request.
///
/// It keeps the last 10,000 requests and counts those before. Cheap to clone; all clones see the same log.
#[derive(Clone, Debug)]
pub struct Log {
    engine: Arc<Engine>,
}

/// One request, and what became of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogEntry {
    /// Counts requests from 0, also those that the log has forgotten.
    pub number: u64,
    /// The member that it was sent to.
    pub member: usize,
    /// Its method.
    pub method: Method,
    /// Its path and query as they were sent, of which the first KiB is kept.
    pub target: String,
    /// Whether the store carried it out with success, **whether or not the client was told**. A watch counts as
    /// carried out when it is opened.
    pub applied: bool,
    /// The status that goes to the client; `None` if it gets none.
    pub status: Option<StatusCode>,
    /// The fault that it met.
    pub fault: Option<Fault>,
}

/// The log itself.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<LogEntry>,
    count: u64,
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

    /// Forgets all, and counts from 0 again.
    pub fn clear(&self) {
        self.engine.with(|state| state.journal = Journal::default());
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
    /// Adds an entry, which gets the next number.
    pub(crate) fn push(&mut self, mut entry: LogEntry) {
        entry.number = self.count;
        shorten(&mut entry.target);
        self.count += 1;
        if self.entries.len() >= CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }
}

/// Cuts a target to what is kept, so that the log is bounded by bytes as well.
fn shorten(target: &mut String) {
    if target.len() > MAX_TARGET {
        let end = (0..=MAX_TARGET).rev().find(|end| target.is_char_boundary(*end)).unwrap_or_default();
        target.truncate(end);
        target.shrink_to_fit();
    }
}

const CAPACITY: usize = 10_000;

/// Bytes of a target that are kept.
const MAX_TARGET: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_target_is_cut_between_characters() {
        let mut target = "/".to_owned() + &"ü".repeat(1000);
        shorten(&mut target);
        assert_eq!(target.len(), 1023);
        let mut short = "/a".to_owned();
        shorten(&mut short);
        assert_eq!(short, "/a");
    }
}
