//! One call with its copies.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use etcd_proto::{BoxError, Idempotence};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};
use tower::util::Oneshot;
use tower_service::Service;

use super::shared::{Seat, Shared, Silent, Turn};
use crate::attempt_state::AttemptState;
use crate::call_state::{CallState, Lane};
use crate::proof::NotEtcd;
use crate::retry::copy;
use crate::{CallContext, Error, ReqBody};

pin_project! {
    /// The answer of a [`Reissue`](super::Reissue): that of the copy whose answer counts.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops all copies; for a write the outcome is then `Unknown`.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S: Service<Request<ReqBody>>, B> {
        // `None` once it has ended.
        #[pin]
        first: Option<S::Future>,
        // `None` as long as there is none, and once it has ended.
        #[pin]
        second: Option<Oneshot<S, Request<ReqBody>>>,
        // When to look at the silence of the first copy.
        #[pin]
        alarm: Option<Sleep>,
        // `None` for a call that is sent once.
        plan: Option<Second<S>>,
        // How a copy has ended that does not count as long as there is another.
        held: Option<Result<Response<B>, Error>>,
        call: CallState,
        idempotence: Idempotence,
    }
}

/// What it takes to send a second copy.
pub(super) struct Second<S> {
    service: S,
    /// `None` when it could not be copied once more.
    request: Option<Request<ReqBody>>,
    shared: Arc<Shared>,
    context: CallContext,
    /// When the call was made.
    began: Instant,
    /// After which time without a head it is silent.
    patience: Duration,
    /// When the second copy under way was sent.
    sent: Option<Instant>,
    /// It was sent once more because a canary was answered.
    resent: bool,
    seat: Option<Seat>,
}

impl<S> Second<S> {
    pub(super) fn new(
        service: S,
        request: Request<ReqBody>,
        shared: Arc<Shared>,
        context: CallContext,
    ) -> Self {
        let patience = shared.patience(context.idempotence.is_read());
        Self {
            service,
            request: Some(request),
            shared,
            context,
            began: Instant::now(),
            patience,
            sent: None,
            resent: false,
            seat: None,
        }
    }

    /// What a call does whose first copy is still under way: the request of a second copy, or when to look
    /// again.
    fn look(&mut self, call: &CallState, cx: &mut Context<'_>) -> Result<Request<ReqBody>, Instant> {
        let now = Instant::now();
        let limit = self.context.max_attempts.or(self.shared.max_attempts());
        let later = now + self.patience;
        let over = call.time_left().is_some_and(|left| left.is_zero());
        if over || limit.is_some_and(|limit| call.made() >= limit) {
            return Err(later);
        }
        // Between two attempts, or with a head: no silence.
        let Some(since) = call.silent_since() else { return Err(later) };
        let due = since + self.patience;
        if now < due {
            return Err(due);
        }
        let silent =
            Silent { since, second: self.sent, resent: self.resent, exempt: self.context.budget_exempt };
        match self.shared.turn(&mut self.seat, cx.waker(), silent, now) {
            Turn::Wait(until) => Err(until),
            Turn::Send { resent } => {
                let Some(mut request) = self.request.take() else { return Err(later) };
                self.request = copy(&request);
                self.sent = Some(now);
                self.resent |= resent;
                let lane = call.in_lane(Lane::Second);
                // It takes the place of an older one, and goes round the endpoints as that one did.
                lane.abandon();
                if lane.begun() > 0 && lane.untried() == 0 {
                    lane.next_round();
                }
                tracing::debug!(canary = !resent, "no answer in time, sending the request once more");
                request.extensions_mut().remove::<AttemptState>();
                request.extensions_mut().insert(lane);
                Ok(request)
            }
        }
    }

    /// The first copy has an answer that counts.
    fn first_counts(&self, call: &CallState) {
        // What was repeated has taken longer than an answer does.
        if call.begun() == 1 {
            self.shared.record(self.context.idempotence.is_read(), self.began.elapsed());
        }
    }

    /// The second copy has an answer that counts.
    fn second_counts(&self, call: &CallState) {
        let Some(sent) = self.sent else { return };
        self.shared.answered(sent);
        let now = Instant::now();
        // A pinned call has nowhere else to go, and says nothing about where others should.
        if self.context.pinned.is_none() {
            call.blame_silent(now.checked_sub(self.patience).unwrap_or(now));
        }
    }
}

impl<S: Service<Request<ReqBody>>, B> ResponseFuture<S, B> {
    pub(super) fn new(
        first: S::Future,
        plan: Option<Second<S>>,
        call: CallState,
        idempotence: Idempotence,
    ) -> Self {
        Self { first: Some(first), second: None, alarm: None, plan, held: None, call, idempotence }
    }
}

impl<S, B> Future for ResponseFuture<S, B>
where
    S: Service<Request<ReqBody>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            if let Some(first) = this.first.as_mut().as_pin_mut()
                && let Poll::Ready(answer) = first.poll(cx)
            {
                this.first.set(None);
                let answer = answer.map_err(|error| this.call.settle(error.into(), *this.idempotence));
                if counts(&answer, *this.idempotence) {
                    this.second.set(None);
                    this.plan.iter().for_each(|plan| plan.first_counts(this.call));
                }
                *this.held = Some(better(this.held.take(), answer));
            }
            if let Some(second) = this.second.as_mut().as_pin_mut()
                && let Poll::Ready(answer) = second.poll(cx)
            {
                this.second.set(None);
                let answer = answer.map_err(|error| this.call.settle(error.into(), *this.idempotence));
                if counts(&answer, *this.idempotence) {
                    this.first.set(None);
                    this.plan.iter().for_each(|plan| plan.second_counts(this.call));
                }
                *this.held = Some(better(this.held.take(), answer));
            }
            if this.first.is_none() && this.second.is_none() {
                let answer = this.held.take().expect("each copy has left how it ended");
                return Poll::Ready(finish(answer, this.call, *this.idempotence));
            }
            let (Some(plan), true) = (this.plan.as_mut(), this.first.is_some()) else { return Poll::Pending };
            let Some(mut alarm) = this.alarm.as_mut().as_pin_mut() else {
                this.alarm.set(Some(tokio::time::sleep_until(plan.began + plan.patience)));
                continue;
            };
            // With a seat it may have been woken because somebody was answered.
            if alarm.as_mut().poll(cx).is_pending() && plan.seat.is_none() {
                return Poll::Pending;
            }
            match plan.look(this.call, cx) {
                Ok(request) => this.second.set(Some(Oneshot::new(plan.service.clone(), request))),
                Err(until) => {
                    alarm.as_mut().reset(until);
                    if alarm.poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

/// Whether an answer is one whatever the other copy does.
///
/// The refusal of a write is not: the other copy may be why it was refused.
fn counts<B>(answer: &Result<Response<B>, Error>, idempotence: Idempotence) -> bool {
    let Ok(response) = answer else { return false };
    let served = response.status().is_success() || (idempotence.is_read() && is_final(response));
    served && response.extensions().get::<NotEtcd>().is_none()
}

/// Whether an answer is etcd's word, as against that of a member that cannot serve.
fn is_final<B>(response: &Response<B>) -> bool {
    !response.status().is_server_error() && response.extensions().get::<NotEtcd>().is_none()
}

/// The more telling of two ends: an answer rather than a failure, a served one rather than one of a member
/// that cannot serve, and else the later.
pub(super) fn better<B>(
    held: Option<Result<Response<B>, Error>>,
    new: Result<Response<B>, Error>,
) -> Result<Response<B>, Error> {
    match (held, new) {
        (Some(Ok(held)), Err(_)) => Ok(held),
        (Some(Ok(held)), Ok(new)) if is_final(&held) && !is_final(&new) => Ok(held),
        (_, new) => new,
    }
}

/// What the caller gets, with all copies counted in.
fn finish<B>(
    answer: Result<Response<B>, Error>,
    call: &CallState,
    idempotence: Idempotence,
) -> Result<Response<B>, Error> {
    match answer {
        Ok(mut response) => {
            call.account(response.extensions_mut(), idempotence);
            Ok(response)
        }
        Err(error) => Err(call.settle(error.into(), idempotence)),
    }
}

impl<S: Service<Request<ReqBody>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("call", &self.call).finish_non_exhaustive()
    }
}
