//! What goes from the driver of a watch to its stream.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use etcd_proto::v2::Index;
use tokio::time::Instant;

use super::{WatchItem, WatchState};
use crate::{Error, Result};

/// The place between the driver and the stream, which polls it: both run in the same task, one after the other,
/// so nobody has to be woken.
#[derive(Clone, Debug)]
pub(super) struct Outbox(Arc<Mutex<Content>>);

#[derive(Debug)]
struct Content {
    items: VecDeque<Result<WatchItem>>,
    /// How many items may wait.
    capacity: usize,
    state: WatchState,
    /// Since a failure, until a member answers: whatever is tried meanwhile, there is no connection.
    is_cut_off: bool,
    /// What the driver wants next.
    wanted: Index,
    /// What the consumer has not been given yet.
    undelivered: Index,
    cluster_id: Option<Box<str>>,
    /// When a member last answered.
    answered_at: Option<Instant>,
}

impl Outbox {
    pub(super) fn new(capacity: usize, wanted: Index, cluster_id: Option<Box<str>>) -> Self {
        Self(Arc::new(Mutex::new(Content {
            items: VecDeque::new(),
            capacity: capacity.max(1),
            state: WatchState::Starting,
            is_cut_off: false,
            wanted,
            undelivered: wanted,
            cluster_id,
            answered_at: None,
        })))
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item in, and waits until the consumer has left room for another.
    pub(super) async fn put(&self, item: WatchItem) {
        self.content().items.push_back(Ok(item));
        poll_fn(|_| {
            let content = self.content();
            // Nobody wakes this: the stream polls the driver again whenever it has taken something.
            if content.items.len() < content.capacity { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Puts the last item in.
    pub(super) fn end(&self, error: Error) {
        let mut content = self.content();
        content.items.push_back(Err(error));
        content.state = WatchState::Ended;
    }

    /// Takes the next item, and notes how far the consumer is.
    pub(super) fn take(&self) -> Option<Result<WatchItem>> {
        let mut content = self.content();
        let item = content.items.pop_front()?;
        if let Ok(item) = &item {
            content.undelivered = item.index().next();
        }
        Some(item)
    }

    /// Whether the driver should go on before the consumer is given what waits.
    pub(super) fn has_room(&self) -> bool {
        let content = self.content();
        content.items.len() < content.capacity.div_ceil(2)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.content().items.is_empty()
    }

    /// Where the watch is, as the caller is told.
    pub(super) fn state(&self) -> WatchState {
        let content = self.content();
        match content.state {
            state @ WatchState::Ended => state,
            _ if content.is_cut_off => WatchState::Reconnecting,
            state => state,
        }
    }

    pub(super) fn set_state(&self, state: WatchState) {
        self.content().state = state;
    }

    /// Notes what the driver wants next: all before is in here, or is nobody's business.
    pub(super) fn want(&self, next: Index) {
        self.content().wanted = next;
    }

    /// The first index that the consumer has not been given.
    pub(super) fn undelivered(&self) -> Index {
        let content = self.content();
        // With nothing waiting, what the driver has left out counts as delivered.
        if content.items.is_empty() { content.wanted } else { content.undelivered }
    }

    pub(super) fn cluster_id(&self) -> Option<Box<str>> {
        self.content().cluster_id.clone()
    }

    /// The connection is lost.
    pub(super) fn cut_off(&self) {
        self.content().is_cut_off = true;
    }

    /// A member has answered just now.
    pub(super) fn answered(&self) {
        let mut content = self.content();
        content.answered_at = Some(Instant::now());
        content.is_cut_off = false;
    }

    /// When a member last answered.
    pub(super) fn answered_at(&self) -> Option<Instant> {
        self.content().answered_at
    }

    /// Learns the cluster's id from the first answer that has one; `false` if it is another than before.
    pub(super) fn is_same_cluster(&self, id: Option<&str>) -> bool {
        let mut content = self.content();
        match (id, &content.cluster_id) {
            (Some(id), Some(known)) => known.eq_ignore_ascii_case(id),
            (Some(id), None) => {
                content.cluster_id = Some(id.into());
                true
            }
            (None, _) => true,
        }
    }
}
