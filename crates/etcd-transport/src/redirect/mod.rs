//! What to do with answers that send the client elsewhere.
//!
//! ```text
//! rule     where a redirect leads, or why it is not followed; texts only
//! future   the requests that follow one another
//! ```

mod future;
mod layer;
mod rule;

use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;
use etcd_proto::BoxError;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

pub use self::future::ResponseFuture;
pub use self::layer::RedirectLayer;
use crate::attempt_state::AttemptState;
use crate::call_state::CallState;
use crate::{CallContext, DynService, Endpoint, Endpoints, Error, ReqBody, RespBody, RouteHandle};

/// The service of [`RedirectLayer`].
#[derive(Clone, Debug)]
pub struct Redirect<S> {
    inner: S,
    servers: Servers,
}

/// Who may be asked instead.
#[derive(Clone, Debug)]
struct Servers {
    known: Known,
    /// Those outside of the router's list, with their service.
    allowed: Option<(Endpoints, DynService)>,
}

/// Where the list of servers comes from.
#[derive(Clone, Debug)]
enum Known {
    /// It stays as it is.
    Fixed(Endpoints),
    /// It is the router's, which may be given another one.
    Router(RouteHandle),
}

impl Known {
    /// The servers as of now.
    fn endpoints(&self) -> Endpoints {
        match self {
            Self::Fixed(endpoints) => endpoints.clone(),
            Self::Router(servers) => servers.endpoints(),
        }
    }
}

impl Servers {
    /// The server that is written so, and the service for it if it is not the usual one.
    fn find(&self, written: &str) -> Option<(Endpoint, Option<&DynService>)> {
        let among = |endpoints: &Endpoints| {
            endpoints.iter().find(|endpoint| endpoint.to_string() == written).cloned()
        };
        let usual = among(&self.known.endpoints()).map(|endpoint| (endpoint, None));
        usual.or_else(|| {
            let (endpoints, service) = self.allowed.as_ref()?;
            among(endpoints).map(|endpoint| (endpoint, Some(service)))
        })
    }
}

impl<S> Redirect<S> {
    fn new(inner: S, known: Known, allowed: Option<(Endpoints, DynService)>) -> Self {
        Self { inner, servers: Servers { known, allowed } }
    }
}

impl<S, B> Service<Request<ReqBody>> for Redirect<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<RespBody>;
    type Error = Error;
    type Future = ResponseFuture<S>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::of_readiness)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> ResponseFuture<S> {
        let call = CallState::of(request.extensions_mut());
        let attempt = AttemptState::of(request.extensions_mut());
        let context = CallContext::of(request.extensions());
        let path = request.uri().path_and_query().cloned();
        let copy = crate::retry::copy(&request);
        // The instance that was ready takes the request; its clone is for those that follow.
        let clone = self.inner.clone();
        let mut ready = mem::replace(&mut self.inner, clone.clone());
        let inner = ready.call(request);
        ResponseFuture::new(inner, clone, self.servers.clone(), copy, path, context, call, attempt)
    }
}

#[cfg(test)]
#[path = "test.rs"]
mod tests;
