//! The limit of one attempt.
//!
//! tower's `Timeout` has one limit for all requests; here each brings its own, and what an expired attempt
//! proves is taken from how far it had come.
//!
//! One timer, which may ring twice: at half of the time that the call has left, to see whether there is a
//! connection yet, and at the limit. Half, since an answer takes a round trip as a connection does: whoever
//! needs longer to connect will not be answered in time either, and another server may be. Racing a slow
//! connect with another is for later.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use etcd_proto::{BoxError, Idempotence};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};
use tower_layer::Layer;
use tower_service::Service;

use crate::attempt_state::AttemptState;
use crate::call_state::CallState;
use crate::{CallContext, Error, ErrorKind, ReqBody};

/// Ends attempts at [`CallContext::attempt_timeout`].
///
/// Belongs below [`RetryLayer`](crate::RetryLayer) and above [`CollectLayer`](crate::CollectLayer): so the
/// body of a buffered answer counts in, and a stream is limited up to its head only.
///
/// ```
/// use std::time::Duration;
///
/// use etcd_transport::{CallContext, ReqBody};
///
/// let mut context = CallContext::default();
/// context.attempt_timeout = Some(Duration::from_secs(5));
/// let mut request = http::Request::new(ReqBody::empty());
/// request.extensions_mut().insert(context); // AttemptTimeoutLayer reads it there
/// ```
///
/// # Connecting
///
/// Below a limit of the call ([`DeadlineLayer`](crate::DeadlineLayer)) an attempt that has no connection
/// after half of the time that the call has left ends there, if there is another endpoint to ask. With a
/// limit of 300 ms and two dead servers before the good one they take 150 ms and 75 ms. An end while
/// connecting speaks against an endpoint only after 250 ms, so that a caller in a hurry moves nobody else.
///
/// # Errors
///
/// `AttemptTimeout`, which names the endpoint and the limit. Where the pool of a built transport still held
/// the request for want of a connection, its phase is `Connect` and nothing was sent: the next endpoint is
/// asked. Else another attempt follows only what says of itself that a repeat does no harm, and later calls
/// begin with another endpoint.
///
/// # Cancel safety
///
/// At the limit the attempt is dropped, and with it its connection. What it proves is what was seen until
/// then: `NotApplied` if there was no connection yet, `Applied` if the head of a success had come, else
/// `Unknown` for a write. A limit of zero asks nobody.
///
/// # Panics
///
/// Calls panic outside of a tokio runtime with timers. A [`Transport`](crate::Transport) answers with an
/// error there.
#[derive(Clone, Debug, Default)]
pub struct AttemptTimeoutLayer {
    _private: (),
}

impl AttemptTimeoutLayer {
    /// The limits come with the requests.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for AttemptTimeoutLayer {
    type Service = AttemptTimeout<S>;

    fn layer(&self, inner: S) -> AttemptTimeout<S> {
        AttemptTimeout { inner }
    }
}

/// The service of [`AttemptTimeoutLayer`].
///
/// The time runs from the call, on tokio's clock; waiting for the service to become ready is not part of it.
#[derive(Clone, Debug)]
pub struct AttemptTimeout<S> {
    inner: S,
}

impl<S, B> Service<Request<ReqBody>> for AttemptTimeout<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
{
    type Response = Response<B>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::of_readiness)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> ResponseFuture<S::Future> {
        let context = CallContext::of(request.extensions());
        let call = CallState::of(request.extensions_mut());
        let state = AttemptState::of(request.extensions_mut());
        let limit = context.attempt_timeout;
        // A check that would come after the limit is none.
        let check =
            call.time_left().map(|left| left / 2).filter(|check| limit.is_none_or(|limit| *check < limit));
        let since = Instant::now();
        // A limit of zero leaves no time to ask anybody.
        let inner = (limit != Some(Duration::ZERO)).then(|| self.inner.call(request));
        let sleep = check.or(limit).map(tokio::time::sleep);
        ResponseFuture { inner, sleep, check, limit, since, idempotence: context.idempotence, call, state }
    }
}

pin_project! {
    /// The answer of an [`AttemptTimeout`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt; for a write the outcome is then `Unknown`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        // `None` for a limit of zero.
        #[pin]
        inner: Option<F>,
        #[pin]
        sleep: Option<Sleep>,
        // When to see whether there is a connection, from the beginning; `None` once that was seen.
        check: Option<Duration>,
        limit: Option<Duration>,
        since: Instant,
        idempotence: Idempotence,
        call: CallState,
        state: AttemptState,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Err(too_slow(Duration::ZERO, *this.idempotence)));
        };
        if let Poll::Ready(answer) = inner.poll(cx) {
            return Poll::Ready(answer.map_err(|error| this.call.own(error.into(), *this.idempotence)));
        }
        while let Some(mut sleep) = this.sleep.as_mut().as_pin_mut() {
            ready!(sleep.as_mut().poll(cx));
            if let Some(check) = this.check.take() {
                // The last endpoint gets all the time that there is.
                let others = this.state.untried().is_some_and(|untried| untried > 0);
                let error = too_slow(check, *this.idempotence);
                if let Some(error) = others.then(|| this.state.give_up_unsent(error)).flatten() {
                    return Poll::Ready(Err(error));
                }
                match this.limit.and_then(|limit| this.since.checked_add(limit)) {
                    Some(end) => sleep.reset(end),
                    None => this.sleep.set(None),
                }
            } else if let Some(limit) = *this.limit {
                return Poll::Ready(Err(this.state.give_up(too_slow(limit, *this.idempotence))));
            }
        }
        Poll::Pending
    }
}

/// In whole milliseconds: what is left of a call is rarely a round number.
fn too_slow(limit: Duration, idempotence: Idempotence) -> Error {
    let limit = match limit.as_millis() {
        0 => limit,
        millis => Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)),
    };
    Error::new(ErrorKind::AttemptTimeout).of_request(idempotence).detail(format!("{limit:?}"))
}

#[cfg(test)]
#[path = "attempt_timeout_test.rs"]
mod tests;
