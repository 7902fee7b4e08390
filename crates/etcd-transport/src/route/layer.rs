//! The layer of the router.

use std::sync::Arc;
use std::time::Duration;

use tower_layer::{Identity, Layer, Stack};

use super::cluster::Cluster;
use super::services::Services;
use super::{Ejection, Route, RouteHandle, Sticky, Strategy, Table};
use crate::Endpoints;
use crate::strays::Strays;

/// Sends each request to one endpoint of a list.
///
/// Calls begin with the same endpoint until it fails; then the call that saw it moves all later ones on. That
/// is told by a warning, once until the endpoint serves again. Another [`Strategy`] may choose differently. A
/// call never returns to an endpoint that it has tried while there is another, and a pinned call has no other.
/// A request for the leader begins with the leader, where one is known. The path-only URI of the request
/// becomes an absolute one.
///
/// # Health
///
/// An endpoint that fails several times in a row is ejected for a time, see [`Ejection`]. What counts is the
/// result of attempts:
///
/// | attempt | counts as |
/// | --- | --- |
/// | no connection, also by its limit or in a race after 250 ms | failure |
/// | the connection ends before the answer does | failure |
/// | the limit of the attempt | failure |
/// | the limit of the call, or the caller gives up, after 1 s without a head | failure |
/// | the same before, or for a [`BodyMode::Stream`](crate::BodyMode::Stream) that was sent | nothing |
/// | errors 300 and 301 of etcd, a status of 500 or more without an error of etcd, or what is no answer of etcd | failure, if [`CollectLayer`](crate::CollectLayer) is above |
/// | any other answer, read to its end where [`CollectLayer`](crate::CollectLayer) reads it | success |
///
/// Below this layer a service exists once per endpoint: a copy of the connection service with a stack of its
/// own of [`RouteLayer::endpoint_layer`]s. A concurrency limit there holds for each endpoint alone. A layer
/// that sends a request more than once does not belong there but at the attempt seam, where each copy is
/// an attempt of its own.
///
/// Clones of one layer share the list and what is known of the endpoints.
///
/// ```
/// use etcd_transport::{ConnectError, Endpoints, ReqBody, RespBody, RouteLayer};
/// use tower::{ServiceBuilder, limit::ConcurrencyLimitLayer};
///
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let route = RouteLayer::new(Endpoints::parse("a, b")?)
///     .endpoint_layer(ConcurrencyLimitLayer::new(64)); // 64 for each; as a layer below it were 64 for all
/// let service = ServiceBuilder::new().layer(route).service(connection);
/// # drop(service);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
///
/// The response has the [`Endpoint`](crate::Endpoint) that answered in its extensions.
///
/// # Errors
///
/// `Connect` and `Interrupted` with the endpoint in it; `InvalidEndpoint` for a call that is pinned to a
/// server which is not in the list; `Layer` for an endpoint layer's own failure.
#[derive(Clone, Debug)]
pub struct RouteLayer<L = Identity> {
    cluster: Arc<Cluster>,
    strategy: Arc<dyn Strategy>,
    race: Option<Duration>,
    strays: Strays,
    layer: L,
}

impl RouteLayer {
    /// A router over these endpoints; the first call begins with the first.
    #[must_use]
    pub fn new(endpoints: Endpoints) -> Self {
        Self::with_ejection(endpoints, Ejection::default())
    }

    /// The same with another rule for endpoints that keep failing.
    #[must_use]
    pub fn with_ejection(endpoints: Endpoints, ejection: Ejection) -> Self {
        Self {
            cluster: Arc::new(Cluster::new(endpoints, ejection)),
            strategy: Arc::new(Sticky),
            race: Some(RACE),
            strays: Strays::default(),
            layer: Identity::new(),
        }
    }
}

impl<L> RouteLayer<L> {
    /// Puts a layer of its own on each endpoint's service; the first one given is the outermost.
    ///
    /// The layer is applied once for each endpoint when the stack is made or the endpoint joins the list, so
    /// that state which it makes then is that endpoint's alone. State that is made before (an `Arc` in the
    /// layer) is shared by all.
    #[must_use]
    pub fn endpoint_layer<M>(self, layer: M) -> RouteLayer<Stack<M, L>> {
        let Self { cluster, strategy, race, strays, layer: inner } = self;
        RouteLayer { cluster, strategy, race, strays, layer: Stack::new(layer, inner) }
    }

    /// Chooses endpoints differently. Default [`Sticky`].
    #[must_use]
    pub fn strategy(mut self, strategy: impl Strategy) -> Self {
        self.strategy = Arc::new(strategy);
        self
    }

    /// How long a connect may hang before the next endpoint is tried beside it; `None` to wait for each. Default
    /// 250 ms.
    ///
    /// The first that has a connection sends the request, the others never do: one copy is sent, writes
    /// included. With more endpoints the third follows after the same time again, or at once if one of those
    /// that race fails. Those that lose count as attempts that failed to connect, and against their endpoints if
    /// they had 250 ms or this time, whichever is longer. Each is one of the attempts that the call may make. Only
    /// requests to the
    /// pool of a built [`Transport`](crate::Transport) are raced, since it tells what it has not sent; not
    /// those whose body is a stream, nor pinned ones. A TLS handshake counts as connecting.
    ///
    /// A request that an endpoint layer lets wait is not sent yet and goes on racing. So a layer that sends
    /// requests by other ways than the service below it needs `None` here: what it sends is not seen.
    #[must_use]
    pub fn connect_race(mut self, delay: Option<Duration>) -> Self {
        self.race = delay;
        self
    }

    /// The list of servers, to look at and to replace at run time; for all routers of this layer.
    #[must_use]
    pub fn handle(&self) -> RouteHandle {
        RouteHandle::new(&self.cluster)
    }

    /// Counts here what loses its way; the bottom below has to count there too.
    pub(crate) fn strays(mut self, strays: &Strays) -> Self {
        self.strays = strays.clone();
        self
    }
}

impl<S, L> Layer<S> for RouteLayer<L>
where
    S: Clone + Send + Sync + 'static,
    L: Layer<S, Service: Clone> + Clone + Send + Sync + 'static,
{
    type Service = Route<L::Service>;

    fn layer(&self, connection: S) -> Self::Service {
        let layer = self.layer.clone();
        let services = Services::new(self.cluster.roster(), move || layer.layer(connection.clone()));
        let table = Table {
            cluster: Arc::clone(&self.cluster),
            strategy: Arc::clone(&self.strategy),
            strays: self.strays.clone(),
            race: self.race,
            services,
        };
        Route { table: Arc::new(table) }
    }
}

/// How long a connect may hang before another endpoint is tried beside it.
const RACE: Duration = Duration::from_millis(250);
