//! The layer of the router.

use std::sync::Arc;

use tower_layer::{Identity, Layer, Stack};

use super::sticky::Sticky;
use super::{Route, Table};
use crate::Endpoints;
use crate::call_state::Strays;

/// Sends each request to one endpoint of a list.
///
/// Calls begin with the same endpoint until it fails; then the call that saw it moves all later ones on. That
/// is told by a warning, once until the endpoint serves again. An answer that shows a member without a quorum
/// (errors 300 and 301 of etcd, or a status of 500 or more without one) counts as a failure here where
/// [`CollectLayer`](crate::CollectLayer) is above; the limit of a call does not. A call never returns to an
/// endpoint that it has tried while there is another, and a pinned call has no other. The path-only URI of
/// the request becomes an absolute one.
///
/// Below this layer a service exists once per endpoint: a copy of the connection service with a stack of its
/// own of [`RouteLayer::endpoint_layer`]s. A concurrency limit there holds for each endpoint alone. A layer
/// that sends a request more than once does not belong there but at the attempt seam, where each copy is
/// an attempt of its own.
///
/// Clones of one layer share the endpoint that calls begin with.
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
    sticky: Arc<Sticky>,
    strays: Strays,
    layer: L,
}

impl RouteLayer {
    /// A router over these endpoints; the first call begins with the first.
    #[must_use]
    pub fn new(endpoints: Endpoints) -> Self {
        Self { sticky: Arc::new(Sticky::new(endpoints)), strays: Strays::default(), layer: Identity::new() }
    }
}

impl<L> RouteLayer<L> {
    /// Puts a layer of its own on each endpoint's service; the first one given is the outermost.
    ///
    /// The layer is applied once for each endpoint when the stack is made, so that state which it makes then
    /// is that endpoint's alone. State that is made before (an `Arc` in the layer) is shared by all.
    #[must_use]
    pub fn endpoint_layer<M>(self, layer: M) -> RouteLayer<Stack<M, L>> {
        RouteLayer { sticky: self.sticky, strays: self.strays, layer: Stack::new(layer, self.layer) }
    }

    /// The count of requests that have reached routers of this layer without their log.
    pub(crate) fn strays(&self) -> Strays {
        self.strays.clone()
    }
}

impl<S, L> Layer<S> for RouteLayer<L>
where
    S: Clone,
    L: Layer<S>,
{
    type Service = Route<L::Service>;

    fn layer(&self, connection: S) -> Self::Service {
        let services = self.sticky.endpoints().iter().map(|_| self.layer.layer(connection.clone())).collect();
        let table = Table { sticky: Arc::clone(&self.sticky), strays: self.strays.clone(), services };
        Route { table: Arc::new(table) }
    }
}
