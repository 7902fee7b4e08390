//! Refusing answers of another cluster.
//!
//! It stands at the endpoint, with a memory for each: a server that has answered for another cluster is not
//! asked again for a while, which is known before anything is sent.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use etcd_proto::v2::Header;
use etcd_proto::{BoxError, Idempotence, Outcome};
use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::attempt_state::AttemptState;
use crate::call_state::CallState;
use crate::{CallContext, ClusterId, Error, ErrorKind, Phase, ReqBody, proof};

/// Refuses answers with an `X-Etcd-Cluster-Id` other than the expected or the first seen.
///
/// Indexes of different clusters have nothing to do with each other: a watch that goes on elsewhere, or a
/// comparison by index, would be wrong without a sign. Answers without the header pass: servers before 2.0
/// have none, nor have redirects, statistics and the version.
///
/// What became of a write is what the head of the answer proves. A success with an index is `Applied`: it was
/// written, in the wrong cluster. A server that has answered so is not asked for 30 s; calls to it then fail
/// with `NotApplied`, and go on to the next endpoint. Reads go on in either case.
///
/// Belongs below [`RouteLayer`](crate::RouteLayer), as the outermost
/// [`endpoint_layer`](crate::RouteLayer::endpoint_layer): each service that it makes is for one server.
///
/// ```
/// use etcd_transport::{ClusterId, ClusterPinLayer, ConnectError, Endpoints, ReqBody, RespBody, RouteLayer};
/// use tower::ServiceBuilder;
///
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let id = ClusterId::learned();
/// let route = RouteLayer::new(Endpoints::parse("a, b")?).endpoint_layer(ClusterPinLayer::new(id.clone()));
/// let service = ServiceBuilder::new().layer(route).service(connection);
/// # drop(service);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
///
/// # Errors
///
/// `ClusterChanged`, with both ids.
#[derive(Clone, Debug)]
pub struct ClusterPinLayer {
    id: ClusterId,
}

impl ClusterPinLayer {
    /// Compares with this id; clones of it are the same id.
    #[must_use]
    pub fn new(id: ClusterId) -> Self {
        Self { id }
    }
}

impl<S> Layer<S> for ClusterPinLayer {
    type Service = ClusterPin<S>;

    fn layer(&self, inner: S) -> ClusterPin<S> {
        ClusterPin { inner, pin: Pinned { id: self.id.clone(), stranger: Arc::default() } }
    }
}

/// The service of [`ClusterPinLayer`], for one server.
#[derive(Clone, Debug)]
pub struct ClusterPin<S> {
    inner: S,
    pin: Pinned,
}

/// What is known of one server.
#[derive(Clone, Debug)]
struct Pinned {
    id: ClusterId,
    stranger: Arc<Mutex<Option<Stranger>>>,
}

/// The server has answered for another cluster.
#[derive(Clone, Debug)]
struct Stranger {
    text: Box<str>,
    until: Instant,
    /// How often the id had been forgotten then.
    forgotten: u64,
}

impl Pinned {
    /// Why the server is not asked now.
    fn stranger(&self) -> Option<Box<str>> {
        let stranger = self.stranger.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let holds = Instant::now() < stranger.until && self.id.forgotten() == stranger.forgotten;
        holds.then_some(stranger.text)
    }

    /// Looks at the head of an answer.
    fn check(&self, headers: &HeaderMap) -> Result<(), Box<str>> {
        // As text only to compare it and to print it; what is no text is no id.
        let Some(seen) = headers.get(Header::CLUSTER_ID).and_then(|id| id.to_str().ok()) else {
            return Ok(());
        };
        let forgotten = self.id.forgotten();
        let Err(wanted) = self.id.check(seen) else { return Ok(()) };
        let seen: String = seen.chars().take(LONGEST_SHOWN).collect();
        let text: Box<str> = format!("belongs to cluster `{seen}`, not to `{wanted}`").into();
        let stranger = Stranger { text: text.clone(), until: Instant::now() + AVOIDED, forgotten };
        *self.stranger.lock().unwrap_or_else(PoisonError::into_inner) = Some(stranger);
        Err(text)
    }
}

impl<S, B> Service<Request<ReqBody>> for ClusterPin<S>
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
        let idempotence = CallContext::of(request.extensions()).idempotence;
        let call = CallState::of(request.extensions_mut());
        let attempt = AttemptState::of(request.extensions_mut());
        let refused = self.pin.stranger().map(|text| {
            Error::new(ErrorKind::ClusterChanged).of_request(idempotence).at(attempt.endpoint()).detail(text)
        });
        let inner = refused.is_none().then(|| self.inner.call(request));
        ResponseFuture { inner, refused, pin: self.pin.clone(), idempotence, call, attempt }
    }
}

pin_project! {
    /// The answer of a [`ClusterPin`].
    ///
    /// # Cancel safety
    ///
    /// As that of the service inside.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        // `None` where the server is not asked.
        #[pin]
        inner: Option<F>,
        refused: Option<Error>,
        pin: Pinned,
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
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Err(this.refused.take().expect("taken once, when the future ends")));
        };
        let answer = ready!(inner.poll(cx)).map_err(|error| this.call.own(error.into(), *this.idempotence));
        let response = answer?;
        let Err(text) = this.pin.check(response.headers()) else { return Poll::Ready(Ok(response)) };
        let proved = proof::by_head(response.status(), response.headers());
        let proved = this.attempt.with_other_copies(proved);
        if proved == Outcome::NotApplied {
            // It was sent, but as good as not: what is above asks whether anything is left to fear of it.
            this.attempt.copy_comes_back();
        }
        Poll::Ready(Err(Error::new(ErrorKind::ClusterChanged)
            .of_request(*this.idempotence)
            .at(this.attempt.endpoint())
            .with_status(response.status())
            .proves(proved, Phase::Body)
            .detail(text)))
    }
}

/// For how long a server of another cluster is not asked.
const AVOIDED: Duration = Duration::from_secs(30);

/// Of an id in a message, in characters; etcd's have 16.
const LONGEST_SHOWN: usize = 40;

#[cfg(test)]
#[path = "cluster_pin_test.rs"]
mod tests;
