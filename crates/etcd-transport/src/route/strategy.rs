//! Which endpoint a request goes to, as far as that is a matter of taste.
//!
//! What is not, the router does itself: a pinned call has its endpoint, a request for the leader begins with the
//! leader, and no call returns to an endpoint that it has asked while there is another.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cluster::{Cluster, Roster};
use super::health::Condition;
use crate::{CallContext, Endpoint};

/// Chooses an endpoint for each attempt, from small inputs.
///
/// One instance serves all calls of a transport, so what it counts belongs into an atomic. It must not block.
///
/// ```
/// use etcd_transport::{RouteLayer, Servers, Strategy};
///
/// /// The first in the list that serves, always: a primary and its stand-ins.
/// #[derive(Debug)]
/// struct InOrder;
///
/// impl Strategy for InOrder {
///     fn pick(&self, servers: &Servers<'_>) -> usize {
///         servers.best_from(0)
///     }
/// }
///
/// let route = RouteLayer::new("a, b".parse()?).strategy(InOrder);
/// # drop(route);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
pub trait Strategy: fmt::Debug + Send + Sync + 'static {
    /// The place of the endpoint in the list.
    ///
    /// A place outside of the list, and that of an endpoint that the call has asked while there is another,
    /// count as [`Servers::best_from`] of [`Servers::current`].
    fn pick(&self, servers: &Servers<'_>) -> usize;
}

/// A strategy that several routers share.
impl<T: Strategy + ?Sized> Strategy for Arc<T> {
    fn pick(&self, servers: &Servers<'_>) -> usize {
        (**self).pick(servers)
    }
}

/// Always the same endpoint, until it fails. The default.
///
/// Connections stay few, and a client reads what it has written as long as nothing fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sticky;

impl Strategy for Sticky {
    fn pick(&self, servers: &Servers<'_>) -> usize {
        servers.best_from(servers.current())
    }
}

/// Reads go round; all else is as with [`Sticky`].
///
/// A read may then miss a write of the same client, unless it asks for a quorum: members of a cluster are not
/// equally far.
#[derive(Debug, Default)]
pub struct RoundRobin {
    /// Of the next read; it may wrap.
    next: AtomicUsize,
}

impl RoundRobin {
    /// Begins with the first.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Strategy for RoundRobin {
    fn pick(&self, servers: &Servers<'_>) -> usize {
        if servers.context().idempotence.is_read() {
            servers.best_from(self.next.fetch_add(1, Ordering::Relaxed) % servers.len())
        } else {
            servers.best_from(servers.current())
        }
    }
}

/// The leader, as long as one is known and serves; else as with [`Sticky`].
///
/// It saves writes and quorum reads the way from member to leader. Who leads is known from
/// [`Transport::sync`](crate::Transport::sync), and from answers that only the leader can give.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeaderFirst;

impl Strategy for LeaderFirst {
    fn pick(&self, servers: &Servers<'_>) -> usize {
        let leader = servers.leader().map(|leader| servers.turned(leader));
        servers.best_from(leader.unwrap_or_else(|| servers.current()))
    }
}

/// The endpoints as one request sees them; never none.
pub struct Servers<'a> {
    roster: &'a Roster,
    cluster: &'a Cluster,
    context: &'a CallContext,
    /// Of the call, in the order of its attempts.
    tried: &'a [Endpoint],
}

/// One of [`Servers`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Server<'a> {
    /// The endpoint.
    pub endpoint: &'a Endpoint,
    /// What the results of attempts say of it.
    pub condition: Condition,
    /// How often this call has asked it.
    pub tried: usize,
}

impl<'a> Servers<'a> {
    pub(super) fn new(
        roster: &'a Roster,
        cluster: &'a Cluster,
        context: &'a CallContext,
        tried: &'a [Endpoint],
    ) -> Self {
        Self { roster, cluster, context, tried }
    }

    /// How many there are, at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a list is never empty")]
    pub fn len(&self) -> usize {
        self.roster.members().len()
    }

    /// The one at a place; `None` outside of the list.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<Server<'a>> {
        let member = self.roster.members().get(place)?;
        let tried = self.tried.iter().filter(|tried| *tried == member.endpoint()).count();
        Some(Server { endpoint: member.endpoint(), condition: member.condition(), tried })
    }

    /// All, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = Server<'a>> + '_ {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// What the request says of itself.
    #[must_use]
    pub fn context(&self) -> &'a CallContext {
        self.context
    }

    /// The place that calls begin with, which the call that sees it fail moves; for a call that has asked nobody
    /// as far behind it as its [`turn`](CallContext::turn) says.
    #[must_use]
    pub fn current(&self) -> usize {
        self.turned(self.cluster.begin(self.roster))
    }

    /// The place that is a turn behind this one, if this call has asked nobody yet.
    fn turned(&self, place: usize) -> usize {
        let count = self.len();
        // Both below the count, so that a turn of any size cannot overflow.
        let turn = if self.tried.is_empty() { self.context.turn % count } else { 0 };
        (place % count + turn) % count
    }

    /// The place of the leader, if one is known.
    #[must_use]
    pub fn leader(&self) -> Option<usize> {
        self.cluster.leader(self.roster)
    }

    /// The place to ask, all being equal to the caller from `start` on.
    ///
    /// It is `start` if this call has not asked it and it is not ejected. Else the one that this call has
    /// asked least often, of these the one in the best [`Condition`], of these the next behind `start`. An
    /// endpoint whose time out is over counts as ejected for what does not only read: a write whose answer
    /// never comes leaves more open than a read.
    #[must_use]
    pub fn best_from(&self, start: usize) -> usize {
        let count = self.len();
        let start = start % count;
        let ranked = |place: usize| {
            let server = self.get(place)?;
            Some(((server.tried, self.rank(server.condition)), place))
        };
        if self.is_usable(start) && self.get(start).is_some_and(|server| server.tried == 0) {
            return start;
        }
        let ring = (start..count).chain(0..start).filter_map(ranked);
        ring.min_by_key(|(rank, _)| *rank).map_or(start, |(_, place)| place)
    }

    /// Whether there is one that this call has not asked.
    pub(super) fn has_untried(&self) -> bool {
        self.tried.is_empty() || self.iter().any(|server| server.tried == 0)
    }

    /// Whether the one at this place is not ejected, or this request may be its probe.
    pub(super) fn is_usable(&self, place: usize) -> bool {
        self.get(place).is_some_and(|server| self.rank(server.condition) != Condition::Ejected)
    }

    fn rank(&self, condition: Condition) -> Condition {
        match condition {
            Condition::HalfOpen if !self.context.idempotence.is_read() => Condition::Ejected,
            Condition::Serving | Condition::Failing | Condition::HalfOpen | Condition::Ejected => condition,
        }
    }
}

impl fmt::Debug for Servers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
#[path = "strategy_test.rs"]
mod tests;
