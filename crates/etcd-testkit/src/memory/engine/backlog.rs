//! Requests that the cluster carries out later, whoever still waits for them.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use tokio::sync::oneshot::Sender;
use tokio::time::Instant;

use crate::memory::Answer;
use crate::memory::journal::EntryId;

/// Requests that the cluster carries out later, whoever still waits for them.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// By their time, and at the same time in the order in which they came.
    timed: BTreeMap<(Instant, u64), (Held, Sender<Answer>)>,
    /// Writes that wait for a leader. Their clients are answered by others.
    stalled: VecDeque<Held>,
    next: u64,
    /// Of all requests held.
    bytes: usize,
}

/// A request that is held.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) member: usize,
    pub(super) request: Request<Bytes>,
    pub(super) entry: EntryId,
    /// The date at which it came.
    pub(super) asked: SystemTime,
}

impl Backlog {
    /// Has a request wait for a time; its answer goes to `answer`. `false` if there is no room.
    pub(super) fn wait(&mut self, at: Instant, held: Held, answer: Sender<Answer>) -> bool {
        let has_room = self.takes_room(&held);
        if has_room {
            self.timed.insert((at, self.next), (held, answer));
            self.next += 1;
        }
        has_room
    }

    /// Has a write wait for a leader. `false` if there is no room.
    pub(super) fn stall(&mut self, held: Held) -> bool {
        let has_room = self.takes_room(&held);
        if has_room {
            self.stalled.push_back(held);
        }
        has_room
    }

    /// When the first request is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.timed.first_key_value().map(|((at, _), _)| *at)
    }

    /// The first request, if it is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(Held, Sender<Answer>)> {
        let entry = self.timed.first_entry().filter(|entry| entry.key().0 <= now)?;
        let (held, answer) = entry.remove();
        self.bytes = self.bytes.saturating_sub(size(&held.request));
        Some((held, answer))
    }

    /// All writes that wait for a leader, in their order.
    pub(super) fn take_stalled(&mut self) -> VecDeque<Held> {
        let stalled = std::mem::take(&mut self.stalled);
        let bytes: usize = stalled.iter().map(|held| size(&held.request)).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        stalled
    }

    pub(super) fn has_stalled(&self) -> bool {
        !self.stalled.is_empty()
    }

    /// Forgets what waits for its time at members that `is_lost` names, and returns who waits for it.
    pub(super) fn lose(&mut self, mut is_lost: impl FnMut(usize) -> bool) -> Vec<Sender<Answer>> {
        let mut lost = Vec::new();
        for (key, (held, answer)) in std::mem::take(&mut self.timed) {
            if is_lost(held.member) {
                self.bytes = self.bytes.saturating_sub(size(&held.request));
                lost.push(answer);
            } else {
                self.timed.insert(key, (held, answer));
            }
        }
        lost
    }

    fn takes_room(&mut self, held: &Held) -> bool {
        let bytes = self.bytes.saturating_add(size(&held.request));
        let has_room = self.timed.len() + self.stalled.len() < MAX_REQUESTS && bytes <= MAX_BYTES;
        if has_room {
            self.bytes = bytes;
        }
        has_room
    }
}

/// Bytes of a request, about.
fn size(request: &Request<Bytes>) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    request.method().as_str().len() + target + headers.sum::<usize>() + request.body().len()
}

/// How many requests are held.
const MAX_REQUESTS: usize = 10_000;

/// How many bytes they have together: as six of the largest bodies.
const MAX_BYTES: usize = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;
    use crate::memory::journal::Journal;

    fn held(member: usize, body: Bytes) -> Held {
        let entry = Journal::default().push(member, &Request::new(()));
        Held { member, request: Request::new(body), entry, asked: SystemTime::UNIX_EPOCH }
    }

    #[test]
    fn requests_of_one_time_come_out_in_the_order_in_which_they_came() {
        let mut backlog = Backlog::default();
        let now = Instant::now();
        for (member, wait) in [(0, 2), (1, 1), (2, 1), (3, 3)] {
            let at = now + Duration::from_secs(wait);
            assert!(backlog.wait(at, held(member, Bytes::new()), oneshot::channel().0));
        }
        assert_eq!(backlog.next_due(), Some(now + Duration::from_secs(1)));
        let due = std::iter::from_fn(|| backlog.take_due(now + Duration::from_secs(2)));
        assert_eq!(due.map(|(held, _)| held.member).collect::<Vec<_>>(), [1, 2, 0]);
    }

    #[test]
    fn it_is_bounded_by_bytes_and_what_has_left_it_counts_no_more() {
        let mut backlog = Backlog::default();
        let body = Bytes::from(vec![b'a'; MAX_BYTES / 4]);
        let now = Instant::now();
        for _ in 0..3 {
            // A round fills it by what is lost, what stalls and what is due.
            assert!(backlog.wait(now, held(7, body.clone()), oneshot::channel().0));
            assert!(backlog.wait(now, held(0, body.clone()), oneshot::channel().0));
            assert!(backlog.stall(held(0, body.clone())));
            assert!(!backlog.stall(held(0, body.clone())));
            assert_eq!(backlog.lose(|member| member == 7).len(), 1);
            assert!(backlog.take_due(now).is_some());
            assert_eq!(backlog.take_stalled().len(), 1);
        }
    }

    #[test]
    fn it_is_bounded_by_requests() {
        let mut backlog = Backlog::default();
        for _ in 0..MAX_REQUESTS {
            assert!(backlog.stall(held(0, Bytes::new())));
        }
        assert!(!backlog.wait(Instant::now(), held(0, Bytes::new()), oneshot::channel().0));
    }
}
