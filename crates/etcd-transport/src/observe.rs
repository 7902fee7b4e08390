//! Telling an observer of attempts.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use etcd_proto::{BoxError, Idempotence, Outcome};
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::attempt_state::AttemptState;
use crate::call_state::CallState;
use crate::observer::{Ended, SharedObserver};
use crate::{AttemptEnd, AttemptStart, CallContext, Error, ErrorKind, Observer, ReqBody};

/// Tells an [`Observer`] of each attempt that passes.
///
/// Belongs below [`RetryLayer`](crate::RetryLayer) and above
/// [`AttemptTimeoutLayer`](crate::AttemptTimeoutLayer), so that what ends by that limit ends for the observer
/// as such. Above the retries it would see calls.
///
/// ```
/// use etcd_transport::{AttemptEnd, AttemptStart, ConnectError, ObserveLayer, Observer, ReqBody, RespBody};
/// use tower::ServiceBuilder;
///
/// # struct Silent;
/// # impl Observer for Silent {
/// #     type Attempt = ();
/// #     fn attempt_started(&self, _: &AttemptStart) {}
/// #     fn attempt_ended(&self, (): (), _: &AttemptEnd) {}
/// # }
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let service = ServiceBuilder::new().layer(ObserveLayer::new(Silent)).service(connection);
/// # drop(service);
/// ```
#[derive(Clone, Debug)]
pub struct ObserveLayer {
    observer: Option<SharedObserver>,
}

impl ObserveLayer {
    /// Tells this observer; clones of the layer share it.
    #[must_use]
    pub fn new(observer: impl Observer) -> Self {
        Self { observer: Some(SharedObserver::new(observer)) }
    }

    /// Tells this observer, or nobody.
    pub(crate) fn of(observer: Option<SharedObserver>) -> Self {
        Self { observer }
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe { inner, observer: self.observer.clone() }
    }
}

/// The service of [`ObserveLayer`].
#[derive(Clone, Debug)]
pub struct Observe<S> {
    inner: S,
    observer: Option<SharedObserver>,
}

impl<S, B> Service<Request<ReqBody>> for Observe<S>
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
        let CallContext { operation, idempotence, .. } = context;
        let call = CallState::of(request.extensions_mut());
        let attempt = AttemptState::of(request.extensions_mut());
        let since = Instant::now();
        let start = AttemptStart { number: attempt.number(), operation, idempotence };
        let ended = self.observer.as_ref().map(|observer| observer.start(&start));
        let report = Report { ended, operation, idempotence, attempt, since };
        ResponseFuture { inner: self.inner.call(request), report, call }
    }
}

/// What is still to be told of one attempt.
struct Report {
    /// `None` where nobody listens, or was told.
    ended: Option<Ended>,
    operation: &'static str,
    idempotence: Idempotence,
    attempt: AttemptState,
    since: Instant,
}

impl Report {
    fn tell(&mut self, status: Option<StatusCode>, kind: Option<ErrorKind>, dropped: bool) {
        let Some(ended) = self.ended.take() else { return };
        // Of those that race, the one that goes on for all.
        let live = self.attempt.live();
        let outcome = match self.idempotence {
            Idempotence::Read => Outcome::NotApplied,
            Idempotence::Guarded | Idempotence::Idempotent | Idempotence::Once => {
                self.attempt.outcome().merge(live.outcome())
            }
        };
        ended(&AttemptEnd {
            number: self.attempt.number(),
            operation: self.operation,
            endpoint: live.endpoint(),
            outcome,
            elapsed: self.since.elapsed(),
            status,
            kind,
            dropped,
        });
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        // Without effect after an answer or a failure.
        let kind = self.attempt.live().failure().map(|failure| failure.kind());
        self.tell(None, kind, true);
    }
}

pin_project! {
    /// The answer of an [`Observe`].
    ///
    /// # Cancel safety
    ///
    /// As that of the service inside; the observer is told of the end.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        // Before the log, which keeps the winner of a race.
        report: Report,
        call: CallState,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(cx));
        let answer = answer.map_err(|error| this.call.own(error.into(), this.report.idempotence));
        match &answer {
            Ok(response) => this.report.tell(Some(response.status()), None, false),
            Err(error) => this.report.tell(error.http_status(), Some(error.kind()), false),
        }
        Poll::Ready(answer)
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("attempt", &self.report.attempt).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "observe_test.rs"]
mod tests;
