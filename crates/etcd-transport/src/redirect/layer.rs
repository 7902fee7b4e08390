//! The layer of the redirect rule.

use tower_layer::Layer;

use super::{Known, Redirect};
use crate::{DynService, Endpoints, RouteHandle};

/// Follows redirects to other servers of the list, and refuses all others.
///
/// | answer | is |
/// | --- | --- |
/// | 307, 308 to a server of the list, or to one that was [allowed](RedirectLayer::also_to) | followed, at most 5 times |
/// | 307, 308 to anywhere else, from `https` to `http`, to another path | an error of kind `Redirect` |
/// | the same for a request with `leader_only` | the answer itself, so that the next member is asked |
/// | 301, 302, 303 | an error of kind `Moved` |
///
/// What is followed is the server alone: method, path, query and body stay as they are. A redirect with a
/// `Location` turns the request away instead of serving it (RFC 9110, 15.4.8 and 15.4.9), and that is what
/// followers of etcd 0.x do; so a write that is redirected counts as not applied there. That makes following
/// safe for every write. A 307 without a `Location` that can be read proves nothing.
///
/// Belongs right above [`RouteLayer`](crate::RouteLayer): the request goes to the other server as one that is
/// pinned to it ([`CallContext::pinned`](crate::CallContext::pinned)), so that the credentials set below go
/// where they always go, and nowhere else. All of it is one attempt, with one limit. A service below that
/// is no router has to look at `pinned` itself.
///
/// ```
/// use etcd_transport::{ConnectError, Endpoints, RedirectLayer, ReqBody, RespBody, RouteLayer};
/// use tower::ServiceBuilder;
///
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let endpoints = Endpoints::parse("a, b")?;
/// let service = ServiceBuilder::new()
///     .layer(RedirectLayer::new(endpoints.clone()))
///     .layer(RouteLayer::new(endpoints)) // below: it knows who has answered
///     .service(connection);
/// # drop(service);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
///
/// # Errors
///
/// `Redirect` and `Moved`. Both name the server that was asked, and `Redirect` where it leads: scheme, host
/// and port, never a path.
#[derive(Clone, Debug)]
pub struct RedirectLayer {
    known: Known,
    allowed: Option<(Endpoints, DynService)>,
}

impl RedirectLayer {
    /// Follows to these servers.
    #[must_use]
    pub fn new(endpoints: Endpoints) -> Self {
        Self { known: Known::Fixed(endpoints), allowed: None }
    }

    /// Follows to the servers that a router has at the time, for lists that are replaced at run time.
    #[must_use]
    pub fn among(servers: RouteHandle) -> Self {
        Self { known: Known::Router(servers), allowed: None }
    }

    /// Follows to these servers too, with a service of their own.
    ///
    /// They are no part of the router's list, so that nothing but a redirect leads to them; the service gets
    /// requests that are pinned to one of them. A second router over the same connections does that.
    #[must_use]
    pub fn also_to(mut self, servers: Endpoints, service: DynService) -> Self {
        self.allowed = Some((servers, service));
        self
    }
}

impl<S> Layer<S> for RedirectLayer {
    type Service = Redirect<S>;

    fn layer(&self, inner: S) -> Redirect<S> {
        Redirect::new(inner, self.known.clone(), self.allowed.clone())
    }
}
