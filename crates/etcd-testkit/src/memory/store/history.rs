//! The last events of the store.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use etcd_proto::v2::ErrorCode;

use super::error::KeysError;
use super::event::Event;
use super::path;
use crate::memory::Quirks;

/// The last 1000 events of the whole store, in order of their indexes.
///
/// It is what `waitIndex` looks in. The 1000 are shared by all keys, refreshes and the server's own writes, so
/// traffic elsewhere pushes out what a slow watcher still wants: it is refused with 401 then, and has to read anew.
#[derive(Clone, Debug)]
pub(crate) struct History {
    entries: VecDeque<Entry>,
    /// The oldest index that a watch may ask for.
    start: u64,
    /// Index of the newest entry.
    last: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    index: u64,
    /// `None` for a write of the server itself, which nobody sees but which takes a place.
    event: Option<Arc<Event>>,
}

impl History {
    /// A history whose events up to `index` were the server's own: a watch from 1 on is answered, and finds nothing.
    pub(crate) fn new(index: u64) -> Self {
        let mut history = Self { entries: VecDeque::new(), start: 1, last: 0 };
        for index in index.saturating_sub(CAPACITY_U64)..index {
            history.push_internal(index.saturating_add(1));
        }
        history
    }

    /// Keeps an event; the oldest one goes where there are 1000.
    pub(crate) fn push(&mut self, event: Arc<Event>) {
        self.push_entry(Entry { index: event.index(), event: Some(event) });
    }

    /// Takes a place for a write of the server itself.
    pub(crate) fn push_internal(&mut self, index: u64) {
        self.push_entry(Entry { index, event: None });
    }

    /// Forgets all events; the oldest index that may be asked for is the one after `index`. In etcd a
    /// thousand later events do that; a test need not make them.
    pub(crate) fn clear(&mut self, index: u64) {
        self.entries.clear();
        self.start = index.saturating_add(1);
        self.last = index;
    }

    /// The first event from `since` on that a watch on `key` gets, and `None` if there is none yet.
    ///
    /// This matches more than a live watch does, see [`Quirks`]: hidden keys, and any path that starts with the
    /// text of a removed directory's key.
    pub(crate) fn scan(
        &self,
        key: &[u8],
        recursive: bool,
        since: u64,
        quirks: Quirks,
    ) -> Result<Option<Arc<Event>>, KeysError> {
        if since < self.start {
            let cause = format!("the requested history has been cleared [{}/{since}]", self.start);
            return Err(KeysError::of_request(ErrorCode::EventIndexCleared, Bytes::from(cause)));
        }
        if since > self.last {
            return Ok(None);
        }
        let from = self.entries.partition_point(|entry| entry.index < since);
        let found = self
            .entries
            .range(from..)
            .filter_map(|entry| entry.event.as_ref())
            .find(|event| !event.is_refresh && matches(event, key, recursive, quirks));
        Ok(found.map(Arc::clone))
    }

    fn push_entry(&mut self, entry: Entry) {
        if self.entries.len() >= CAPACITY {
            self.entries.pop_front();
        }
        self.last = entry.index;
        self.entries.push_back(entry);
        self.start = self.entries.front().map_or(self.last, |oldest| oldest.index);
    }
}

/// Whether a watch gets an event of the history. It is the event's own directory flag that counts, not what
/// stands there now.
fn matches(event: &Event, key: &[u8], recursive: bool, quirks: Quirks) -> bool {
    let node = &event.node.key;
    let below = path::relative(node, key)
        .is_some_and(|rest| quirks.history_shows_hidden_keys || !path::has_hidden_element(rest));
    if node == key || (recursive && below) {
        return true;
    }
    if !event.removes_directory() {
        return false;
    }
    if quirks.history_matches_siblings { key.starts_with(node) } else { path::relative(key, node).is_some() }
}

/// etcd's own size (0.2 to 3.5).
const CAPACITY: usize = 1000;
const CAPACITY_U64: u64 = 1000;

#[cfg(test)]
mod tests {
    use etcd_proto::v2::Action;

    use super::*;
    use crate::memory::store::event::NodeView;

    fn event(action: Action, key: &str, index: u64, is_dir: bool) -> Arc<Event> {
        let node = NodeView {
            key: Bytes::copy_from_slice(key.as_bytes()),
            value: None,
            is_dir,
            expires: None,
            ttl: 0,
            modified: index,
            created: index,
        };
        Arc::new(Event::new(action, node.clone(), Some(node)))
    }

    fn scan(history: &History, key: &str, recursive: bool, since: u64, quirks: Quirks) -> Option<u64> {
        history.scan(key.as_bytes(), recursive, since, quirks).unwrap().map(|event| event.index())
    }

    #[test]
    fn the_last_thousand_indexes_can_be_asked_for_and_no_older_one() {
        let mut history = History::new(3);
        for index in 4..=1500 {
            history.push(event(Action::Set, "/a", index, false));
        }
        assert_eq!(history.entries.len(), 1000);
        assert_eq!(scan(&history, "/a", false, 501, Quirks::faithful()), Some(501));
        let error = history.scan(b"/a", false, 500, Quirks::faithful()).unwrap_err();
        assert_eq!(error.code, ErrorCode::EventIndexCleared);
        assert_eq!(error.cause, "the requested history has been cleared [501/500]");
        assert_eq!(scan(&history, "/a", false, 1501, Quirks::faithful()), None);
    }

    #[test]
    fn the_servers_own_writes_take_places() {
        let mut history = History::new(2000);
        assert_eq!(history.start, 1001);
        history.push(event(Action::Set, "/a", 2001, false));
        history.push_internal(2002);
        assert_eq!(history.start, 1003);
        assert_eq!(scan(&history, "/a", false, 1003, Quirks::faithful()), Some(2001));
        assert_eq!(scan(&history, "/a", false, 2002, Quirks::faithful()), None);
    }

    #[test]
    fn a_refresh_is_skipped() {
        let mut history = History::new(3);
        let mut refresh = Event::new(Action::Update, event(Action::Set, "/a", 4, false).node.clone(), None);
        refresh.is_refresh = true;
        history.push(Arc::new(refresh));
        history.push(event(Action::Set, "/a", 5, false));
        assert_eq!(scan(&history, "/a", false, 4, Quirks::faithful()), Some(5));
    }

    #[test]
    fn a_removed_directory_matches_every_path_that_starts_with_its_text() {
        let mut history = History::new(3);
        history.push(event(Action::Delete, "/d", 4, true));
        for key in ["/d", "/d/none", "/dzzz"] {
            assert_eq!(scan(&history, key, false, 4, Quirks::faithful()), Some(4), "{key}");
        }
        assert_eq!(scan(&history, "/c", false, 4, Quirks::faithful()), None);
        assert_eq!(scan(&history, "/d/none", false, 4, Quirks::none()), Some(4));
        assert_eq!(scan(&history, "/dzzz", false, 4, Quirks::none()), None);
        let mut history = History::new(3);
        history.push(event(Action::Delete, "/d", 4, false));
        assert_eq!(scan(&history, "/dzzz", false, 4, Quirks::faithful()), None);
    }

    #[test]
    fn hidden_keys_come_out_of_the_history() {
        let mut history = History::new(3);
        history.push(event(Action::Set, "/a/_h/x", 4, false));
        assert_eq!(scan(&history, "/a", true, 4, Quirks::faithful()), Some(4));
        assert_eq!(scan(&history, "/a", true, 4, Quirks::none()), None);
        assert_eq!(scan(&history, "/a/_h", true, 4, Quirks::none()), Some(4));
        assert_eq!(scan(&history, "/a", false, 4, Quirks::faithful()), None);
    }

    #[test]
    fn a_cleared_history_refuses_all_that_has_happened() {
        let mut history = History::new(9);
        history.clear(9);
        assert!(history.scan(b"/a", false, 9, Quirks::faithful()).is_err());
        assert_eq!(scan(&history, "/a", false, 10, Quirks::faithful()), None);
    }
}
