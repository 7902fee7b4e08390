//! What a proxy has seen.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode, Uri};

use super::Fault;

/// What a proxy has seen, for assertions. Cheap to clone; all clones are the same log.
///
/// It keeps the last 10,000 requests. An entry is there when the head of its request has been read, and grows
/// while the request goes on.
#[derive(Clone, Debug, Default)]
pub struct Log {
    journal: Arc<Mutex<Journal>>,
}

/// A request that a proxy has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// Which connection it came on, from 1.
    pub connection: u64,
    /// Its method.
    pub method: Method,
    /// Path and query as they were sent, the first KiB.
    pub target: String,
    /// What it met.
    pub fault: Option<Fault>,
    /// Whether it was handed to a live connection to the server: a server can have applied no other.
    pub forwarded: bool,
    /// Bytes of its body that were handed on.
    pub body_bytes: u64,
    /// The server's status, once the head of the server's answer has come to the proxy.
    pub answered: Option<StatusCode>,
    /// The status that the client was given, once the answer's head was handed to its connection.
    pub status: Option<StatusCode>,
}

#[derive(Debug, Default)]
struct Journal {
    entries: VecDeque<LogEntry>,
    /// How many entries were removed from the front.
    removed: u64,
    seen: u64,
}

/// Where a request's entry is.
#[derive(Clone, Debug)]
pub(super) struct Record {
    log: Log,
    number: u64,
}

// === impl Log ===

impl Log {
    /// The requests that are kept, in the order in which their heads were read.
    #[must_use]
    pub fn entries(&self) -> Vec<LogEntry> {
        self.lock().entries.iter().cloned().collect()
    }

    /// How many requests were seen since the start, also those that are not kept.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.lock().seen
    }

    /// How many of the requests that are kept were handed to the server, with this method and a path that is
    /// just this: "the write was sent once".
    ///
    /// # Examples
    /// ```no_run
    /// # let proxy: etcd_testkit::proxy::Proxy = todo!();
    /// assert_eq!(proxy.log().forwarded(&http::Method::PUT, "/v2/keys/jobs/1"), 1);
    /// ```
    #[must_use]
    pub fn forwarded(&self, method: &Method, path: &str) -> usize {
        self.matching(|entry| entry.forwarded && entry.is(method, path))
    }

    /// How many of the requests that are kept a client has sent, with this method and a path that is just this:
    /// how many attempts it has made.
    #[must_use]
    pub fn attempts(&self, method: &Method, path: &str) -> usize {
        self.matching(|entry| entry.is(method, path))
    }

    /// Forgets the requests. One that is under way is not written down any further.
    pub fn clear(&self) {
        let mut journal = self.lock();
        journal.removed += journal.entries.len() as u64;
        journal.entries.clear();
    }

    pub(super) fn record(&self, connection: u64, method: &Method, uri: &Uri, fault: Option<Fault>) -> Record {
        let target: String =
            uri.path_and_query().map_or("", |target| target.as_str()).chars().take(KIB).collect();
        let mut journal = self.lock();
        if journal.entries.len() == KEPT {
            journal.entries.pop_front();
            journal.removed += 1;
        }
        journal.entries.push_back(LogEntry {
            connection,
            method: method.clone(),
            target,
            fault,
            forwarded: false,
            body_bytes: 0,
            answered: None,
            status: None,
        });
        journal.seen += 1;
        Record { log: self.clone(), number: journal.removed + journal.entries.len() as u64 - 1 }
    }

    fn matching(&self, is_meant: impl Fn(&LogEntry) -> bool) -> usize {
        self.lock().entries.iter().filter(|entry| is_meant(entry)).count()
    }

    fn lock(&self) -> MutexGuard<'_, Journal> {
        // Counts may be off by one after a panic inside, which has no code that panics.
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl LogEntry ===

impl LogEntry {
    /// The path, without a query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    fn is(&self, method: &Method, path: &str) -> bool {
        self.method == *method && self.path() == path
    }
}

// === impl Record ===

impl Record {
    /// Writes something down, unless the entry was removed.
    pub(super) fn note(&self, note: impl FnOnce(&mut LogEntry)) {
        let mut journal = self.log.lock();
        let index = self.number.checked_sub(journal.removed).and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| journal.entries.get_mut(index)) {
            note(entry);
        }
    }
}

const KEPT: usize = 10_000;
const KIB: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_keeps_the_last_entries_and_writes_to_the_right_ones() {
        let log = Log::default();
        let record = |path: &'static str| log.record(1, &Method::GET, &Uri::from_static(path), None);
        let oldest = record("/oldest");
        for _ in 1..KEPT {
            record("/a");
        }
        let newest = record("/newest?x=1");
        oldest.note(|entry| entry.forwarded = true);
        newest.note(|entry| entry.forwarded = true);
        assert_eq!(log.entries().len(), KEPT);
        assert_eq!(log.count(), KEPT as u64 + 1);
        assert_eq!(log.forwarded(&Method::GET, "/newest"), 1);
        assert_eq!(log.matching(|entry| entry.forwarded), 1);
    }
}
