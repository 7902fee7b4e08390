//! What the parts of one connection leave word of.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::memory::service::Body;

/// What the parts of one connection leave word of: hyper has the service, the body and the socket, and hands
/// none of them out while it runs. All of it happens in the task of the connection.
#[derive(Debug, Default)]
pub(super) struct Link {
    is_reset: AtomicBool,
    /// Whether all that hyper wanted to write is written.
    is_flushed: AtomicBool,
    /// Whether the answer is a watch that has nothing to send, and that can go on without hyper.
    is_idle: AtomicBool,
    /// The body of such an answer, after hyper has dropped it.
    left: Mutex<Option<Body>>,
}

impl Link {
    /// Whether the connection is to be reset at its end.
    pub(super) fn is_reset(&self) -> bool {
        self.is_reset.load(Ordering::Relaxed)
    }

    pub(super) fn reset_if(&self, is_reset: bool) {
        self.is_reset.fetch_or(is_reset, Ordering::Relaxed);
    }

    pub(super) fn set_flushed(&self, is_flushed: bool) {
        self.is_flushed.store(is_flushed, Ordering::Relaxed);
    }

    pub(super) fn set_idle(&self, is_idle: bool) {
        self.is_idle.store(is_idle, Ordering::Relaxed);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.is_idle.load(Ordering::Relaxed)
    }

    /// Whether hyper has nothing to do until the watch has something to send.
    pub(super) fn is_watching(&self) -> bool {
        self.is_idle() && self.is_flushed.load(Ordering::Relaxed)
    }

    pub(super) fn leave(&self, body: Body) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    /// The body that was left; the next answer starts anew.
    pub(super) fn take(&self) -> Option<Body> {
        self.set_idle(false);
        self.left.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
