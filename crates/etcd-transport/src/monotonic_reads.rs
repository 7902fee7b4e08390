//! Reads that do not go back in time.
//!
//! Any member answers reads from its own copy, and one that lags or was cut off answers with an old one. The
//! index of the store in the head tells how old it is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use etcd_proto::{BoxError, Idempotence, Outcome};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::attempt_state::AttemptState;
use crate::call_state::CallState;
use crate::{BodyMode, CallContext, Error, ErrorKind, Phase, ReqBody, proof};

/// The highest `X-Etcd-Index` that a client has seen. Clones share it.
///
/// ```
/// let seen = etcd_transport::SeenIndex::new();
/// assert_eq!(seen.get(), 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct SeenIndex(Arc<AtomicU64>);

impl SeenIndex {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The highest that was seen; 0 for none.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Begins anew: after a restore from an older backup, or for another cluster.
    pub fn forget(&self) {
        self.0.store(0, Ordering::Release);
    }

    fn see(&self, index: u64) {
        self.0.fetch_max(index, Ordering::AcqRel);
    }
}

/// Refuses answers to reads that are older than what this client had seen when it asked.
///
/// | request | index of the answer | then |
/// | --- | --- | --- |
/// | a read, and on | below the highest seen when it was sent | an error; the next endpoint is asked |
/// | any | as high, or higher | the highest seen is this |
/// | any | none: statistics, version, etcd's errors without one | passes |
/// | a write, or a watch | any | passes, and counts |
///
/// Compared is with what was known when the read was sent: of two that are under way at once, either may be
/// the older one. The head of a watch is not refused, since the watch itself knows from which index on it
/// wants events.
///
/// Off by default, as a member that lags for a moment is no fault. With
/// [`CallContext::monotonic_reads`] a request says otherwise for itself. After a restore from an older backup
/// every read is refused until the index is [forgotten](SeenIndex::forget).
///
/// Belongs above [`CollectLayer`](crate::CollectLayer), so that the body is read and the connection can serve
/// again, and below [`RetryLayer`](crate::RetryLayer), which goes on to the next endpoint.
///
/// ```
/// use etcd_transport::{CollectLayer, ConnectError, MonotonicReadsLayer, ReqBody, RespBody, SeenIndex};
/// use tower::ServiceBuilder;
///
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let service = ServiceBuilder::new()
///     .layer(MonotonicReadsLayer::new(SeenIndex::new()).by_default(true))
///     .layer(CollectLayer::new())
///     .service(connection);
/// # drop(service);
/// ```
///
/// # Errors
///
/// `IndexWentBack`, with both indexes.
#[derive(Clone, Debug)]
pub struct MonotonicReadsLayer {
    seen: SeenIndex,
    on: bool,
}

impl MonotonicReadsLayer {
    /// Compares with this; only for requests that ask for it.
    #[must_use]
    pub fn new(seen: SeenIndex) -> Self {
        Self { seen, on: false }
    }

    /// Whether reads that say nothing are refused too. Default false.
    #[must_use]
    pub fn by_default(mut self, on: bool) -> Self {
        self.on = on;
        self
    }
}

impl<S> Layer<S> for MonotonicReadsLayer {
    type Service = MonotonicReads<S>;

    fn layer(&self, inner: S) -> MonotonicReads<S> {
        MonotonicReads { inner, seen: self.seen.clone(), on: self.on }
    }
}

/// The service of [`MonotonicReadsLayer`].
#[derive(Clone, Debug)]
pub struct MonotonicReads<S> {
    inner: S,
    seen: SeenIndex,
    /// For requests that say nothing.
    on: bool,
}

impl<S, B> Service<Request<ReqBody>> for MonotonicReads<S>
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
        let attempt = AttemptState::of(request.extensions_mut());
        let checked = context.idempotence.is_read()
            && context.monotonic_reads.unwrap_or(self.on)
            && context.body != BodyMode::Stream;
        // Read before the request leaves.
        let floor = if checked { self.seen.get() } else { 0 };
        let inner = self.inner.call(request);
        let seen = self.seen.clone();
        ResponseFuture { inner, floor, seen, idempotence: context.idempotence, call, attempt }
    }
}

pin_project! {
    /// The answer of a [`MonotonicReads`].
    ///
    /// # Cancel safety
    ///
    /// As that of the service inside.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        // An answer with an index below this is refused; 0 refuses none.
        floor: u64,
        seen: SeenIndex,
        idempotence: Idempotence,
        call: CallState,
        attempt: AttemptState,
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
        let answer =
            ready!(this.inner.poll(cx)).map_err(|error| this.call.own(error.into(), *this.idempotence));
        let response = answer?;
        // Zero stands for none: etcd sends it with errors that say nothing of the store.
        let index = proof::etcd_index(response.headers()).get();
        if index == 0 || index >= *this.floor {
            this.seen.see(index);
            return Poll::Ready(Ok(response));
        }
        let error = Error::new(ErrorKind::IndexWentBack)
            .of_request(*this.idempotence)
            .at(this.attempt.live().endpoint())
            .with_status(response.status())
            .proves(Outcome::NotApplied, Phase::Body)
            .detail(format!("index {index} after {}", this.floor));
        this.attempt.fail(&error);
        Poll::Ready(Err(error))
    }
}

#[cfg(test)]
#[path = "monotonic_reads_test.rs"]
mod tests;
