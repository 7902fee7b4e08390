//! The watchers of one member.
//!
//! Each member has its own, and tells them as it applies the log. A watch outlives a change of the leader; it ends
//! with the member's process. There is no limit on their number and no keep-alive: one whose member has lost the
//! majority is silent, and looks like one to which nothing happens.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use super::event::Event;
use super::path;
use crate::memory::Quirks;

/// How long a watch lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchMode {
    /// One event, then the body ends: a long poll. Between two of them nothing is lost if the second one asks for
    /// the index after the first one's event, unless 1000 others have come.
    Poll,
    /// Every event; the body never ends by itself. A reader that falls 100 events behind is dropped without a word
    /// ([`Quirks::streams_overflow`]).
    Stream,
}

/// The watchers of one member.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    watchers: HashMap<u64, Watcher>,
    /// Those that wait for events. The numbers grow, so this is also the order in which they came.
    waiting: BTreeMap<Bytes, BTreeSet<u64>>,
    waiting_count: u64,
    /// Those that have got something since they were last asked for, in the order in which they got it.
    woken: BTreeMap<u64, u64>,
    next_place: u64,
    next: u64,
}

/// What is watched, and how.
#[derive(Clone, Debug)]
pub(crate) struct WatchRequest {
    /// The canonical path. Nothing need be there yet.
    pub(crate) key: Bytes,
    /// Whether what is below counts, hidden keys apart. Without it a directory's watch does not hear of its children.
    pub(crate) recursive: bool,
    /// How long it lasts.
    pub(crate) mode: WatchMode,
    /// The first index that is wanted; 0, like none at all, means from now on.
    pub(crate) since: u64,
}

#[derive(Debug)]
struct Watcher {
    request: WatchRequest,
    /// Unread events; bounded by [`Quirks::stream_buffer`].
    unread: VecDeque<Arc<Event>>,
    /// Index of the last event that it got.
    last: u64,
    /// Its place among the woken, if it is one.
    woken_at: Option<u64>,
}

impl Hub {
    /// A new watcher. Events that are known already are readable at once; with `waits` more may come.
    pub(crate) fn open(&mut self, request: WatchRequest, known: Vec<Arc<Event>>, waits: bool) -> u64 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        if waits {
            self.waiting.entry(request.key.clone()).or_default().insert(number);
            self.waiting_count += 1;
        }
        let last = known.last().map_or(0, |event| event.index());
        let mut watcher = Watcher { request, unread: known.into(), last, woken_at: None };
        if !watcher.unread.is_empty() {
            wake(number, &mut watcher, &mut self.woken, &mut self.next_place);
        }
        self.watchers.insert(number, watcher);
        number
    }

    /// Forgets a watcher.
    pub(crate) fn close(&mut self, number: u64) {
        if let Some(watcher) = self.watchers.remove(&number) {
            self.stop_waiting(number, &watcher.request.key);
            if let Some(place) = watcher.woken_at {
                self.woken.remove(&place);
            }
        }
    }

    /// The next unread event. A poll that has given its event is forgotten.
    pub(crate) fn read(&mut self, number: u64) -> Option<Arc<Event>> {
        let watcher = self.watchers.get_mut(&number)?;
        let event = watcher.unread.pop_front()?;
        if watcher.request.mode == WatchMode::Poll {
            self.close(number);
        }
        Some(event)
    }

    /// Those that have got something since the last call, in that order.
    pub(crate) fn take_woken(&mut self) -> Vec<u64> {
        let woken: Vec<u64> = std::mem::take(&mut self.woken).into_values().collect();
        for number in &woken {
            if let Some(watcher) = self.watchers.get_mut(number) {
                watcher.woken_at = None;
            }
        }
        woken
    }

    /// How many wait for events; one that the server has dropped without a word does not.
    pub(crate) fn waiting_count(&self) -> u64 {
        self.waiting_count
    }

    /// Watched paths at or below `removed`, for the caller to sort out those that exist.
    ///
    /// Deepest first: a directory's watchers are told after those of its children.
    pub(crate) fn watched_below(&self, removed: &Bytes) -> Vec<Bytes> {
        let mut below = path::join(removed, b"").to_vec();
        let from = Bytes::copy_from_slice(&below);
        // The byte after the slash bounds all paths that start with the slash.
        below.pop();
        below.push(b'/' + 1);
        let range = (Bound::Excluded(from), Bound::Excluded(Bytes::from(below)));
        let mut paths: Vec<Bytes> =
            self.waiting.range::<Bytes, _>(range).map(|(path, _)| path.clone()).collect();
        paths.extend(self.waiting.contains_key(removed).then(|| removed.clone()));
        paths.sort_by_key(|path| std::cmp::Reverse(path::elements(path).count()));
        paths
    }

    /// Tells the watchers of a path that was removed with the event's node, or is that node.
    pub(crate) fn notify_removed(&mut self, event: &Arc<Event>, removed: &Bytes, quirks: Quirks) {
        self.notify_path(event, removed, true, quirks);
    }

    /// Tells the watchers of the event's key and of all directories above it, from the root down. Those above hear
    /// of it if they are recursive and no element below them is hidden.
    pub(crate) fn notify(&mut self, event: &Arc<Event>, quirks: Quirks) {
        if self.waiting.is_empty() {
            return;
        }
        let key = &event.node.key;
        self.notify_path(event, &Bytes::from_static(b"/"), false, quirks);
        for (_, end) in path::elements(key) {
            self.notify_path(event, &path::prefix(key, end), false, quirks);
        }
    }

    /// Tells the watchers of one path, in the order in which they came.
    fn notify_path(&mut self, event: &Arc<Event>, watched: &Bytes, removed: bool, quirks: Quirks) {
        let Some(numbers) = self.waiting.get(watched) else { return };
        let key = &event.node.key;
        // Where the watched path lies below a removed directory nothing counts as hidden.
        let hidden = path::relative(key, watched).is_some_and(path::has_hidden_element);
        if hidden {
            return;
        }
        let is_own_key = key == watched;
        let mut done = Vec::new();
        for number in numbers {
            let Some(watcher) = self.watchers.get_mut(number) else { continue };
            let wants = watcher.request.recursive || is_own_key || removed;
            if !wants || event.index() < watcher.request.since {
                continue;
            }
            if !quirks.doubled_deletes && watcher.last == event.index() {
                continue;
            }
            // etcd drops a full watcher without a word: what is unread stays readable, nothing more comes.
            if watcher.unread.len() >= quirks.stream_buffer() {
                done.push(*number);
                continue;
            }
            watcher.last = event.index();
            watcher.unread.push_back(Arc::clone(event));
            wake(*number, watcher, &mut self.woken, &mut self.next_place);
            if watcher.request.mode == WatchMode::Poll {
                done.push(*number);
            }
        }
        for number in done {
            self.stop_waiting(number, watched);
        }
    }

    /// A watcher that waits no longer; what it has not read stays.
    fn stop_waiting(&mut self, number: u64, key: &Bytes) {
        let Some(numbers) = self.waiting.get_mut(key) else { return };
        if numbers.remove(&number) {
            self.waiting_count = self.waiting_count.saturating_sub(1);
        }
        if numbers.is_empty() {
            self.waiting.remove(key);
        }
    }
}

/// Notes that a watcher has got something, unless that is noted already.
fn wake(number: u64, watcher: &mut Watcher, woken: &mut BTreeMap<u64, u64>, next_place: &mut u64) {
    if watcher.woken_at.is_none() {
        woken.insert(*next_place, number);
        watcher.woken_at = Some(*next_place);
        *next_place = next_place.saturating_add(1);
    }
}
