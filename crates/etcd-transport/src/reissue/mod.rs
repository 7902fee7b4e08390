//! A second copy beside one that is silent.
//!
//! ```text
//!               ┌ first  ── Retry ── attempts ──┐
//! call ─────────┤                               ├── the first answer that counts
//!               └ second ── Retry ── attempts ──┘
//! ```
//!
//! Not a policy of [`RetryLayer`](crate::RetryLayer), which is asked after an attempt has ended: here none
//! has. Both copies share the log of the call, each in a lane of its own, so that one goes where the other is
//! not, and what one has sent counts for both.

mod future;
mod layer;
mod shared;

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use etcd_proto::BoxError;
use http::{Request, Response};
use tower_service::Service;

pub use self::future::ResponseFuture;
use self::future::Second;
pub use self::layer::ReissueLayer;
use self::shared::Shared;
use crate::call_state::CallState;
use crate::retry::copy;
use crate::{CallContext, Error, ReqBody};

/// The service of [`ReissueLayer`].
///
/// A call that may be sent twice keeps a copy of its request, with headers and extensions; the body is shared.
#[derive(Clone, Debug)]
pub struct Reissue<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S, B> Service<Request<ReqBody>> for Reissue<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Response<B>;
    type Error = Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::of_readiness)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> ResponseFuture<S, B> {
        let call = CallState::of(request.extensions_mut());
        let context = CallContext::of(request.extensions());
        let idempotence = context.idempotence;
        let safe = self.shared.is_enabled() && context.reissue && context.retry && context.is_repeatable();
        let copy = safe.then(|| copy(&request)).flatten();
        let Some(copy) = copy else {
            return ResponseFuture::new(self.inner.call(request), None, call, idempotence);
        };
        // The instance that was ready takes the first copy; the second waits for the readiness of a clone.
        let clone = self.inner.clone();
        let mut ready = mem::replace(&mut self.inner, clone.clone());
        let second = Second::new(clone, copy, Arc::clone(&self.shared), context);
        ResponseFuture::new(ready.call(request), Some(second), call, idempotence)
    }
}

#[cfg(test)]
#[path = "test.rs"]
mod tests;
