//! One call with all its attempts.
//!
//! ```text
//! Calling ── Return ──────────────> done
//!    │ ^
//!    │ └──── the service is ready
//!    └── NextEndpoint ──> Readying
//! ```

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use etcd_proto::BoxError;
use etcd_proto::v2::ApiError;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{Decision, End, Ending, Policy, copy};
use crate::call_state::CallState;
use crate::{CallContext, Error, ReqBody};

pin_project! {
    /// The answer of a [`Retry`](super::Retry): of its last attempt, with [`Attempts`](crate::Attempts).
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt in flight; for a write the outcome is then `Unknown`.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S: Service<Request<ReqBody>>, P> {
        #[pin]
        step: Step<S::Future>,
        // For the next attempt; `None` where the body exists only once.
        request: Option<Request<ReqBody>>,
        inner: S,
        policy: P,
        call: CallState,
        context: CallContext,
    }
}

pin_project! {
    #[project = StepProj]
    enum Step<F> {
        /// An attempt is made; before it the log held `begun` of them.
        Calling { #[pin] inner: F, begun: usize },
        /// The next attempt waits for the service below. A pause between attempts will be a step before this.
        Readying,
    }
}

impl<S: Service<Request<ReqBody>>, P> ResponseFuture<S, P> {
    pub(super) fn new(
        inner: S::Future,
        begun: usize,
        request: Option<Request<ReqBody>>,
        service: S,
        policy: P,
        call: CallState,
        context: CallContext,
    ) -> Self {
        Self { step: Step::Calling { inner, begun }, request, inner: service, policy, call, context }
    }
}

impl<S, P, B> Future for ResponseFuture<S, P>
where
    S: Service<Request<ReqBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    P: Policy,
{
    type Output = Result<Response<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.step.as_mut().project() {
                StepProj::Calling { inner, begun } => {
                    let idempotence = this.context.idempotence;
                    let answer =
                        ready!(inner.poll(cx)).map_err(|error| this.call.own(error.into(), idempotence));
                    // An attempt that is not in the log lost it on the way: nothing more is known to be safe.
                    let logged = this.call.begun() > *begun;
                    let decision = if logged && this.request.is_some() {
                        this.policy.decide(&ending(&answer, this.context, this.call))
                    } else {
                        Decision::Return
                    };
                    match decision {
                        Decision::Return => return Poll::Ready(finish(answer, this.context, this.call)),
                        // A second round at once would only spin, and keep the deadline from being looked at.
                        Decision::NextEndpoint if this.call.untried() == 0 => {
                            return Poll::Ready(finish(answer, this.context, this.call));
                        }
                        Decision::NextEndpoint => this.step.set(Step::Readying),
                    }
                }
                StepProj::Readying => {
                    let readiness = ready!(this.inner.poll_ready(cx));
                    if let Err(error) = readiness {
                        return Poll::Ready(Err(this.call.settle(error.into(), this.context.idempotence)));
                    }
                    let request = this.request.take().expect("no repetition is decided without a copy");
                    *this.request = copy(&request);
                    let begun = this.call.begun();
                    let inner = this.inner.call(request);
                    this.step.set(Step::Calling { inner, begun });
                }
            }
        }
    }
}

/// What the policy gets to see.
fn ending<'a, B>(
    answer: &'a Result<Response<B>, Error>,
    context: &'a CallContext,
    call: &CallState,
) -> Ending<'a> {
    let end = match answer {
        Ok(response) => {
            End::Answer { status: response.status(), api: response.extensions().get::<ApiError>() }
        }
        Err(error) => End::Failure { error },
    };
    Ending { context, end, attempts: call.begun(), untried: call.untried() }
}

/// What the caller gets: the answer with the attempts before it, or the failure with all of them counted in.
fn finish<B>(
    answer: Result<Response<B>, Error>,
    context: &CallContext,
    call: &CallState,
) -> Result<Response<B>, Error> {
    match answer {
        Ok(mut response) => {
            call.account(response.extensions_mut(), context.idempotence);
            Ok(response)
        }
        Err(error) => Err(call.settle(error.into(), context.idempotence)),
    }
}

impl<S: Service<Request<ReqBody>>, P> fmt::Debug for ResponseFuture<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("call", &self.call).finish_non_exhaustive()
    }
}
