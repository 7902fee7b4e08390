//! The layer of second copies.

use std::sync::Arc;

use tower_layer::Layer;

use super::Reissue;
use super::shared::Shared;
use crate::RetryConfig;

/// Sends a request a second time, elsewhere, while the first copy has no answer.
///
/// After its leader has died, an etcd sits on a request for 7 s and then answers 500, while one that is sent 2
/// s later is answered in 10 ms. A stopped member answers nothing at all. To wait for the limit of the
/// attempt would make each of these an outage of seconds.
///
/// Only what asks for it is sent twice: [`CallContext::reissue`](crate::CallContext::reissue) on a request
/// that [may be repeated](crate::CallContext::is_repeatable), with
/// [`retry`](crate::CallContext::retry) on and a body that exists more than once.
///
/// # When
///
/// A call is *silent* when the head of its answer has not come within 500 ms, or four times the recent
/// latency of its class (reads, or writes) if that is longer. A body that is slow to come is not silence.
///
/// 1. Of all silent calls, one sends a *canary*: a copy to another endpoint than the silent one, if there is
///    one. The next canary follows 250 to 500 ms later, whoever's it is; an older one of the same call is
///    dropped for it.
/// 2. When a canary is answered, every silent call that was sent before it is sent once more, at once.
///
/// So a call has two copies under way at most, and a client sends no more than four canaries per second,
/// however many calls are silent. Canaries and copies take from the budget.
///
/// # Which answer counts
///
/// The first success. For a read any answer but one that leads on to another endpoint. The refusal of a write
/// counts only when no other copy is under way: that copy may be why it was refused. A copy that fails leaves
/// the call to the other one; when all have failed, the caller gets one of the failures, and what all of them
/// leave open.
///
/// Where a copy has overtaken a silent one, later calls begin elsewhere than at the silent endpoint.
///
/// # Where it belongs
///
/// Above [`RetryLayer`](crate::RetryLayer), so that each copy has its repetitions, and below
/// [`DeadlineLayer`](crate::DeadlineLayer), whose limit is for all copies together. Clones share what they
/// know of silence. Nothing is spawned: each call does its part when it is polled.
///
/// ```
/// use etcd_transport::{
///     ConnectError, DeadlineLayer, Endpoints, ReissueLayer, ReqBody, RespBody, RetryConfig, RetryLayer, RouteLayer,
/// };
/// use tower::ServiceBuilder;
///
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let config = RetryConfig::new();
/// let service = ServiceBuilder::new()
///     .layer(DeadlineLayer::new())
///     .layer(ReissueLayer::new().config(&config)) // below RetryLayer each repetition would be doubled
///     .layer(RetryLayer::new().config(&config)) // one budget for both
///     .layer(RouteLayer::new(Endpoints::parse("a, b, c")?))
///     .service(connection);
/// # drop(service);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
///
/// # Errors
///
/// Those of the service below.
///
/// # Cancel safety
///
/// Dropping the future drops all copies; for a write the outcome is then `Unknown`. If it was the canary's,
/// another silent call sends the next.
///
/// # Panics
///
/// Calls that may be sent twice panic outside of a tokio runtime with timers.
#[derive(Clone, Debug)]
pub struct ReissueLayer {
    shared: Arc<Shared>,
}

impl ReissueLayer {
    /// With the defaults of [`RetryConfig`], and a budget of its own.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Arc::new(Shared::new(&RetryConfig::default())) }
    }

    /// Takes the budget, the limit of attempts, the source of random numbers, and whether to send copies at
    /// all. What was known of silence is forgotten.
    #[must_use]
    pub fn config(mut self, config: &RetryConfig) -> Self {
        self.shared = Arc::new(Shared::new(config));
        self
    }
}

impl Default for ReissueLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for ReissueLayer {
    type Service = Reissue<S>;

    fn layer(&self, inner: S) -> Reissue<S> {
        Reissue { inner, shared: Arc::clone(&self.shared) }
    }
}
