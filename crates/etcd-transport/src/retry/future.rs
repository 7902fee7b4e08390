//! One call with all its attempts.
//!
//! ```text
//! Calling ── Return ──────────────> done
//!    │ ^
//!    │ └──── the service is ready ──────────┐
//!    ├── an endpoint is left in this round ─┴─ Readying
//!    └── all were asked ──> Pausing ──────────────┘
//! ```

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use etcd_proto::BoxError;
use etcd_proto::v2::ApiError;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_service::Service;

use super::{Backoff, Budget, Decision, End, Ending, Policy, RetryConfig, copy};
use crate::call_state::CallState;
use crate::proof::NotEtcd;
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
        rules: Rules,
        // Rounds over the endpoints that are done.
        rounds: u32,
        call: CallState,
        context: CallContext,
    }
}

pin_project! {
    #[project = StepProj]
    enum Step<F> {
        /// An attempt is made; before it the log held `begun` of them.
        Calling { #[pin] inner: F, begun: usize },
        /// Every endpoint was asked in this round, and the next has not begun.
        Pausing { #[pin] sleep: Sleep },
        /// The next attempt waits for the service below.
        Readying,
    }
}

/// What holds for every policy.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    backoff: Backoff,
    pub(super) budget: Option<Budget>,
    /// Of a call that does not say so itself.
    pub(super) max_attempts: Option<usize>,
    repeat: bool,
}

/// What is done after an attempt.
enum Next {
    /// The caller gets how it ended.
    Return,
    /// The request is sent again, to an endpoint that is left in this round.
    Now,
    /// The request is sent again after this time, in a new round.
    After(Duration),
}

impl Rules {
    pub(super) fn of(config: &RetryConfig) -> Self {
        let RetryConfig { backoff, budget, max_attempts, repeat, reissue: _ } = config;
        Self {
            backoff: backoff.clone(),
            budget: budget.clone(),
            max_attempts: *max_attempts,
            repeat: *repeat,
        }
    }

    /// What a policy's decision comes to.
    fn apply(&self, decision: Decision, rounds: u32, context: &CallContext, call: &CallState) -> Next {
        let sent = match decision {
            Decision::Return => return Next::Return,
            Decision::NextEndpoint => false,
            Decision::Again => true,
        };
        if context.max_attempts.is_some_and(|limit| call.made() >= limit) {
            return Next::Return;
        }
        let again = call.untried() == 0;
        let pause = if again { self.backoff.pause(rounds) } else { Duration::ZERO };
        // To sleep until the limit would only change the last failure into that of the limit.
        let late = call.time_left().is_some_and(|left| left <= pause);
        let paid = sent || again;
        if late || (paid && !(context.retry && self.repeat)) {
            return Next::Return;
        }
        if paid && !context.budget_exempt && self.budget.as_ref().is_some_and(|budget| !budget.withdraw()) {
            call.budget_is_empty();
            return Next::Return;
        }
        if again { Next::After(pause) } else { Next::Now }
    }
}

impl<S: Service<Request<ReqBody>>, P> ResponseFuture<S, P> {
    #[expect(clippy::too_many_arguments, reason = "each is a field; a struct for them would be this one")]
    pub(super) fn new(
        inner: S::Future,
        begun: usize,
        request: Option<Request<ReqBody>>,
        service: S,
        policy: P,
        rules: Rules,
        call: CallState,
        context: CallContext,
    ) -> Self {
        let step = Step::Calling { inner, begun };
        Self { step, request, inner: service, policy, rules, rounds: 1, call, context }
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
                    match this.rules.apply(decision, *this.rounds, this.context, this.call) {
                        Next::Return => return Poll::Ready(finish(answer, this.context, this.call)),
                        Next::Now => this.step.set(Step::Readying),
                        Next::After(pause) => {
                            *this.rounds = this.rounds.saturating_add(1);
                            this.step.set(Step::Pausing { sleep: tokio::time::sleep(pause) });
                        }
                    }
                }
                StepProj::Pausing { sleep } => {
                    ready!(sleep.poll(cx));
                    this.call.next_round();
                    this.step.set(Step::Readying);
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
            let extensions = response.extensions();
            End::Answer {
                status: response.status(),
                api: extensions.get::<ApiError>(),
                foreign: extensions.get::<NotEtcd>().is_some(),
            }
        }
        Err(error) => End::Failure { error },
    };
    Ending { context, end, attempts: call.made(), untried: call.untried() }
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
