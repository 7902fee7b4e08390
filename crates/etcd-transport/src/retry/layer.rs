//! The layer of retries.

use tower_layer::Layer;

use super::future::Rules;
use super::{Policy, Retry, RetryConfig, Standard};

/// Sends a request once more where its [`Policy`] says so.
///
/// Belongs above [`RouteLayer`](crate::RouteLayer), which chooses an endpoint for each attempt, and below
/// [`DeadlineLayer`](crate::DeadlineLayer). In the wrong order each attempt would get the limit of the call.
///
/// A request whose body is a stream is sent once. So is one that came without a trace through the layers
/// below: if one of them drops the extensions, there is no telling which endpoints were asked.
///
/// Pauses, budget and the number of attempts are those of a [`RetryConfig`]; without a limit of the call and
/// without a budget a request goes round for as long as its policy says so.
///
/// The final response has [`Attempts`](crate::Attempts) in its extensions, the final error in itself; the
/// outcome of an error is the worst of all attempts.
///
/// ```
/// use etcd_transport::{ConnectError, DeadlineLayer, Endpoints, ReqBody, RespBody, RetryLayer, RouteLayer};
/// use tower::ServiceBuilder;
///
/// # let connection = tower::service_fn(async |_: http::Request<ReqBody>| {
/// #     Ok::<_, ConnectError>(http::Response::new(RespBody::from("{}")))
/// # });
/// let service = ServiceBuilder::new()
///     .layer(DeadlineLayer::new()) // over all attempts; below RetryLayer it would be over each
///     .layer(RetryLayer::new())
///     .layer(RouteLayer::new(Endpoints::parse("a, b, c")?)) // above RetryLayer it would be chosen once
///     .service(connection);
/// # drop(service);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
///
/// # Errors
///
/// The last failure, as an [`Error`](crate::Error) with all attempts in it. A failure of the service below
/// that is none of ours becomes one of kind `Layer`.
///
/// # Cancel safety
///
/// Dropping the future drops the attempt in flight; for a write the outcome is then `Unknown`.
#[derive(Clone, Debug)]
pub struct RetryLayer<P = Standard> {
    policy: P,
    rules: Rules,
}

impl RetryLayer {
    /// With the policy [`Standard`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_policy(Standard::new())
    }
}

impl<P: Policy> RetryLayer<P> {
    /// With a policy of one's own.
    ///
    /// The policy decides within what is safe for the layer itself: it is not asked about a request whose
    /// body exists only once, nor about an attempt that left no trace in the call's log.
    #[must_use]
    pub fn with_policy(policy: P) -> Self {
        Self { policy, rules: Rules::of(&RetryConfig::default()) }
    }
}

impl<P> RetryLayer<P> {
    /// Sets pauses, budget and the number of attempts. What it says of re-issue is for
    /// [`ReissueLayer`](crate::ReissueLayer).
    #[must_use]
    pub fn config(mut self, config: &RetryConfig) -> Self {
        self.rules = Rules::of(config);
        self
    }
}

impl Default for RetryLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, P: Clone> Layer<S> for RetryLayer<P> {
    type Service = Retry<S, P>;

    fn layer(&self, inner: S) -> Retry<S, P> {
        Retry { inner, policy: self.policy.clone(), rules: self.rules.clone() }
    }
}
