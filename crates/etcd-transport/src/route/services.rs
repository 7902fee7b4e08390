//! One service per endpoint, for the list as it is.
//!
//! The list is replaced elsewhere, and is the same for several routers; each finds that out at its next call
//! and makes the services that it lacks. Those of endpoints that stay are kept, with what their layers know.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::cluster::Roster;

/// The services of one router.
pub(super) struct Services<S> {
    current: RwLock<Arc<Snapshot<S>>>,
    /// Makes the service of an endpoint.
    make: Box<dyn Fn() -> S + Send + Sync>,
}

/// The services for one version of the list.
pub(super) struct Snapshot<S> {
    roster: Arc<Roster>,
    /// In the order of the endpoints, and as many.
    services: Box<[S]>,
}

impl<S> Snapshot<S> {
    /// The list that these are for.
    pub(super) fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    /// The service at a place in the list.
    pub(super) fn at(&self, place: usize) -> &S {
        &self.services[place]
    }
}

impl<S: Clone> Services<S> {
    pub(super) fn new(roster: Arc<Roster>, make: impl Fn() -> S + Send + Sync + 'static) -> Self {
        let services = roster.members().iter().map(|_| make()).collect();
        Self { current: RwLock::new(Arc::new(Snapshot { roster, services })), make: Box::new(make) }
    }

    /// The services for this list.
    pub(super) fn of(&self, roster: Arc<Roster>) -> Arc<Snapshot<S>> {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        if Arc::ptr_eq(&current.roster, &roster) { current } else { self.renew(&current, roster) }
    }

    /// Makes what is missing, without the lock: layers of others run here.
    fn renew(&self, current: &Snapshot<S>, roster: Arc<Roster>) -> Arc<Snapshot<S>> {
        let kept = |place: usize| {
            let member = &roster.members()[place];
            let place = current.roster.members().iter().position(|known| Arc::ptr_eq(known, member))?;
            Some(current.at(place).clone())
        };
        let places = 0..roster.members().len();
        let services = places.map(|place| kept(place).unwrap_or_else(|| (self.make)())).collect();
        let renewed = Arc::new(Snapshot { roster, services });
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // Another call may have been faster; all calls are to use the same services.
        if Arc::ptr_eq(&current.roster, &renewed.roster) {
            return Arc::clone(&current);
        }
        // What a call with an older list has made is its own.
        if renewed.roster.is_newer_than(&current.roster) {
            *current = Arc::clone(&renewed);
        }
        renewed
    }
}

impl<S> fmt::Debug for Services<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Services")
    }
}

#[cfg(test)]
#[path = "services_test.rs"]
mod tests;
