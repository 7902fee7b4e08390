//! The limit of a call with all its attempts.
//!
//! At the limit three things happen in this order: the call is closed, so that a copy of the request which
//! waits in some layer's queue goes nowhere any more; what is open in the log fails; the outcome is read from
//! the log. In another order a request could be sent after the caller was told that none was.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use etcd_proto::{BoxError, Idempotence};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_layer::Layer;
use tower_service::Service;

use crate::call_state::CallState;
use crate::{CallContext, Error, ReqBody};

/// Ends calls at [`CallContext::call_timeout`].
///
/// Belongs above [`RetryLayer`](crate::RetryLayer): below it, it would limit each attempt.
///
/// ```
/// use std::time::Duration;
///
/// use etcd_transport::{CallContext, DeadlineLayer, ReqBody};
///
/// // One limit for requests that have no context …
/// let layer = DeadlineLayer::new().fallback(Some(Duration::from_secs(30)));
/// # drop(layer);
/// // … and one for this request.
/// let mut context = CallContext::default();
/// context.call_timeout = Some(Duration::from_secs(3));
/// let mut request = http::Request::new(ReqBody::empty());
/// request.extensions_mut().insert(context);
/// ```
///
/// # Errors
///
/// `Deadline`, which names the limit and the endpoint asked last. The outcome is `NotApplied` if the call's
/// log proves that no attempt was begun, or that the pool still held it for want of a connection; it can in a
/// built [`Transport`](crate::Transport) only. It speaks against an endpoint that has kept the call waiting
/// for 1 s without a head, or for 250 ms without a connection; else later calls begin where they did.
///
/// # Cancel safety
///
/// At the limit the attempt in flight is dropped, and with it its connection. Had it been begun, the outcome
/// of a write is `Unknown`; the error lists it among its attempts.
///
/// # Panics
///
/// Calls panic outside of a tokio runtime with timers. A [`Transport`](crate::Transport) answers with an
/// error there.
#[derive(Clone, Debug)]
pub struct DeadlineLayer {
    fallback: Option<Duration>,
}

impl DeadlineLayer {
    /// With the limit of [`CallContext::default`] for requests that have no context.
    #[must_use]
    pub fn new() -> Self {
        Self { fallback: CallContext::default().call_timeout }
    }

    /// Another limit for requests that have no context; `None` for no limit. Default 15 s.
    #[must_use]
    pub fn fallback(mut self, limit: Option<Duration>) -> Self {
        self.fallback = limit;
        self
    }
}

impl Default for DeadlineLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner, fallback: self.fallback }
    }
}

/// The service of [`DeadlineLayer`].
///
/// The time runs from the call, on tokio's clock; waiting for the service to become ready is not part of it.
#[derive(Clone, Debug)]
pub struct Deadline<S> {
    inner: S,
    fallback: Option<Duration>,
}

impl<S, B> Service<Request<ReqBody>> for Deadline<S>
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
        let context = request.extensions().get::<CallContext>();
        let limit = context.map_or(self.fallback, |context| context.call_timeout);
        let idempotence = context.map_or(Idempotence::Once, |context| context.idempotence);
        let state = CallState::of(request.extensions_mut());
        state.open(limit);
        // A limit of zero leaves no time to ask anybody.
        let inner = (limit != Some(Duration::ZERO)).then(|| self.inner.call(request));
        ResponseFuture { inner, sleep: limit.map(tokio::time::sleep), limit, state, idempotence }
    }
}

pin_project! {
    /// The answer of a [`Deadline`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt in flight; for a write the outcome is then `Unknown`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Option<F>,
        #[pin]
        sleep: Option<Sleep>,
        limit: Option<Duration>,
        state: CallState,
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
        // The answer first: one that is there counts, however late this task was polled.
        if let Some(inner) = this.inner.as_pin_mut()
            && let Poll::Ready(answer) = inner.poll(cx)
        {
            return Poll::Ready(answer.map_err(|error| this.state.settle(error.into(), *this.idempotence)));
        }
        let (Some(sleep), Some(limit)) = (this.sleep.as_pin_mut(), *this.limit) else { return Poll::Pending };
        sleep.poll(cx).map(|()| Err(this.state.expire(limit, *this.idempotence)))
    }
}

#[cfg(test)]
mod tests {
    use etcd_proto::Outcome;
    use tower_test::mock::{self, Handle};

    use super::*;
    use crate::RespBody;

    type Peer = Handle<Request<ReqBody>, Response<RespBody>>;

    fn request(limit: Option<Duration>) -> Request<ReqBody> {
        let mut request = Request::new(ReqBody::empty());
        request.extensions_mut().insert(CallContext { call_timeout: limit, ..CallContext::default() });
        request
    }

    async fn start(
        request: Request<ReqBody>,
    ) -> (tokio::task::JoinHandle<Result<Response<RespBody>, Error>>, Peer) {
        let (inner, handle) = mock::pair();
        (tokio::spawn(tower::ServiceExt::oneshot(DeadlineLayer::new().layer(inner), request)), handle)
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_at_the_limit_of_its_context() {
        let began = tokio::time::Instant::now();
        let (call, mut peer) = start(request(Some(Duration::from_secs(3)))).await;
        let _pending = peer.next_request().await.unwrap();
        let error = call.await.unwrap().unwrap_err();
        assert!(error.is_deadline());
        assert_eq!(began.elapsed().as_secs(), 3);
        assert_eq!(error.to_string(), "call not finished within 3s");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_transport_nothing_proves_that_nothing_was_sent() {
        let (call, mut peer) = start(request(Some(Duration::from_secs(3)))).await;
        let _pending = peer.next_request().await.unwrap();
        assert_eq!(call.await.unwrap().unwrap_err().outcome(), Outcome::Unknown);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_without_a_context_gets_the_default() {
        let began = tokio::time::Instant::now();
        let (call, mut peer) = start(Request::new(ReqBody::empty())).await;
        let _pending = peer.next_request().await.unwrap();
        assert!(call.await.unwrap().unwrap_err().is_deadline());
        assert_eq!(began.elapsed().as_secs(), 15);
    }

    #[tokio::test(start_paused = true)]
    async fn the_fallback_is_for_requests_without_a_context_only() {
        let layer = DeadlineLayer::new().fallback(Some(Duration::from_secs(1)));
        for (request, seconds) in
            [(Request::new(ReqBody::empty()), 1), (request(Some(Duration::from_secs(3))), 3)]
        {
            let began = tokio::time::Instant::now();
            let (inner, mut peer) = mock::pair::<_, Response<RespBody>>();
            let call = tokio::spawn(tower::ServiceExt::oneshot(layer.layer(inner), request));
            let _pending = peer.next_request().await.unwrap();
            assert!(call.await.unwrap().unwrap_err().is_deadline());
            assert_eq!(began.elapsed().as_secs(), seconds);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn none_is_no_limit() {
        let (call, mut peer) = start(request(None)).await;
        let (_, answer) = peer.next_request().await.unwrap();
        tokio::time::advance(Duration::from_secs(86_400)).await;
        answer.send_response(Response::new(RespBody::from("late")));
        assert!(call.await.unwrap().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_of_zero_asks_nobody() {
        let (call, mut peer) = start(request(Some(Duration::ZERO))).await;
        assert!(call.await.unwrap().unwrap_err().is_deadline());
        assert!(peer.next_request().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_was_begun_counts_as_unknown_and_is_listed() {
        let mut sent = request(Some(Duration::from_secs(3)));
        let state = CallState::proving(&Default::default());
        sent.extensions_mut().insert(state.clone());
        let (call, mut peer) = start(sent).await;
        let _pending = peer.next_request().await.unwrap();
        let leave = crate::route::Leave::for_tests("http://a:1");
        state.enter().begin(leave, 0);
        let error = call.await.unwrap().unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert_eq!(error.attempts().as_slice()[0].endpoint().to_string(), "http://a:1");
        assert_eq!(error.to_string(), "call not finished within 3s, last at http://a:1");
    }
}
