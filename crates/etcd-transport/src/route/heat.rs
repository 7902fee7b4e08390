//! One attempt at one endpoint.
//!
//! Here it is decided what a failure proves: `Connect` where the connection service says so and nothing below
//! has sent the request before, else that it may have arrived. A copy at the bottom that has lost its attempt
//! may be one of this attempt, so it counts as such.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use etcd_proto::{BoxError, Idempotence, Outcome};
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower::util::Oneshot;
use tower_service::Service;

use super::cluster::Leave;
use crate::attempt_state::{AnsweredBy, AttemptState};
use crate::call_state::CallState;
use crate::classify::recognise;
use crate::strays::Watch;
use crate::{CallContext, Error, Phase, ReqBody, proof};

pin_project! {
    /// An attempt that is in the log as begun: alone, or one of those that race.
    pub(super) struct Heat<S: Service<Request<ReqBody>>> {
        // The endpoint's service has the request, or will have it as soon as it is ready.
        #[pin]
        inner: Oneshot<S, Request<ReqBody>>,
        leave: Leave,
        strays: Watch,
        idempotence: Idempotence,
        leader_only: bool,
        call: CallState,
        attempt: AttemptState,
    }
}

impl<S: Service<Request<ReqBody>>> Heat<S> {
    pub(super) fn new(
        inner: Oneshot<S, Request<ReqBody>>,
        leave: Leave,
        strays: Watch,
        context: &CallContext,
        call: CallState,
        attempt: AttemptState,
    ) -> Self {
        let CallContext { idempotence, leader_only, .. } = *context;
        Self { inner, leave, strays, idempotence, leader_only, call, attempt }
    }

    /// What the layers of this attempt share.
    pub(super) fn attempt(&self) -> &AttemptState {
        &self.attempt
    }
}

impl<S, B> Future for Heat<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = this.inner.poll(cx);
        // Two are as good as many: one is left, whichever of them got the answer.
        for _ in 0..this.strays.look().min(2) {
            this.attempt.copy_goes_out();
        }
        let error = match ready!(answer) {
            Ok(mut response) => {
                let status = response.status();
                this.attempt.head(proof::by_head(status, response.headers()));
                // Nobody above reads the body, which may tell more.
                if !status.is_server_error() && !this.attempt.is_judged() {
                    this.attempt.praise();
                }
                if *this.leader_only {
                    hint(this.leave, status);
                }
                response.extensions_mut().insert(this.leave.endpoint().clone());
                response.extensions_mut().insert(AnsweredBy::new(this.attempt));
                return Poll::Ready(Ok(response));
            }
            Err(error) => error.into(),
        };
        let (error, refused) = match recognise(error) {
            Ok(error) => (error.of_request(*this.idempotence), false),
            Err(foreign) => (this.call.own(foreign, *this.idempotence), this.attempt.is_refused()),
        };
        let error = error.at(Some(this.leave.endpoint().clone()));
        let error = if refused {
            error.proves(Outcome::NotApplied, Phase::Connect)
        // A layer below may have sent the request before the failure that it tells of.
        } else if this.attempt.has_sent() {
            let (proved, phase) = (error.proved().merge(Outcome::Unknown), error.phase().max(Phase::Request));
            error.proves(proved, phase)
        } else {
            error
        };
        this.attempt.fail(&error);
        Poll::Ready(Err(error))
    }
}

/// What the answer to a request for the leader says of who leads.
fn hint(leave: &Leave, status: StatusCode) {
    if status.is_success() {
        leave.leads(true);
    } else if matches!(
        status,
        StatusCode::FORBIDDEN | StatusCode::TEMPORARY_REDIRECT | StatusCode::SERVICE_UNAVAILABLE
    ) {
        leave.leads(false);
    }
}
