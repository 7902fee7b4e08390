//! The span of a call.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use etcd_proto::{BoxError, Idempotence};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Span;
use tracing::field::Empty;

use super::record;
use crate::call_state::CallState;
use crate::{CallContext, Error, ReqBody};

/// Opens a span `etcd.request` (level debug) around each call.
///
/// Fields: `etcd.op`, `http.request.method`, and recorded at the end `attempts` (begun),
/// `http.response.status_code`, `etcd.index`, `error.kind`, `etcd.outcome`, `elapsed_ms`. The URI, which has
/// the key in it, is not recorded.
///
/// Belongs right below the call layers. What they do is outside of the span; they can open one of their own.
///
/// # Cancel safety
///
/// A call that is dropped closes its span with the fields of its end left empty.
#[derive(Clone, Debug, Default)]
pub struct RequestSpanLayer {
    _private: (),
}

impl RequestSpanLayer {
    /// There is nothing to set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for RequestSpanLayer {
    type Service = RequestSpan<S>;

    fn layer(&self, inner: S) -> RequestSpan<S> {
        RequestSpan { inner }
    }
}

/// The service of [`RequestSpanLayer`].
///
/// The time runs from the call, on tokio's clock.
#[derive(Clone, Debug)]
pub struct RequestSpan<S> {
    inner: S,
}

impl<S, B> Service<Request<ReqBody>> for RequestSpan<S>
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
        let span = tracing::debug_span!(
            "etcd.request",
            "etcd.op" = context.operation,
            "http.request.method" = request.method().as_str(),
            "attempts" = Empty,
            "http.response.status_code" = Empty,
            "etcd.index" = Empty,
            "error.kind" = Empty,
            "etcd.outcome" = Empty,
            "elapsed_ms" = Empty,
        );
        let call = CallState::of(request.extensions_mut());
        let since = Instant::now();
        let inner = span.in_scope(|| self.inner.call(request));
        ResponseFuture { inner, span, since, call, idempotence: context.idempotence }
    }
}

pin_project! {
    /// The answer of a [`RequestSpan`]. The span is entered while it is polled, and closed with it.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        span: Span,
        since: Instant,
        call: CallState,
        idempotence: Idempotence,
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
        let _entered = this.span.enter();
        let answer = ready!(this.inner.poll(cx));
        let answer = answer.map_err(|error| this.call.settle(error.into(), *this.idempotence));
        this.span.record("attempts", this.call.begun());
        record(this.span, *this.since, &answer);
        Poll::Ready(answer)
    }
}
