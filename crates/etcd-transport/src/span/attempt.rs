//! The span of an attempt.

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
use crate::attempt_state::AttemptState;
use crate::call_state::CallState;
use crate::{CallContext, Error, ReqBody, RespBody};

/// Opens a span `etcd.attempt` (level debug) around each attempt, and can show bodies.
///
/// Fields: `attempt` (from 1), and recorded at the end `server.address`, `http.response.status_code`,
/// `etcd.index`, `error.kind`, `etcd.outcome` (of this attempt), `elapsed_ms`. URIs, which have keys in them,
/// are not recorded.
///
/// Belongs right below the attempt layers, above [`CollectLayer`](crate::CollectLayer), which makes the
/// bodies that it can show.
///
/// # Cancel safety
///
/// An attempt that is dropped, also by the limit of its call, closes its span with the fields of its end
/// empty.
#[derive(Clone, Debug, Default)]
pub struct AttemptSpanLayer {
    bodies: bool,
}

impl AttemptSpanLayer {
    /// Spans alone, no bodies.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the bodies of requests and buffered answers are shown in events of level trace with target
    /// `etcd_transport::body`. Default false.
    ///
    /// **Bodies hold the values stored in etcd, and the passwords of users that are created or changed.**
    /// They are shown as they are. The `Authorization` header is never shown.
    #[must_use]
    pub fn trace_bodies(mut self, bodies: bool) -> Self {
        self.bodies = bodies;
        self
    }
}

impl<S> Layer<S> for AttemptSpanLayer {
    type Service = AttemptSpan<S>;

    fn layer(&self, inner: S) -> AttemptSpan<S> {
        AttemptSpan { inner, bodies: self.bodies }
    }
}

/// The service of [`AttemptSpanLayer`].
#[derive(Clone, Debug)]
pub struct AttemptSpan<S> {
    inner: S,
    /// Whether to show bodies.
    bodies: bool,
}

impl<S> Service<Request<ReqBody>> for AttemptSpan<S>
where
    S: Service<Request<ReqBody>, Response = Response<RespBody>>,
    S::Error: Into<BoxError>,
{
    type Response = Response<RespBody>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::of_readiness)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> ResponseFuture<S::Future> {
        let idempotence = CallContext::of(request.extensions()).idempotence;
        let call = CallState::of(request.extensions_mut());
        let attempt = AttemptState::of(request.extensions_mut());
        let span = tracing::debug_span!(
            "etcd.attempt",
            "attempt" = attempt.number(),
            "server.address" = Empty,
            "http.response.status_code" = Empty,
            "etcd.index" = Empty,
            "error.kind" = Empty,
            "etcd.outcome" = Empty,
            "elapsed_ms" = Empty,
        );
        if self.bodies {
            show(&span, "request", request.body().as_bytes());
        }
        let since = Instant::now();
        let inner = span.in_scope(|| self.inner.call(request));
        ResponseFuture { inner, span, since, bodies: self.bodies, call, attempt, idempotence }
    }
}

pin_project! {
    /// The answer of an [`AttemptSpan`]. The span is entered while it is polled, and closed with it.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        span: Span,
        since: Instant,
        bodies: bool,
        call: CallState,
        attempt: AttemptState,
        idempotence: Idempotence,
    }
}

impl<F, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<RespBody>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<RespBody>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.span.enter();
        let answer = ready!(this.inner.poll(cx));
        let answer = answer.map_err(|error| this.call.own(error.into(), *this.idempotence));
        if let Some(endpoint) = this.attempt.live().endpoint() {
            this.span.record("server.address", tracing::field::display(endpoint));
        }
        record(this.span, *this.since, &answer);
        if let (true, Ok(response)) = (*this.bodies, &answer) {
            show(this.span, "answer", response.body().as_bytes().map(|bytes| &**bytes));
        }
        Poll::Ready(answer)
    }
}

/// Shows a body as text; what is not UTF-8 in it is replaced.
fn show(span: &Span, of: &'static str, body: Option<&[u8]>) {
    match body {
        Some(body) => {
            tracing::trace!(
                target: "etcd_transport::body",
                parent: span,
                of,
                body = %String::from_utf8_lossy(body),
            );
        }
        None => tracing::trace!(target: "etcd_transport::body", parent: span, of, "streamed body, not shown"),
    }
}
