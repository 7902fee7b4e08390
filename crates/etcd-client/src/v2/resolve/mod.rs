//! What became of a guarded write whose answer was lost.
//!
//! [`Resolve`] is an operation layer: it sends the write, and where the outcome is unknown it sends the same write
//! again and reads in the server's history which write took the place of the one that was compared with. The
//! rules per call are in [`evidence`].

mod evidence;
mod run;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use etcd_proto::BoxError;
use etcd_proto::v2::{Request, Response};
use futures_util::future::BoxFuture;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::OperationService;
use super::limits::{CallOptions, Limits};

/// Finds out what became of guarded writes, for calls that ask for it by [`resolve`](super::Call::resolve).
///
/// Every [`Client`](super::Client) has it below its operation layers, so there is nothing to add. It is public
/// for those who build a stack of typed services of their own.
///
/// # What it does
///
/// A create, a compare-and-swap or compare-and-delete with an index, and the removal of a member can apply at
/// most once, however often they are sent. So after an unknown outcome the same write is sent again, here and by
/// the transport below. If that is refused, somebody has taken the place of what was compared with; who, is read
/// where it cannot be misread:
///
/// | call | refused by | read | the write was |
/// | --- | --- | --- | --- |
/// | compare-and-swap at index P | 101, 100 | the first event of the key behind P | applied if it swaps P for this value, else not |
/// | compare-and-delete at index P | 101, 100 | the same | applied if it is a compare-and-delete of P, else not |
/// | create | 105 | the key by quorum, and the event that created it | applied if that wrote this value, else unknown |
/// | create dir | 105 | | unknown: directories look alike |
/// | refresh at an index | 101, 100 | | unknown: a refresh leaves no event |
/// | remove a member | 410 | | applied |
///
/// # Limits
///
/// - Values decide, so **they have to be unlike anybody else's**: put an owner and a random number into each. Two
///   writers that swap the same index for the same value cannot be told apart.
/// - A write to the same index by somebody else that compares and deletes counts as one's own: the effect is the same.
/// - The history holds the last 1000 events of the whole store. Where it is gone, a compare-and-swap is decided by
///   the value that the key has now, and stays unknown if that is another.
/// - Of a create that is refused because of another's value nothing is proved: one's own may have been deleted
///   meanwhile.
/// - A compare by value alone is not guarded: the value can come back. Such a call is sent once.
/// - The time limit of the call holds for all of it; at its end the outcome is unknown.
///
/// # Examples
/// ```
/// # async fn example(client: etcd_client::v2::Client, nonce: u64) -> Result<(), etcd_client::Error> {
/// use etcd_client::v2::Compare;
///
/// let read = client.get("/owner").quorum(true).await?;
/// let swap = client.compare_and_swap("/owner", format!("worker-7 {nonce}"), Compare::index(read.index()));
/// match swap.resolve(true).await {
///     Ok(swapped) => println!("mine since {}", swapped.index()),
///     Err(error) if error.outcome().is_not_applied() => println!("somebody else's: {error}"),
///     Err(error) => println!("still unknown: {error}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct ResolveLayer {
    limits: Limits,
}

impl ResolveLayer {
    /// With the default time limits of calls.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn with_limits(limits: Limits) -> Self {
        Self { limits }
    }
}

impl<S> Layer<S> for ResolveLayer {
    type Service = Resolve<S>;

    fn layer(&self, inner: S) -> Resolve<S> {
        Resolve { inner, limits: self.limits.clone() }
    }
}

/// The service of [`ResolveLayer`].
///
/// # Cancel safety
/// After a drop the outcome of the write is unknown.
#[derive(Clone, Debug)]
pub struct Resolve<S> {
    inner: S,
    limits: Limits,
}

impl<S: OperationService> Service<Request> for Resolve<S> {
    type Response = Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let options = request.extensions.get::<CallOptions>();
        if !options.is_some_and(|options| options.resolve) || !evidence::can_decide(&request.operation) {
            return ResponseFuture { step: Step::Plain { inner: self.inner.call(request) } };
        }
        // The instance that was ready goes into the future; a clone of it takes its place.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let step = Step::Resolving { inner: Box::pin(run::run(ready, self.limits.clone(), request)) };
        ResponseFuture { step }
    }
}

pin_project! {
    /// The answer of a [`Resolve`].
    ///
    /// # Cancel safety
    /// After a drop the outcome of the write is unknown.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        step: Step<F>,
    }
}

pin_project! {
    #[project = StepProj]
    enum Step<F> {
        /// Nobody asked: the call passes as it is, without a box.
        Plain { #[pin] inner: F },
        /// The write, its repeats and what is read about it.
        Resolving { inner: BoxFuture<'static, Result<Response, BoxError>> },
    }
}

impl<F, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().step.project() {
            StepProj::Plain { inner } => inner.poll(cx).map_err(Into::into),
            StepProj::Resolving { inner } => inner.as_mut().poll(cx),
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
