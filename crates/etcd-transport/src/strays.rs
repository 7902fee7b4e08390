//! Counts of what has lost its way: requests without the log of their call, copies without their attempt.
//!
//! What is proved about a write is read from states in the extensions of its request, and a user's layer may
//! empty those. As long as nothing has come without its state, what the states say is the whole truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counts of one router and of the bottom below it; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strays(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Requests that reached the router without the log that their transport gave them.
    requests: AtomicU64,
    /// Copies that reached the bottom without the state of the attempt that the router made of them.
    copies: AtomicU64,
}

impl Strays {
    /// A request has reached the router without its log.
    pub(crate) fn request_is_lost(&self) {
        self.0.requests.fetch_add(1, Ordering::SeqCst);
    }

    /// How many requests have.
    pub(crate) fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::SeqCst)
    }

    /// A copy has reached the bottom without its attempt.
    pub(crate) fn copy_is_lost(&self) {
        self.0.copies.fetch_add(1, Ordering::SeqCst);
    }

    /// Looks out for such copies from now on.
    pub(crate) fn watch(&self) -> Watch {
        Watch { strays: self.clone(), seen: self.0.copies.load(Ordering::SeqCst) }
    }
}

/// Sees the copies that are lost while an attempt is under way.
#[derive(Debug)]
pub(crate) struct Watch {
    strays: Strays,
    /// The count at the last look.
    seen: u64,
}

impl Watch {
    /// How many copies were lost since the last look: of this attempt, or of another one at the same time.
    pub(crate) fn look(&mut self) -> u64 {
        let before = std::mem::replace(&mut self.seen, self.strays.0.copies.load(Ordering::SeqCst));
        self.seen - before
    }
}
