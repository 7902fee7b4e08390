//! The box at a seam.
//!
//! `Arc` rather than tower's `BoxCloneSyncService`, whose clone copies the whole stack below at each box. The
//! price is an allocation per call for the future, and that readiness ends here.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use etcd_proto::BoxError;
use http::{Request, Response};
use http_body::Body;
use tower::util::Oneshot;
use tower_service::Service;

use crate::downcast::downcast;
use crate::{HttpService, ReqBody, RespBody};

/// Any HTTP service behind one nameable type. Cloning it costs one reference count, however deep the stack.
///
/// ```
/// use etcd_transport::{ConnectError, DynService, ReqBody, RespBody};
///
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let boxed: DynService = DynService::new(connection);
/// let shared = boxed.clone(); // one reference count
/// # drop(shared);
/// ```
///
/// # Backpressure ends here
///
/// The box is always ready. Each call clones the service inside and waits for its readiness as part of the
/// call. So a layer that looks at readiness (`LoadShed`) sees that of the layers in its own group, not what
/// is behind the next seam: put it into the same group as the limit that it watches.
#[derive(Clone)]
pub struct DynService {
    inner: Arc<dyn Erased>,
}

impl DynService {
    /// Boxes a service, whatever its response body. What is a box already is taken as it is.
    ///
    /// # Cancel safety
    ///
    /// Of its calls: as the service inside; while that is not ready, nothing has been sent.
    #[must_use]
    pub fn new<S, B>(service: S) -> Self
    where
        S: HttpService<B>,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        // A group without layers hands on the box that it got; a second one would cost an allocation per
        // call.
        downcast::<S, Self>(service)
            .unwrap_or_else(|service| Self { inner: Arc::new(Holder { service, body: PhantomData }) })
    }
}

impl Service<Request<ReqBody>> for DynService {
    type Response = Response<RespBody>;
    type Error = BoxError;
    type Future = ResponseFuture;

    /// Always ready, see the type.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> ResponseFuture {
        self.inner.call(request)
    }
}

impl fmt::Debug for DynService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynService")
    }
}

/// The answer of a [`DynService`].
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture {
    inner: Pin<Box<dyn Future<Output = Result<Response<RespBody>, BoxError>> + Send>>,
}

impl Future for ResponseFuture {
    type Output = Result<Response<RespBody>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.inner.as_mut().poll(cx)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture")
    }
}

/// A service without its types.
trait Erased: Send + Sync {
    fn call(&self, request: Request<ReqBody>) -> ResponseFuture;
}

/// A service with its types, to be cloned for each call.
struct Holder<S, B> {
    /// Never called itself: only a clone that has become ready is.
    service: S,
    /// A function, since no body is held and the box is `Sync` whatever the body is.
    body: PhantomData<fn() -> B>,
}

impl<S, B> Erased for Holder<S, B>
where
    S: HttpService<B>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn call(&self, request: Request<ReqBody>) -> ResponseFuture {
        let answer = Oneshot::new(self.service.clone(), request);
        let inner = Box::pin(async move {
            let response = answer.await.map_err(Into::into)?;
            Ok(response.map(RespBody::wrap))
        });
        ResponseFuture { inner }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;
    use tower::ServiceExt;
    use tower_test::{assert_request_eq, mock};

    use super::*;

    #[tokio::test]
    async fn a_box_answers_with_what_is_inside_whatever_its_body() {
        let inside = tower::service_fn(async |request: Request<ReqBody>| {
            let text = request.uri().path().to_owned();
            Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from(text))))
        });
        let request = Request::builder().uri("/a").body(ReqBody::empty()).unwrap();
        let response = DynService::new(inside).oneshot(request).await.unwrap();
        assert_eq!(http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes(), "/a");
    }

    #[tokio::test]
    async fn readiness_is_awaited_inside_the_call() {
        let (inside, mut handle) = mock::pair::<&'static str, &'static str>();
        handle.allow(0);
        let inside = tower::ServiceBuilder::new()
            .map_request(|_: Request<ReqBody>| "request")
            .map_response(|text: &'static str| Response::new(RespBody::from(text)))
            .service(inside);
        let answer = tokio::spawn(DynService::new(inside).oneshot(Request::new(ReqBody::empty())));
        tokio::task::yield_now().await;
        assert!(!answer.is_finished());
        handle.allow(1);
        assert_request_eq!(handle, "request").send_response("late");
        assert_eq!(answer.await.unwrap().unwrap().into_body().as_bytes().unwrap(), "late");
    }

    #[test]
    fn a_box_is_not_boxed_again() {
        let inside = tower::service_fn(async |_: Request<ReqBody>| {
            Ok::<_, std::convert::Infallible>(Response::new(RespBody::default()))
        });
        let once = DynService::new(inside);
        assert!(Arc::ptr_eq(&DynService::new(once.clone()).inner, &once.inner));
    }

    #[tokio::test]
    async fn an_error_comes_out_as_it_went_in() {
        let inside = tower::service_fn(async |_: Request<ReqBody>| {
            Err::<Response<RespBody>, _>(std::io::Error::other("boom"))
        });
        let error = DynService::new(inside).oneshot(Request::new(ReqBody::empty())).await.unwrap_err();
        assert!(error.downcast_ref::<std::io::Error>().is_some());
    }
}
