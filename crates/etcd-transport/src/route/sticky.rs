//! The endpoint that calls begin with.
//!
//! A number in an atomic, not a lock: each call reads it, and only failures write. Nothing else depends on
//! it, so that no ordering is needed; a call that reads an old value asks a server that has just failed,
//! finds that out, and goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::{Endpoint, Endpoints};

/// The endpoints, and the place in their list that calls begin with.
#[derive(Debug)]
pub(crate) struct Sticky {
    endpoints: Endpoints,
    place: AtomicUsize,
    /// For each endpoint, whether it was told that it failed and it has not served since.
    failing: Box<[AtomicBool]>,
}

impl Sticky {
    /// Begins with the first.
    pub(super) fn new(endpoints: Endpoints) -> Self {
        let failing = endpoints.iter().map(|_| AtomicBool::new(false)).collect();
        Self { endpoints, place: AtomicUsize::new(0), failing }
    }

    /// All servers, in their order.
    pub(super) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Where calls begin now.
    pub(super) fn place(&self) -> usize {
        self.place.load(Ordering::Relaxed)
    }

    /// The endpoint at a place, with the right to move on from it.
    pub(super) fn leave_from(sticky: &Arc<Self>, place: usize) -> Leave {
        Leave { sticky: Arc::clone(sticky), place }
    }
}

/// An endpoint, with the right to say that it has failed.
#[derive(Clone, Debug)]
pub(crate) struct Leave {
    sticky: Arc<Sticky>,
    /// Below the number of endpoints.
    place: usize,
}

impl Leave {
    /// The server that this is about.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        self.sticky.endpoints.at(self.place)
    }

    /// Lets later calls begin with the next endpoint, unless they no longer begin with this one.
    ///
    /// By compare-exchange: of many calls that see one server die, one moves on, and none moves past a good
    /// server. It is told by a warning, once until the endpoint serves again: with all servers down each call
    /// moves through the whole list.
    pub(crate) fn leave(&self) {
        let next = (self.place + 1) % self.sticky.endpoints.len();
        let moved = self
            .sticky
            .place
            .compare_exchange(self.place, next, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        if moved && next != self.place && !self.failing().swap(true, Ordering::Relaxed) {
            let next = Self { sticky: Arc::clone(&self.sticky), place: next };
            tracing::warn!(
                server.address = %self.endpoint(),
                next = %next.endpoint(),
                "endpoint failed, going over to the next",
            );
        }
    }

    /// The endpoint has served a request.
    pub(crate) fn serves(&self) {
        // Read first: nearly always there is nothing to write, and the line stays shared.
        if self.failing().load(Ordering::Relaxed) {
            self.failing().store(false, Ordering::Relaxed);
        }
    }

    fn failing(&self) -> &AtomicBool {
        &self.sticky.failing[self.place]
    }

    /// The first of these endpoints.
    #[cfg(test)]
    pub(crate) fn for_tests(endpoints: &str) -> Self {
        Sticky::leave_from(&Arc::new(Sticky::new(endpoints.parse().unwrap())), 0)
    }

    /// Whether calls begin elsewhere.
    #[cfg(test)]
    pub(crate) fn is_left(&self) -> bool {
        self.sticky.place() != self.place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_that_see_one_failure_move_on_once() {
        let sticky = Arc::new(Sticky::new("a b c".parse().unwrap()));
        let leaves: Vec<Leave> = (0..5).map(|_| Sticky::leave_from(&sticky, 0)).collect();
        leaves.iter().for_each(Leave::leave);
        assert_eq!(sticky.place(), 1);
        Sticky::leave_from(&sticky, 2).leave();
        assert_eq!(sticky.place(), 1);
    }

    #[test]
    fn behind_the_last_comes_the_first() {
        let sticky = Arc::new(Sticky::new("a b".parse().unwrap()));
        Sticky::leave_from(&sticky, 0).leave();
        Sticky::leave_from(&sticky, 1).leave();
        assert_eq!(sticky.place(), 0);
    }
}
