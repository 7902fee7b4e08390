//! Which endpoint gets a request.
//!
//! | call | goes to |
//! | --- | --- |
//! | pinned | its endpoint, or nowhere |
//! | for the leader, or leader first: first attempt | the leader, if one is known |
//! | first attempt | what the [`Strategy`] says; by default where calls begin ([`Sticky`]), or a turn behind |
//! | later attempts | one that this call has not asked, the healthiest first |
//! | all asked | one that this call has asked least often, the healthiest first |
//!
//! A connect that hangs is raced by another endpoint after 250 ms; one copy of the request is sent.
//!
//! What is known of an endpoint's health comes from the results of attempts alone, see [`Ejection`].

mod cluster;
mod future;
mod handle;
mod health;
mod heat;
mod layer;
mod race;
mod services;
mod source;
mod strategy;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use etcd_proto::BoxError;
use http::uri::{Parts, PathAndQuery, Uri};
use http::{Request, Response};
use tower::util::Oneshot;
use tower_service::Service;

pub(crate) use self::cluster::Leave;
use self::cluster::{Cluster, Roster};
pub use self::future::ResponseFuture;
pub use self::handle::RouteHandle;
pub use self::health::{Condition, Ejection};
use self::heat::Heat;
pub use self::layer::RouteLayer;
use self::race::Race;
use self::services::Services;
pub use self::source::{DropReason, Dropped, EndpointSource, SourceFuture, SyncReport};
pub use self::strategy::{LeaderFirst, RoundRobin, Server, Servers, Sticky, Strategy};
use crate::attempt_state::AttemptState;
use crate::call_state::CallState;
use crate::strays::Strays;
use crate::{BodyMode, CallContext, Endpoint, Error, ErrorKind, ReqBody};

/// The service of [`RouteLayer`]: one service per endpoint, and what is known of each.
///
/// It is always ready; the readiness of the chosen endpoint's service is awaited inside the call, since which
/// one it is depends on the request. Waiting there counts as part of the attempt.
pub struct Route<S> {
    table: Arc<Table<S>>,
}

/// What clones of a router share.
struct Table<S> {
    /// The servers and their health; shared by all routers of a layer.
    cluster: Arc<Cluster>,
    strategy: Arc<dyn Strategy>,
    /// Requests that came without their log, and copies that have lost their attempt below.
    strays: Strays,
    /// How long a connect may hang before the next endpoint is tried beside it; `None` for ever.
    race: Option<Duration>,
    services: Services<S>,
}

/// The place in the list that this request goes to.
///
/// Never one that its call has tried, as long as there is another.
fn choose(
    table: (&Cluster, &dyn Strategy),
    roster: &Roster,
    context: &CallContext,
    tried: &[Endpoint],
) -> Result<usize, Error> {
    if let Some(pinned) = &context.pinned {
        let place = roster.endpoints().iter().position(|endpoint| endpoint == pinned);
        return place.ok_or_else(|| {
            Error::new(ErrorKind::InvalidEndpoint)
                .of_request(context.idempotence)
                .detail(format!("call is pinned to {pinned}, which is not in the list of servers"))
        });
    }
    let (cluster, strategy) = table;
    let servers = Servers::new(roster, cluster, context, tried);
    let picked = match servers.leader().filter(|_| context.leader_only || context.leader_first) {
        Some(leader) => servers.best_from(leader),
        None => strategy.pick(&servers),
    };
    let fits =
        |place: usize| servers.get(place).is_some_and(|server| server.tried == 0 || !servers.has_untried());
    let place = if fits(picked) { picked } else { servers.best_from(servers.current()) };
    let member = &roster.members()[place];
    // Somebody else may have become the probe just now.
    if member.condition() == Condition::HalfOpen && !member.claim_probe() {
        return Ok(servers.best_from(servers.current()));
    }
    Ok(place)
}

impl<S, B> Service<Request<ReqBody>> for Route<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Response<B>;
    type Error = Error;
    type Future = ResponseFuture<S>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> ResponseFuture<S> {
        let Table { cluster, strategy, strays, services, .. } = &*self.table;
        let context = CallContext::of(request.extensions());
        let call = CallState::arrived(request.extensions_mut(), strays);
        let attempt = AttemptState::of(request.extensions_mut());
        let services = services.of(cluster.roster());
        let roster = services.roster();
        let tried = call.tried();
        let place = match choose((cluster, &**strategy), roster, &context, &tried) {
            Ok(place) => place,
            Err(error) => return ResponseFuture::refused(error, attempt),
        };
        let leave = Leave::new(cluster, &roster.members()[place]);
        let endpoint = leave.endpoint();
        let others = roster.endpoints().iter().filter(|other| *other != endpoint);
        let untried = match &context.pinned {
            // There is nobody else for this call, whatever a policy says.
            Some(_) => 0,
            None => others.filter(|other| !tried.contains(other)).count(),
        };
        let alone = untried == 0 || attempt.endpoint().is_some();
        if context.body == BodyMode::Stream {
            attempt.may_be_silent();
        }
        if !call.begin(|| attempt.begin(leave.clone(), untried)) {
            // The caller has been told that nothing was sent, or not: in either case it is too late.
            let error = Error::new(ErrorKind::Deadline)
                .of_request(context.idempotence)
                .detail("its limit; it ended before");
            return ResponseFuture::refused(error, attempt);
        }
        let race = match alone {
            true => None,
            false => Race::prepare(&self.table, &request, &context, &call, &attempt),
        };
        attempt.bind(request.extensions_mut());
        *request.uri_mut() = absolute(request.uri(), leave.endpoint());
        let inner = Oneshot::new(services.at(place).clone(), request);
        ResponseFuture::begun(Heat::new(inner, leave, strays.watch(), &context, call, attempt), race)
    }
}

impl<S> Clone for Route<S> {
    fn clone(&self) -> Self {
        Self { table: Arc::clone(&self.table) }
    }
}

impl<S> fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Table { cluster, strategy, .. } = &*self.table;
        f.debug_struct("Route").field("cluster", cluster).field("strategy", strategy).finish_non_exhaustive()
    }
}

/// Puts scheme and authority of the endpoint before the path.
///
/// A URI that is absolute already loses its own: requests, and the password, go to the servers of the list
/// only.
fn absolute(uri: &Uri, endpoint: &Endpoint) -> Uri {
    let mut parts = Parts::default();
    parts.scheme = Some(endpoint.scheme());
    parts.authority = Some(endpoint.authority().clone());
    parts.path_and_query =
        Some(uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
    Uri::from_parts(parts).expect("scheme, authority and path are all given")
}

#[cfg(test)]
#[path = "test.rs"]
mod tests;

#[cfg(test)]
#[path = "praise_test.rs"]
mod praise_tests;
