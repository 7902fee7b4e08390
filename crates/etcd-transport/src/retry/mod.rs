//! Whether a request is sent once more.
//!
//! [`RetryLayer`] holds a [`Policy`], which is asked after each attempt with how it ended ([`Ending`]) and
//! says what follows ([`Decision`]). [`Standard`] is the policy of a built transport. The layer adds what
//! holds for every policy: pauses between rounds ([`Backoff`]), the [`Budget`], the number of attempts, and
//! the limit of the call.
//!
//! A service of its own rather than tower's `Retry`, for three reasons: what goes up must carry the log of
//! the call, the decision depends on whether the attempt is in that log, and the pause is chosen with the
//! decision. A copy beside one that is silent is no policy: a policy is asked after the fact, see
//! [`ReissueLayer`](crate::ReissueLayer).

mod backoff;
mod budget;
mod config;
mod future;
mod jitter;
mod layer;
mod policy;

use std::mem;
use std::task::{Context, Poll};

use etcd_proto::BoxError;
use http::{Request, Response};
use tower_service::Service;

pub use self::backoff::Backoff;
pub use self::budget::Budget;
pub use self::config::RetryConfig;
pub use self::future::ResponseFuture;
use self::future::Rules;
pub use self::jitter::Jitter;
pub use self::layer::RetryLayer;
pub use self::policy::{Decision, End, Ending, Policy, Standard};
use crate::call_state::{CallState, Lane};
use crate::{CallContext, Error, ReqBody};

/// The service of [`RetryLayer`].
///
/// Each attempt gets a copy of the request with headers and extensions; the body is shared. Headers that do
/// not depend on the call are set further below, so that there is little to copy.
#[derive(Clone, Debug)]
pub struct Retry<S, P = Standard> {
    inner: S,
    policy: P,
    rules: Rules,
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
        let mut context = CallContext::of(request.extensions());
        if let (None, Some(limit)) = (context.max_attempts, self.rules.max_attempts) {
            // The router keeps to it as well, where attempts race.
            context.max_attempts = Some(limit);
            request.extensions_mut().insert(context.clone());
        }
        // A copy in the other lane is a repetition itself.
        if let (Lane::First, Some(budget)) = (call.lane(), &self.rules.budget) {
            budget.deposit();
        }
        let copy = copy(&request);
        // The instance that was ready goes into the future; a clone of it takes its place.
        let clone = self.inner.clone();
        let mut ready = mem::replace(&mut self.inner, clone);
        let begun = call.begun();
        let inner = ready.call(request);
        ResponseFuture::new(inner, begun, copy, ready, self.policy.clone(), self.rules.clone(), call, context)
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

#[cfg(test)]
#[path = "round_test.rs"]
mod round_tests;
