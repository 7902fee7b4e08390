//! One poll or stream, as the server answers it.

use etcd_proto::v2::{Index, keys};

use super::IntoKey;
use crate::v2::{Call, Client};

/// One poll or stream in the making, see [`Client::poll`].
pub type PollKey = Call<keys::Watch>;

impl Client {
    /// Opens one long poll, or one stream, and gives what the server sends, as it is: what
    /// [`Client::watch`] is made of, for those who build something else of it.
    ///
    /// A poll ends after one event, or without one where the server stops. Events of hidden keys and of siblings
    /// come from the history of the server, and a stream can be dropped without a word: see
    /// [`keys::Watch`] for what servers do.
    ///
    /// The client's limits of time do not apply. One that is set on the call limits the wait for the head of the
    /// answer, which etcd sends at once, never the wait for an event.
    ///
    /// # Errors
    /// [`ErrorKind::EventIndexCleared`](crate::ErrorKind::EventIndexCleared) if the server no longer remembers
    /// the wanted index; else as for every call.
    ///
    /// # Cancel safety
    /// May be dropped at any time; its connection is closed.
    pub fn poll(&self, key: impl IntoKey) -> PollKey {
        Call::about(self, super::key(key), |key| Ok(keys::Watch::new(key)))
    }
}

impl Call<keys::Watch> {
    /// Of all below the key too.
    pub fn recursive(self, recursive: bool) -> Self {
        self.with(|watch| watch.recursive = recursive)
    }

    /// From this index on, inclusive; without it what comes from now on.
    pub fn from(self, index: impl Into<Index>) -> Self {
        self.try_with(index.into().to_non_zero(), |watch, index| watch.wait_index = Some(index))
    }

    /// From behind this index on.
    pub fn after(self, index: impl Into<Index>) -> Self {
        let index = index.into();
        // None is what a missing header gives; it must not become "from the very first event on".
        let next = if index.is_none() { Index::NONE } else { index.next() };
        self.from(next)
    }

    /// Asks the server to leave the answer open and send all events.
    pub fn stream(self, stream: bool) -> Self {
        self.with(|watch| watch.stream = stream)
    }
}
