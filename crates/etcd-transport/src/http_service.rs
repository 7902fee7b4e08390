//! The one shape of all services here.

use etcd_proto::BoxError;
use http::{Request, Response};
use tower_service::Service;

use crate::ReqBody;

/// A service that sends HTTP requests: the shape that every seam takes, whatever its response body `B`.
///
/// Implemented for everything that fits, so that layers of tower and tower-http need no adapter. Not to be
/// implemented by hand.
///
/// | part | why |
/// | --- | --- |
/// | `Request<ReqBody>` | one request type on every level |
/// | `Response<B>` | a layer may change the body; the seam wraps it |
/// | `Error: Into<BoxError>` | a layer may fail with what it likes; ours is found again |
/// | `Clone + Send + Sync` | a client is shared by tasks, and each call takes a clone |
///
/// ```
/// use etcd_transport::{HttpService, ReqBody, RespBody, Transport};
///
/// fn client<S: HttpService<RespBody>>(service: S) -> Transport {
///     Transport::new(service)
/// }
/// # drop(client(tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(RespBody::default()))
/// # })));
/// ```
pub trait HttpService<B>:
    Service<Request<ReqBody>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S, B> HttpService<B> for S
where
    S: Service<Request<ReqBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
}
