//! The service that clients use.
//!
//! Its own part is small: it gives each call a log, takes our error out of what layers have made of it, and
//! gives the response body one type. The rest is the stack below.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use etcd_proto::{BoxError, Idempotence};
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tower_service::Service;

use crate::attempt_state::{AnsweredBy, AttemptState};
use crate::builder::Builder;
use crate::call_state::CallState;
use crate::strays::Strays;
use crate::{
    CallContext, ClusterId, DynService, EndpointSource, Endpoints, Error, ErrorKind, HttpService, ReqBody,
    RespBody, RouteHandle, SeenIndex, SyncReport,
};

/// Sends HTTP requests to an etcd cluster: all servers, limits, failover and outcomes behind one service.
///
/// A request has a path-only URI and a [`CallContext`] in its extensions. Its response has in its own:
/// [`Attempts`](crate::Attempts), the [`Endpoint`](crate::Endpoint) that answered, and the
/// [`ApiError`](etcd_proto::v2::ApiError) for an error of etcd.
///
/// Cloning is cheap; clones share connections and the knowledge of endpoints. Nothing is spawned and nobody
/// is asked before the first request: a transport may be made outside of a runtime.
///
/// # Errors
///
/// Calls fail with [`Error`], which says what became of a write. An answer of any status is no error; whether
/// an earlier copy of its request is still to be feared says [`Attempts::outcome`](crate::Attempts::outcome).
///
/// A call outside of a tokio runtime fails with kind `NoRuntime`.
///
/// # Panics
///
/// Calls panic in a tokio runtime whose timers are not enabled (`enable_time`, part of `enable_all`).
///
/// # Cancel safety
///
/// Dropping the future of a call drops the attempt in flight and closes its connection. For a write the
/// outcome is then `Unknown`.
#[derive(Clone)]
pub struct Transport<S = DynService> {
    service: S,
    /// Of a built transport only.
    cluster: Option<Cluster>,
}

/// What a built transport knows of the router below.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) servers: RouteHandle,
    pub(crate) strays: Strays,
    pub(crate) id: ClusterId,
    pub(crate) seen: SeenIndex,
}

impl Transport {
    /// Begins a transport over these servers.
    pub fn builder(endpoints: Endpoints) -> Builder {
        Builder::new(endpoints)
    }

    /// Takes any HTTP service in place of the built stack, and boxes it: a stack of one's own, or a double.
    ///
    /// What it answers should look as from the built stack, with bodies that are buffered. A failure that is
    /// none of ours has the outcome `Unknown`, since nothing is known of what the service did.
    ///
    /// ```
    /// use etcd_transport::{ReqBody, RespBody, Transport};
    ///
    /// let double = tower::service_fn(async |_: http::Request<ReqBody>| {
    ///     Ok::<_, std::convert::Infallible>(http::Response::new(RespBody::from(r#"{"action":"get"}"#)))
    /// });
    /// let transport = Transport::new(double);
    /// assert!(transport.endpoints().is_none());
    /// ```
    #[must_use]
    pub fn new<S, B>(service: S) -> Self
    where
        S: HttpService<B>,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::from_service(DynService::new(service))
    }

    /// A stack with a router.
    pub(crate) fn built(service: DynService, cluster: Cluster) -> Self {
        Self { service, cluster: Some(cluster) }
    }
}

impl<S> Transport<S> {
    /// Takes any HTTP service in place of the built stack, with its type kept: no box, no allocation per
    /// call, and its readiness is passed on.
    #[must_use]
    pub fn from_service(service: S) -> Self {
        Self { service, cluster: None }
    }

    /// The servers as of now; `None` where the transport was made of a service.
    #[must_use]
    pub fn endpoints(&self) -> Option<Endpoints> {
        self.cluster.as_ref().map(|cluster| cluster.servers.endpoints())
    }

    /// Replaces the list of servers for all clones, see [`RouteHandle::set_endpoints`].
    ///
    /// ```
    /// use etcd_transport::{Endpoints, Transport};
    ///
    /// let transport = Transport::builder(Endpoints::parse("a, b")?).build()?;
    /// transport.set_endpoints(&Endpoints::parse("b, c")?)?; // connections to b stay
    /// # Ok::<(), etcd_transport::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InsecureEndpoint`, `InsecureAuth`, `InvalidTls`; `InvalidEndpoint` where the transport was made of a service.
    /// Nothing has changed then.
    pub fn set_endpoints(&self, endpoints: &Endpoints) -> Result<(), Error> {
        self.servers()?.set_endpoints(endpoints)
    }

    /// Takes the members of the cluster into the list of servers, see [`RouteHandle::sync`]. Off until it is
    /// called.
    ///
    /// # Errors
    ///
    /// The source's; `InvalidEndpoint` where the transport was made of a service.
    ///
    /// # Cancel safety
    ///
    /// The list changes at the very end or not at all.
    pub async fn sync(&self, source: &dyn EndpointSource) -> Result<SyncReport, Error> {
        self.servers()?.sync(source).await
    }

    /// Forgets which servers have failed, see [`RouteHandle::reset_health`].
    pub fn reset_health(&self) {
        if let Some(cluster) = &self.cluster {
            cluster.servers.reset_health();
        }
    }

    fn servers(&self) -> Result<&RouteHandle, Error> {
        self.cluster.as_ref().map(|cluster| &cluster.servers).ok_or_else(|| {
            Error::new(ErrorKind::InvalidEndpoint)
                .detail("transport was made of a service and has no list of servers")
        })
    }

    /// The id of the cluster, once it is known; `None` also where the transport was made of a service.
    #[must_use]
    pub fn cluster_id(&self) -> Option<String> {
        self.cluster.as_ref().and_then(|cluster| cluster.id.get())
    }

    /// Forgets which cluster this is and which index was seen: after the cluster was replaced or restored, on
    /// purpose. Clones forget with it.
    ///
    /// The next answer with an id says which cluster it is. An id that was given stays.
    pub fn forget_cluster_id(&self) {
        if let Some(cluster) = &self.cluster {
            cluster.id.forget();
            cluster.seen.forget();
        }
    }
}

impl<S, B> Service<Request<ReqBody>> for Transport<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<RespBody>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.service.poll_ready(cx).map_err(Error::of_readiness)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> ResponseFuture<S::Future> {
        let idempotence = CallContext::of(request.extensions()).idempotence;
        // A log of its own, even if the request was used before: what it says must be about this call.
        request.extensions_mut().remove::<CallState>();
        request.extensions_mut().remove::<AttemptState>();
        if let Some(cluster) = &self.cluster {
            request.extensions_mut().insert(CallState::proving(&cluster.strays));
        }
        let call = CallState::of(request.extensions_mut());
        // The limits of the built stack would panic; a service of somebody else may do without a runtime.
        let runs = self.cluster.is_none() || Handle::try_current().is_ok();
        let inner = runs.then(|| self.service.call(request));
        ResponseFuture { inner, call, idempotence }
    }
}

impl<S> fmt::Debug for Transport<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("endpoints", &self.endpoints()).finish_non_exhaustive()
    }
}

pin_project! {
    /// The answer of a [`Transport`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt in flight and closes its connection. For a write the outcome is then
    /// `Unknown`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        // `None` outside of a runtime.
        #[pin]
        inner: Option<F>,
        call: CallState,
        idempotence: Idempotence,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<RespBody>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Err(Error::new(ErrorKind::NoRuntime).of_request(*this.idempotence)));
        };
        let answer = ready!(inner.poll(cx));
        // First the end, then what can be said of it: a copy in a layer's queue must not go out later.
        this.call.end();
        Poll::Ready(match answer {
            Ok(mut response) => {
                this.call.account(response.extensions_mut(), *this.idempotence);
                response.extensions_mut().remove::<AnsweredBy>();
                Ok(response.map(RespBody::wrap))
            }
            Err(error) => Err(this.call.settle(error.into(), *this.idempotence)),
        })
    }
}

#[cfg(test)]
#[path = "transport_test.rs"]
mod tests;

#[cfg(test)]
#[path = "transport_late_test.rs"]
mod late_tests;
