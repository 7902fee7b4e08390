//! An answer that is on its way.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use etcd_proto::BoxError;

/// The answer of an in-process service.
///
/// Dropping it is as closing the connection: what the store has not done by then it does not do, but for what
/// [`Fault::ApplyLater`](crate::memory::Fault::ApplyLater) and
/// [`StalledWrites::LandLater`](crate::memory::StalledWrites::LandLater) say.
#[must_use = "a future does nothing unless polled"]
pub struct ResponseFuture<T> {
    inner: Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>,
}

impl<T> ResponseFuture<T> {
    pub(crate) fn new(inner: impl Future<Output = Result<T, BoxError>> + Send + 'static) -> Self {
        Self { inner: Box::pin(inner) }
    }
}

impl<T> Future for ResponseFuture<T> {
    type Output = Result<T, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.inner.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for ResponseFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
