//! One attempt at one endpoint.
//!
//! Here it is decided what a failure proves: `Connect` where the connection service says so and nothing below
//! has sent the request before, else that it may have arrived.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use etcd_proto::{BoxError, Idempotence, Outcome};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower::util::Oneshot;
use tower_service::Service;

use crate::attempt_state::{AnsweredBy, AttemptState};
use crate::call_state::CallState;
use crate::classify::recognise;
use crate::{Endpoint, Error, Phase, ReqBody, proof};

pin_project! {
    /// The answer of a [`Route`](super::Route): the head, with the endpoint in its extensions.
    ///
    /// # Cancel safety
    ///
    /// Dropping it closes the connection in use. For a write the outcome is then `Unknown`.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S: Service<Request<ReqBody>>> {
        #[pin]
        step: Step<S>,
        attempt: AttemptState,
    }

    impl<S: Service<Request<ReqBody>>> PinnedDrop for ResponseFuture<S> {
        fn drop(this: Pin<&mut Self>) {
            this.project().attempt.abandon();
        }
    }
}

pin_project! {
    #[project = StepProj]
    enum Step<S: Service<Request<ReqBody>>> {
        /// Nothing was begun, and this is why.
        Refused { error: Option<Error> },
        /// The endpoint's service has the request, or will have it as soon as it is ready.
        Begun {
            #[pin]
            inner: Oneshot<S, Request<ReqBody>>,
            endpoint: Endpoint,
            idempotence: Idempotence,
            call: CallState,
        },
    }
}

impl<S: Service<Request<ReqBody>>> ResponseFuture<S> {
    /// An attempt that ends before it has begun.
    pub(super) fn refused(error: Error, attempt: AttemptState) -> Self {
        Self { step: Step::Refused { error: Some(error) }, attempt }
    }

    /// An attempt that is in the log as begun.
    pub(super) fn begun(
        inner: Oneshot<S, Request<ReqBody>>,
        endpoint: Endpoint,
        idempotence: Idempotence,
        call: CallState,
        attempt: AttemptState,
    ) -> Self {
        Self { step: Step::Begun { inner, endpoint, idempotence, call }, attempt }
    }
}

impl<S, B> Future for ResponseFuture<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<B>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (inner, endpoint, idempotence, call) = match this.step.project() {
            StepProj::Refused { error } => {
                return Poll::Ready(Err(error.take().expect("taken once, when the future ends")));
            }
            StepProj::Begun { inner, endpoint, idempotence, call } => (inner, endpoint, *idempotence, call),
        };
        let error = match ready!(inner.poll(cx)) {
            Ok(mut response) => {
                this.attempt.head(proof::by_head(response.status(), response.headers()));
                if !response.status().is_server_error() {
                    this.attempt.praise();
                }
                response.extensions_mut().insert(endpoint.clone());
                response.extensions_mut().insert(AnsweredBy::new(this.attempt));
                return Poll::Ready(Ok(response));
            }
            Err(error) => error.into(),
        };
        let error = match recognise(error) {
            Ok(error) => error.of_request(idempotence),
            Err(foreign) => call.own(foreign, idempotence),
        };
        let error = error.at(Some(endpoint.clone()));
        // A layer below may have sent the request before the failure that it tells of.
        let error = if this.attempt.has_sent() {
            let (proved, phase) = (error.proved().merge(Outcome::Unknown), error.phase().max(Phase::Request));
            error.proves(proved, phase)
        } else {
            error
        };
        this.attempt.fail(&error);
        Poll::Ready(Err(error))
    }
}

impl<S: Service<Request<ReqBody>>> fmt::Debug for ResponseFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}
