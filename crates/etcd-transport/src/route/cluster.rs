//! What the routers of one layer know of the servers: the list, the health of each, where calls begin.
//!
//! The list is a snapshot behind a short lock, read by each call and replaced rarely. Where calls begin is the
//! number of a server in an atomic, not a place in the list: each call reads it, only failures write, and it
//! keeps its meaning when the list is replaced. Nothing else depends on it, so that no ordering is needed; a
//! call that reads an old value asks a server that has just failed, finds that out, and goes on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use fastrand::Rng;
use tokio::time::Instant;

use super::health::{Condition, Ejection, Health};
use crate::{Endpoint, Endpoints};

/// The servers, and what is known of them.
#[derive(Debug)]
pub(crate) struct Cluster {
    roster: RwLock<Arc<Roster>>,
    /// The number of the server that calls begin with.
    begin: AtomicU64,
    /// The number of the server that is believed to be the leader; 0 for none.
    leader: AtomicU64,
    rule: Ejection,
    changes: Mutex<Changes>,
}

/// What only those need who change something; they take turns, so that two servers that fail at once do not
/// eject each other.
#[derive(Debug)]
struct Changes {
    rng: Rng,
    /// The number of the server that was entered last.
    last: u64,
    /// What the owner has set, without what was found out since.
    configured: Endpoints,
}

/// The list as its owner may change it.
#[derive(Debug)]
pub(super) struct List {
    /// What the owner has set.
    pub(super) configured: Endpoints,
    /// What calls see.
    pub(super) now: Endpoints,
}

/// One version of the list.
#[derive(Debug)]
pub(crate) struct Roster {
    /// Greater than that of each list before.
    version: u64,
    endpoints: Endpoints,
    /// In the order of the endpoints, and as many.
    members: Box<[Arc<Member>]>,
}

/// One server; the same in each version of the list that it is in.
#[derive(Debug)]
pub(crate) struct Member {
    /// From 1, never used twice.
    number: u64,
    endpoint: Endpoint,
    health: Health,
    /// Whether it was told that it failed, and it has not served since.
    told: AtomicBool,
}

impl Member {
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What is known of it.
    pub(super) fn condition(&self) -> Condition {
        self.health.condition()
    }

    /// Forgets its failures.
    pub(super) fn reset(&self) {
        if self.health.served() {
            self.told.store(false, Ordering::Relaxed);
        }
    }

    /// Whether this request may go there, see [`Health::claim_probe`].
    pub(super) fn claim_probe(&self) -> bool {
        self.health.claim_probe()
    }
}

impl Roster {
    /// Whether this list came after the other.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        self.version > other.version
    }

    /// The servers, in their order.
    pub(super) fn members(&self) -> &[Arc<Member>] {
        &self.members
    }

    /// The same as a list of endpoints.
    pub(super) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The place of the server with this number.
    fn place(&self, number: u64) -> Option<usize> {
        self.members.iter().position(|member| member.number == number)
    }
}

impl Cluster {
    /// Calls begin with the first.
    pub(super) fn new(endpoints: Endpoints, mut rule: Ejection) -> Self {
        let mut changes = Changes { rng: rule.take_rng(), last: 0, configured: endpoints.clone() };
        let members = endpoints.iter().map(|endpoint| changes.enter(endpoint)).collect();
        Self {
            roster: RwLock::new(Arc::new(Roster { version: 0, endpoints, members })),
            begin: AtomicU64::new(1),
            leader: AtomicU64::new(0),
            rule,
            changes: Mutex::new(changes),
        }
    }

    /// The list as it is now.
    pub(super) fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.roster.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where calls begin in this list; the first server, if that one is not in it.
    pub(super) fn begin(&self, roster: &Roster) -> usize {
        roster.place(self.begin.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// The place of the leader, if one is known and in this list.
    pub(super) fn leader(&self, roster: &Roster) -> Option<usize> {
        match self.leader.load(Ordering::Relaxed) {
            0 => None,
            number => roster.place(number),
        }
    }

    /// Lets the owner change the list; servers that stay keep what is known of them.
    ///
    /// Calls begin where they did, or with the best in the new list if that one is gone.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut List) -> R) -> R {
        let mut changes = self.changes();
        let old = self.roster();
        let mut list = List { configured: changes.configured.clone(), now: old.endpoints.clone() };
        let result = change(&mut list);
        changes.configured = list.configured;
        if list.now == old.endpoints {
            return result;
        }
        let known = |endpoint: &Endpoint| old.members.iter().find(|member| member.endpoint == *endpoint);
        let members: Box<[Arc<Member>]> = list
            .now
            .iter()
            .map(|endpoint| known(endpoint).map_or_else(|| changes.enter(endpoint), Arc::clone))
            .collect();
        let new = Arc::new(Roster { version: old.version + 1, endpoints: list.now, members });
        let begin = self.begin.load(Ordering::Relaxed);
        if new.place(begin).is_none()
            && let Some(best) = new.members.iter().min_by_key(|member| member.condition())
        {
            self.begin.store(best.number, Ordering::Relaxed);
        }
        *self.roster.write().unwrap_or_else(PoisonError::into_inner) = new;
        result
    }

    /// Takes down who leads; `None` for nobody.
    pub(super) fn lead(&self, leader: Option<&Endpoint>) {
        let roster = self.roster();
        let member = leader.and_then(|leader| roster.members.iter().find(|it| it.endpoint == *leader));
        self.leader.store(member.map_or(0, |member| member.number), Ordering::Relaxed);
    }

    /// A failure: it counts, and calls that begin there begin elsewhere from now on.
    ///
    /// By compare-exchange: of many calls that see one server die, one moves on, and none moves past a good
    /// server. The next is the best of the others in their order; where all of them are ejected, calls stay.
    fn failed(&self, member: &Member, begun: Instant) {
        let roster = self.roster();
        let others = || roster.members.iter().filter(|other| other.number != member.number);
        let ejected = {
            let mut changes = self.changes();
            let last = !others().any(|other| other.condition().is_in());
            member.health.failed(begun, last, &self.rule, &mut changes.rng)
        };
        // Not under the lock: a subscriber of somebody else may change the list.
        if ejected {
            tracing::debug!(server.address = %member.endpoint, "endpoint ejected");
        }
        let begin = self.begin.load(Ordering::Relaxed);
        if begin != member.number && roster.place(begin).is_some() {
            return;
        }
        let Some(next) = next_of(&roster, member) else { return };
        let moved =
            self.begin.compare_exchange(begin, next.number, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        // Told once until it serves again: with all servers down each call moves through the whole list.
        if moved && !member.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                server.address = %member.endpoint,
                next = %next.endpoint,
                "endpoint failed, going over to the next",
            );
        }
    }
}

impl Changes {
    /// A server that was not known before.
    fn enter(&mut self, endpoint: &Endpoint) -> Arc<Member> {
        self.last += 1;
        Arc::new(Member {
            number: self.last,
            endpoint: endpoint.clone(),
            health: Health::default(),
            told: AtomicBool::new(false),
        })
    }
}

/// Where calls go on that began with this server.
fn next_of<'a>(roster: &'a Roster, member: &Member) -> Option<&'a Arc<Member>> {
    let behind = roster.place(member.number).map_or(0, |place| place + 1);
    let (front, back) = roster.members.split_at(behind);
    let others = back.iter().chain(front).filter(|other| other.number != member.number);
    let (condition, next) =
        others.map(|other| (other.condition(), other)).min_by_key(|(condition, _)| *condition)?;
    (condition != Condition::Ejected).then_some(next)
}

/// A server that was chosen, with the right to say how that ended.
#[derive(Clone, Debug)]
pub(crate) struct Leave {
    cluster: Arc<Cluster>,
    member: Arc<Member>,
}

impl Leave {
    pub(super) fn new(cluster: &Arc<Cluster>, member: &Arc<Member>) -> Self {
        Self { cluster: Arc::clone(cluster), member: Arc::clone(member) }
    }

    /// The server that this is about.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.member.endpoint
    }

    /// An attempt that was begun then has failed.
    pub(crate) fn failed(&self, begun: Instant) {
        self.cluster.failed(&self.member, begun);
    }

    /// The endpoint has served a request.
    pub(crate) fn serves(&self) {
        self.member.reset();
    }

    /// The endpoint has answered as the leader does, or as one that is not.
    pub(super) fn leads(&self, leads: bool) {
        let number = self.member.number;
        let leader = &self.cluster.leader;
        if leads {
            leader.store(number, Ordering::Relaxed);
        } else {
            // In vain if somebody else is believed to be it, and that is right.
            leader.compare_exchange(number, 0, Ordering::Relaxed, Ordering::Relaxed).ok();
        }
    }

    /// The first of these endpoints.
    #[cfg(test)]
    pub(crate) fn for_tests(endpoints: &str) -> Self {
        let cluster = Arc::new(Cluster::new(endpoints.parse().unwrap(), Ejection::default()));
        let first = Arc::clone(&cluster.roster().members[0]);
        Self { cluster, member: first }
    }

    /// Whether it is ejected.
    #[cfg(test)]
    pub(crate) fn is_ejected(&self) -> bool {
        !self.member.condition().is_in()
    }

    /// Whether calls begin elsewhere.
    #[cfg(test)]
    pub(crate) fn is_left(&self) -> bool {
        self.cluster.begin.load(Ordering::Relaxed) != self.member.number
    }
}

#[cfg(test)]
#[path = "cluster_test.rs"]
mod tests;
