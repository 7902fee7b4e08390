//! Whether a request is sent once more.
//!
//! [`RetryLayer`] holds a [`Policy`], which is asked after each attempt with how it ended ([`Ending`]) and
//! says what follows ([`Decision`]). [`Failover`] is the policy of a built transport.
//!
//! A service of its own rather than tower's `Retry`, for three reasons: what goes up must carry the log of
//! the call, the decision depends on whether the attempt is in that log, and a re-issue (a second copy beside
//! the first, for a later version) does not fit a policy that is asked after the fact.

mod future;
mod layer;
mod policy;

use std::mem;
use std::task::{Context, Poll};

use etcd_proto::BoxError;
use http::{Request, Response};
use tower_service::Service;

pub use self::future::ResponseFuture;
pub use self::layer::RetryLayer;
pub use self::policy::{Decision, End, Ending, Failover, Policy};
use crate::call_state::CallState;
use crate::{CallContext, Error, ReqBody};

/// The service of [`RetryLayer`].
///
/// Each attempt gets a copy of the request with headers and extensions; the body is shared. Headers that do
/// not depend on the call are set further below, so that there is little to copy.
#[derive(Clone, Debug)]
pub struct Retry<S, P = Failover> {
    inner: S,
    policy: P,
}

impl<S, P, B> Service<Request<ReqBody>> for Retry<S, P>
where
    S: Service<Request<ReqBody>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
    P: Policy + Clone,
{
    type Response = Response<B>;
    type Error = Error;
    type Future = ResponseFuture<S, P>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::of_readiness)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> ResponseFuture<S, P> {
        let call = CallState::of(request.extensions_mut());
        let context = CallContext::of(request.extensions());
        let copy = copy(&request);
        // The instance that was ready goes into the future; a clone of it takes its place.
        let clone = self.inner.clone();
        let mut ready = mem::replace(&mut self.inner, clone);
        let begun = call.begun();
        let inner = ready.call(request);
        ResponseFuture::new(inner, begun, copy, ready, self.policy.clone(), call, context)
    }
}

/// A copy for another attempt; `None` where the body exists only once.
pub(crate) fn copy(request: &Request<ReqBody>) -> Option<Request<ReqBody>> {
    let body = request.body().try_clone()?;
    let mut copy = Request::new(body);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

#[cfg(test)]
#[path = "test.rs"]
mod tests;
