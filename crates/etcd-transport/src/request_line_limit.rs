//! Refusing requests whose first line is longer than etcd takes.
//!
//! On a new connection without TLS etcd resets what has a longer request line, with no answer. That looks
//! like a network failure, and would be tried at every member in turn.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use etcd_proto::{BoxError, Idempotence};
use http::{Method, Request, Response, Uri};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::call_state::CallState;
use crate::{CallContext, Error, ErrorKind, ReqBody};

/// Refuses requests with a request line above a limit, before anything is sent.
///
/// The line is `METHOD /path?query HTTP/1.1` with its line break. Values belong in the body; what gets long is
/// keys, and the previous value in the query of a compare-and-delete.
///
/// Requests of [`etcd_proto::v2`] are refused there when they are written, by the same limit; this is for
/// requests from elsewhere, and for layers that add to the query. The limit of bodies, 10 MiB, is
/// etcd-proto's too.
///
/// Belongs above [`RouteLayer`](crate::RouteLayer), where the URI is a path only.
///
/// ```
/// use etcd_transport::{ConnectError, ReqBody, RequestLineLimitLayer, RespBody};
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let service = ServiceBuilder::new().layer(RequestLineLimitLayer::default()).service(connection);
/// let long = http::Request::get(format!("/{}", "a".repeat(4096))).body(ReqBody::empty()).unwrap();
/// let error = service.oneshot(long).await.unwrap_err();
/// assert!(error.is_request_too_long() && error.outcome().is_not_applied());
/// # }
/// ```
///
/// # Errors
///
/// `RequestTooLong`, with the length and the limit.
#[derive(Clone, Debug)]
pub struct RequestLineLimitLayer {
    limit: usize,
}

impl RequestLineLimitLayer {
    /// What etcd takes on a new connection without TLS: 4096 bytes.
    pub const DEFAULT: usize = 4096;

    /// So many bytes, the line break included; `usize::MAX` for no limit.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit }
    }
}

impl Default for RequestLineLimitLayer {
    /// 4096 bytes.
    fn default() -> Self {
        Self::new(Self::DEFAULT)
    }
}

impl<S> Layer<S> for RequestLineLimitLayer {
    type Service = RequestLineLimit<S>;

    fn layer(&self, inner: S) -> RequestLineLimit<S> {
        RequestLineLimit { inner, limit: self.limit }
    }
}

/// The service of [`RequestLineLimitLayer`].
#[derive(Clone, Debug)]
pub struct RequestLineLimit<S> {
    inner: S,
    limit: usize,
}

impl<S, B> Service<Request<ReqBody>> for RequestLineLimit<S>
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
        let length = length(request.method(), request.uri());
        let refused = (length > self.limit).then(|| {
            Error::new(ErrorKind::RequestTooLong)
                .of_request(idempotence)
                .detail(format!("request line of {length} bytes is above the limit of {}", self.limit))
        });
        let inner = refused.is_none().then(|| self.inner.call(request));
        ResponseFuture { inner, refused, idempotence, call }
    }
}

/// Of the request line that HTTP/1.1 makes of these.
fn length(method: &Method, uri: &Uri) -> usize {
    let path = uri.path_and_query().map_or(1, |path| path.as_str().len());
    method.as_str().len() + path + "  HTTP/1.1\r\n".len()
}

pin_project! {
    /// The answer of a [`RequestLineLimit`].
    ///
    /// # Cancel safety
    ///
    /// As that of the service inside.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        // `None` where nothing is sent.
        #[pin]
        inner: Option<F>,
        refused: Option<Error>,
        idempotence: Idempotence,
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
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Err(this.refused.take().expect("taken once, when the future ends")));
        };
        Poll::Ready(ready!(inner.poll(cx)).map_err(|error| this.call.own(error.into(), *this.idempotence)))
    }
}

#[cfg(test)]
mod tests {
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::RespBody;

    async fn send(limit: usize, line: &str) -> Result<Response<RespBody>, Error> {
        let (method, path) = line.split_once(' ').unwrap();
        let inner =
            service_fn(async |_: Request<ReqBody>| Ok::<_, BoxError>(Response::new(RespBody::default())));
        let request = Request::builder().method(method).uri(path).body(ReqBody::empty()).unwrap();
        RequestLineLimitLayer::new(limit).layer(inner).oneshot(request).await
    }

    #[tokio::test]
    async fn one_byte_above_the_limit_is_refused_with_length_and_limit() {
        let line = "DELETE /v2/keys/a?prevValue=b HTTP/1.1\r\n";
        let short = "DELETE /v2/keys/a?prevValue=b";
        assert!(send(line.len(), short).await.is_ok());
        let error = send(line.len() - 1, short).await.unwrap_err();
        assert_eq!(error.to_string(), "request line of 40 bytes is above the limit of 39");
        assert!(error.is_request_too_long() && error.outcome().is_not_applied() && !error.is_retryable());
        assert!(send(usize::MAX, short).await.is_ok());
    }
}
