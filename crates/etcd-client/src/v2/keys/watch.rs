//! Waiting for one event of a key.

use etcd_proto::v2::{Index, KeysEvent, WatchResponse, keys};
use futures_util::StreamExt;

use super::IntoKey;
use crate::v2::{Call, Client};
use crate::{Error, ErrorKind, Idempotence, Result};

/// A watch in the making, see [`Client::watch`].
pub type Watch = Call<keys::Watch>;

impl Client {
    /// Watches a key, which need not exist: for one event by [`next_event`](Call::next_event), or for the raw
    /// answer of one poll or stream by awaiting it.
    ///
    /// The client's limits of time do not apply: quiet keys stay quiet for long. One that is set on the call
    /// limits the wait for the head of the answer, which etcd sends at once, never the wait for an event; for
    /// that put `tokio::time::timeout` around it.
    ///
    /// # Errors
    /// [`ErrorKind::EventIndexCleared`](crate::ErrorKind::EventIndexCleared) if the server no longer remembers
    /// the wanted index: events were lost, read the key anew. Else as for every call.
    ///
    /// # Cancel safety
    /// May be dropped at any time; the connection of a poll that has begun is closed.
    #[doc(alias = "etcd_watch")]
    #[doc(alias = "keep_watching")]
    #[doc(alias = "keep_watching_index")]
    #[doc(alias = "watch_until")]
    #[doc(alias = "watchloop")]
    pub fn watch(&self, key: impl IntoKey) -> Watch {
        Call::about(self, super::key(key), |key| Ok(keys::Watch::new(key)))
    }
}

impl Call<keys::Watch> {
    /// Watches all below the key too.
    pub fn recursive(self, recursive: bool) -> Self {
        self.with(|watch| watch.recursive = recursive)
    }

    /// Starts at this index, inclusive; without it at what comes from now on.
    #[doc(alias = "wait_index")]
    pub fn from(self, index: impl Into<Index>) -> Self {
        self.try_with(index.into().to_non_zero(), |watch, index| watch.wait_index = Some(index))
    }

    /// Starts behind this index: `.after(answer.header.etcd_index)` sees all that happens after the answer.
    pub fn after(self, index: impl Into<Index>) -> Self {
        let index = index.into();
        // None is what a missing header gives; it must not become "from the very first event on".
        let next = if index.is_none() { Index::NONE } else { index.next() };
        self.from(next)
    }

    /// Asks the server to leave the answer open and send all events. See [`keys::Watch`] for what servers do
    /// with it.
    pub fn stream(self, stream: bool) -> Self {
        self.with(|watch| watch.stream = stream)
    }

    /// Waits for one event.
    ///
    /// Where the server ends a poll without one, polls again at the same place, so that nothing between the
    /// polls is missed. To see the next event, watch [`after`](Call::after) this one's index: events that come
    /// meanwhile are in the server's history, up to 1000 of the whole store.
    ///
    /// What the server sends is handed on as it is: with an index in the past it also sends events of hidden keys
    /// and deletions of directories whose name starts like the watched key's, and the deletion of a directory
    /// above the key comes under that directory's name.
    ///
    /// # Errors
    /// As [`Client::watch`]; [`ErrorKind::BodyInterrupted`] or
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted) if the connection breaks, or the server ends
    /// poll after poll; [`ErrorKind::NotEtcd`] for an empty answer that has no index of the store either.
    ///
    /// # Cancel safety
    /// May be dropped at any time. With [`from`](Call::from) or [`after`](Call::after), watching again at the same
    /// index misses nothing. Without, each new watch starts at its own "now": take an index from a
    /// [`get`](Client::get) first.
    pub async fn next_event(self) -> Result<KeysEvent> {
        let mut watch = self.stream(false);
        let key = watch.checked()?.key.clone();
        let failed = |error: Error| error.with_idempotence(Idempotence::Read).with_call("watch", Some(&key));
        for _ in 0..EMPTY_POLLS {
            let WatchResponse { header, mut events, .. } = watch.clone().await?;
            if let Some(event) = events.next().await {
                return event.map_err(|error| failed(Error::from_box(error)));
            }
            // From now on meant: from the head of the first poll on.
            let Ok(opened_at) = header.etcd_index.to_non_zero() else {
                return Err(failed(Error::new(ErrorKind::NotEtcd)));
            };
            let next = opened_at.saturating_add(1);
            watch = watch.with(|watch| watch.wait_index = watch.wait_index.or(Some(next)));
        }
        Err(failed(Error::new(ErrorKind::BodyInterrupted)))
    }
}

/// Polls that may end without an event, one after the other, before that counts as a failure of the server.
const EMPTY_POLLS: u32 = 8;
