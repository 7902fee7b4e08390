//! Reading bodies inside the attempt.
//!
//! Why here and not where the body is decoded: a body that is cut is a failed attempt, and only below the
//! retries can another follow; a body that drips has to meet the limit of the attempt; and what is collected
//! can be judged by the policy, which needs etcd's error and not its status alone.
//!
//! | mode | status below 400 | status of 400 or more |
//! | --- | --- | --- |
//! | `Buffered { limit }` | read up to `limit` | read up to 2 MiB |
//! | `Stream` | handed on | read up to 2 MiB |

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use etcd_proto::v2::ApiError;
use etcd_proto::{BoxError, Idempotence};
use http::{HeaderMap, Request, Response, StatusCode, response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::attempt_state::AttemptState;
use crate::call_state::CallState;
use crate::collected::Collected;
use crate::{BodyMode, CallContext, Error, ErrorKind, Phase, ReqBody, RespBody, proof};

/// Reads the bodies of buffered answers, and of every answer with a status of 400 or more, within limits.
///
/// Belongs below [`RetryLayer`](crate::RetryLayer) and [`AttemptTimeoutLayer`](crate::AttemptTimeoutLayer):
/// so a cut body is a failed attempt, and a dripping one meets the limit of the attempt. An error of etcd in
/// the body is parsed once, here: the [`ApiError`] is in the extensions of the response, and its body can
/// still be read.
///
/// ```
/// use etcd_transport::{AttemptTimeoutLayer, CollectLayer, ConnectError, ReqBody, RespBody};
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), etcd_transport::Error> {
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let service = ServiceBuilder::new()
///     .layer(AttemptTimeoutLayer::new()) // above, so that a body that drips meets the limit
///     .layer(CollectLayer::new())
///     .service(connection);
/// let response = service.oneshot(http::Request::new(ReqBody::empty())).await?;
/// assert_eq!(response.body().as_bytes().unwrap(), "{}");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// `BodyTooLarge` and `BodyInterrupted`. The write is `Applied` if the head was a success with an
/// `X-Etcd-Index`; without that header a success proves nothing.
#[derive(Clone, Debug, Default)]
pub struct CollectLayer {
    _private: (),
}

impl CollectLayer {
    /// The limits come with the requests; that of error bodies is 2 MiB, whatever the request says.
    ///
    /// A length that the server announces above the limit is refused before any of the body is read.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for CollectLayer {
    type Service = Collect<S>;

    fn layer(&self, inner: S) -> Collect<S> {
        Collect { inner }
    }
}

/// The service of [`CollectLayer`].
#[derive(Clone, Debug)]
pub struct Collect<S> {
    inner: S,
}

impl<S, B> Service<Request<ReqBody>> for Collect<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<RespBody>;
    type Error = Error;
    type Future = ResponseFuture<S::Future, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::of_readiness)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> ResponseFuture<S::Future, B> {
        let context = CallContext::of(request.extensions());
        let call = CallState::of(request.extensions_mut());
        let attempt = AttemptState::of(request.extensions_mut());
        attempt.will_be_judged();
        ResponseFuture {
            step: Step::Head { inner: self.inner.call(request) },
            mode: context.body,
            idempotence: context.idempotence,
            call,
            attempt,
        }
    }
}

pin_project! {
    /// The answer of a [`Collect`], its body read unless it is a stream.
    ///
    /// # Cancel safety
    ///
    /// Dropping it closes the connection in use. For a write the outcome is then `Unknown`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, B> {
        #[pin]
        step: Step<F, B>,
        mode: BodyMode,
        idempotence: Idempotence,
        call: CallState,
        attempt: AttemptState,
    }
}

pin_project! {
    #[project = StepProj]
    #[derive(Debug)]
    enum Step<F, B> {
        /// Waiting for the head.
        Head { #[pin] inner: F },
        /// The head is here and kept; its body is being read.
        Body { #[pin] body: B, parts: Option<response::Parts>, read: Read },
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<RespBody>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.step.as_mut().project() {
                StepProj::Head { inner } => {
                    let answer = ready!(inner.poll(cx));
                    let response = answer.map_err(|error| this.call.own(error.into(), *this.idempotence))?;
                    let (parts, body) = response.into_parts();
                    let Some(limit) = limit(*this.mode, parts.status) else {
                        this.attempt.answer(proof::by_head(parts.status, &parts.headers));
                        this.attempt.praise();
                        return Poll::Ready(Ok(Response::from_parts(parts, RespBody::wrap(body))));
                    };
                    this.step.set(Step::Body { body, parts: Some(parts), read: Read::up_to(limit) });
                }
                StepProj::Body { body, parts, read } => {
                    let result = ready!(read.poll(body, cx));
                    let parts = parts.take().expect("taken once, when the future ends");
                    return Poll::Ready(match result {
                        Ok(body) => Ok(complete(parts, body, *this.idempotence, this.attempt)),
                        Err(error) => {
                            let proved = proof::by_head(parts.status, &parts.headers);
                            let proved = this.attempt.with_other_copies(proved);
                            let error = error
                                .of_request(*this.idempotence)
                                .at(this.attempt.live().endpoint())
                                .proves(proved, Phase::Body);
                            this.attempt.fail(&error);
                            Err(error)
                        }
                    });
                }
            }
        }
    }
}

/// What has been read of a body.
#[derive(Debug)]
struct Read {
    /// How many bytes may come in all.
    limit: usize,
    /// What has come.
    bytes: Collected,
    /// What came behind it: gRPC's status.
    trailers: Option<HeaderMap>,
}

impl Read {
    /// Nothing yet.
    fn up_to(limit: usize) -> Self {
        Self { limit, bytes: Collected::default(), trailers: None }
    }

    /// Reads on; ready with all of it or with why there is no more.
    fn poll<B>(&mut self, mut body: Pin<&mut B>, cx: &mut Context<'_>) -> Poll<Result<RespBody, Error>>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        // A length that was announced is refused before anything of it is kept.
        if body.size_hint().lower() > self.left() as u64 {
            return Poll::Ready(Err(self.too_large()));
        }
        while let Some(frame) = ready!(body.as_mut().poll_frame(cx)) {
            let frame = match frame {
                Ok(frame) => frame,
                Err(cause) => {
                    return Poll::Ready(Err(Error::new(ErrorKind::BodyInterrupted).caused_by(cause)));
                }
            };
            let chunk = match frame.into_data() {
                Ok(chunk) => chunk,
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok();
                    continue;
                }
            };
            if chunk.len() > self.left() {
                return Poll::Ready(Err(self.too_large()));
            }
            self.bytes.push(chunk, self.limit);
        }
        let bytes = std::mem::take(&mut self.bytes).into_bytes();
        Poll::Ready(Ok(RespBody::from(bytes).with_trailers(self.trailers.take())))
    }

    /// How many more bytes may come.
    fn left(&self) -> usize {
        self.limit - self.bytes.len()
    }

    fn too_large(&self) -> Error {
        Error::new(ErrorKind::BodyTooLarge).detail(self.limit.to_string())
    }
}

/// Puts the answer together again, with etcd's error where it is one, and notes what it proves.
fn complete(
    mut parts: response::Parts,
    body: RespBody,
    idempotence: Idempotence,
    attempt: &AttemptState,
) -> Response<RespBody> {
    let bytes: &[u8] = body.as_bytes().map_or(&[], |bytes| bytes);
    let api = is_failure(parts.status)
        .then(|| ApiError::from_response(parts.status, &parts.headers, bytes))
        .flatten();
    let proved = api.as_ref().map_or_else(|| proof::by_head(parts.status, &parts.headers), ApiError::outcome);
    attempt.answer(proved);
    let foreign = proof::is_foreign(parts.status, &parts.headers, bytes);
    if proof::lacks_quorum(parts.status, api.as_ref()) {
        attempt.blame();
    } else if !foreign && !parts.status.is_server_error() {
        attempt.praise();
    }
    if foreign {
        // Whatever answers in this place now, it is of no use to anybody.
        attempt.blame();
        // A write that etcd says it has made is not made again for the sake of its body.
        if idempotence.is_read() || !proved.is_applied() {
            parts.extensions.insert(proof::NotEtcd);
        }
    }
    if let Some(api) = api {
        parts.extensions.insert(api);
    }
    Response::from_parts(parts, body)
}

/// How much of a body to read; `None` to hand it on.
fn limit(mode: BodyMode, status: StatusCode) -> Option<usize> {
    match mode {
        BodyMode::Buffered { .. } | BodyMode::Stream if is_failure(status) => Some(ERROR_LIMIT),
        BodyMode::Buffered { limit } => Some(limit),
        BodyMode::Stream => None,
    }
}

/// Whether the status says that the request was not served.
fn is_failure(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// 2 MiB, far above any error of etcd.
const ERROR_LIMIT: usize = 2 << 20;

#[cfg(test)]
#[path = "collect_test.rs"]
mod tests;
