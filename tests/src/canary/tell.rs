//! Every typed request and every error of a client, told to tracing.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use etcd_client::BoxError;
use etcd_client::v2::{OperationService, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::printed;

/// A layer of the operation seam that tells tracing each request in Debug, and each error with its whole chain.
#[derive(Clone, Copy, Debug)]
pub struct TellLayer;

/// The service of [`TellLayer`].
#[derive(Clone, Debug)]
pub struct Tell<S>(S);

impl<S> Layer<S> for TellLayer {
    type Service = Tell<S>;

    fn layer(&self, inner: S) -> Tell<S> {
        Tell(inner)
    }
}

impl<S: OperationService> Service<Request> for Tell<S> {
    type Response = Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        tracing::trace!("a request: {request:?}");
        let answer = self.0.call(request);
        Box::pin(async move {
            let answer = answer.await.map_err(Into::into);
            if let Err(error) = &answer {
                // A line each: who finds something says in which test's line it was.
                for line in printed(&**error).lines() {
                    tracing::trace!("an error: {line}");
                }
            }
            answer
        })
    }
}
