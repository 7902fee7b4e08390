//! The operation seam: any service of typed requests, in one box.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use etcd_proto::BoxError;
use etcd_proto::v2::{Request, Response};
use futures_util::future::BoxFuture;
use tower_service::Service;

/// A service of typed requests: what operation layers wrap, what doubles and other servers implement.
///
/// Implemented for every [`Service`] with these types; bound by it to say them once.
///
/// # Examples
/// A layer that makes all reads of a client quorum reads:
/// ```
/// use etcd_client::v2::proto::keys::KeysOperation;
/// use etcd_client::v2::{Client, Operation, Request};
/// use tower::util::MapRequestLayer;
///
/// fn by_quorum(mut request: Request) -> Request {
///     if let Operation::Keys(KeysOperation::Get(get)) = &mut request.operation {
///         get.quorum = true;
///     }
///     request
/// }
///
/// let client = Client::connect("127.0.0.1:2379")?.layer(MapRequestLayer::new(by_quorum));
/// # Ok::<(), etcd_client::Error>(())
/// ```
pub trait OperationService:
    Service<Request, Response = Response, Error: Into<BoxError>, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> OperationService for S where
    S: Service<Request, Response = Response, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Any [`OperationService`] in a box that is cloned by a reference count.
///
/// Each call clones what is inside and awaits its readiness within the call: backpressure by `poll_ready` ends
/// here, so a limit and the load shedding that watches it belong on the same side.
#[derive(Clone)]
pub struct DynOperationService(Arc<dyn Erased>);

impl DynOperationService {
    /// Boxes a service.
    pub fn new<S: OperationService>(service: S) -> Self {
        Self(Arc::new(service))
    }
}

impl Service<Request> for DynOperationService {
    type Response = Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.0.send(request)
    }
}

impl fmt::Debug for DynOperationService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynOperationService").finish_non_exhaustive()
    }
}

trait Erased: Send + Sync {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response, BoxError>>;
}

impl<S: OperationService> Erased for S {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response, BoxError>> {
        // The clone is made ready here and called as it is: only a ready instance may be called.
        let mut service = self.clone();
        Box::pin(async move {
            std::future::poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
            Service::call(&mut service, request).await.map_err(Into::into)
        })
    }
}
