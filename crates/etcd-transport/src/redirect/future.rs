//! The requests that follow one another until an answer is no redirect.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use etcd_proto::{BoxError, Outcome};
use http::uri::PathAndQuery;
use http::{Request, Response, header};
use http_body::Body;
use pin_project_lite::pin_project;
use tower::util::Oneshot;
use tower_service::Service;

use super::Servers;
use super::rule::{self, Direction, Reason, Refusal};
use crate::attempt_state::AttemptState;
use crate::call_state::CallState;
use crate::{CallContext, DynService, Endpoint, Error, ErrorKind, Phase, ReqBody, RespBody};

pin_project! {
    /// The answer of a [`Redirect`](super::Redirect): of the server that the redirects led to.
    ///
    /// # Cancel safety
    ///
    /// Dropping it closes the connection in use. For a write the outcome is then `Unknown`.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S: Service<Request<ReqBody>>> {
        #[pin]
        step: Step<S>,
        service: S,
        rest: Rest,
    }
}

/// What is needed should the answer be a redirect.
struct Rest {
    servers: Servers,
    /// To send it again; `None` where the body exists only once.
    copy: Option<Request<ReqBody>>,
    path: Option<PathAndQuery>,
    context: CallContext,
    call: CallState,
    attempt: AttemptState,
    /// How many were followed.
    followed: usize,
}

pin_project! {
    #[project = StepProj]
    enum Step<S: Service<Request<ReqBody>>> {
        /// The first request.
        Asking { #[pin] inner: S::Future },
        /// One that follows a redirect to a server of the list.
        Following { #[pin] inner: Oneshot<S, Request<ReqBody>> },
        /// One that follows a redirect to a server that was allowed besides.
        Outside { #[pin] inner: Oneshot<DynService, Request<ReqBody>> },
    }
}

impl<S: Service<Request<ReqBody>>> ResponseFuture<S> {
    #[expect(clippy::too_many_arguments, reason = "the fields of a future, filled in one place")]
    pub(super) fn new(
        inner: S::Future,
        service: S,
        servers: Servers,
        copy: Option<Request<ReqBody>>,
        path: Option<PathAndQuery>,
        context: CallContext,
        call: CallState,
        attempt: AttemptState,
    ) -> Self {
        let rest = Rest { servers, copy, path, context, call, attempt, followed: 0 };
        Self { step: Step::Asking { inner }, service, rest }
    }
}

impl<S, B> Future for ResponseFuture<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<RespBody>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let rest = this.rest;
        // Ends: each round follows one redirect, of which there are at most so many.
        loop {
            let answer = match this.step.as_mut().project() {
                StepProj::Asking { inner } => ready!(inner.poll(cx)).map_err(Into::into).map(wrap),
                StepProj::Following { inner } => ready!(inner.poll(cx)).map_err(Into::into).map(wrap),
                StepProj::Outside { inner } => ready!(inner.poll(cx)),
            };
            let response = answer.map_err(|error| rest.call.own(error, rest.context.idempotence))?;
            let (endpoint, request) = match rest.next(&response) {
                Ok(None) => return Poll::Ready(Ok(response)),
                Ok(Some(next)) => next,
                Err(error) => {
                    rest.attempt.fail(&error);
                    return Poll::Ready(Err(error));
                }
            };
            rest.turn_to(&endpoint);
            let step = match rest.servers.find(&endpoint.to_string()) {
                Some((_, Some(service))) => Step::Outside { inner: Oneshot::new(service.clone(), request) },
                _ => Step::Following { inner: Oneshot::new(this.service.clone(), request) },
            };
            this.step.set(step);
        }
    }
}

fn wrap<B>(response: Response<B>) -> Response<RespBody>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    response.map(RespBody::wrap)
}

impl Rest {
    /// What follows this answer: another request, or nothing.
    fn next(&self, response: &Response<RespBody>) -> Result<Option<(Endpoint, Request<ReqBody>)>, Error> {
        let refusal = match Direction::of(response.status()) {
            Direction::None => return Ok(None),
            Direction::Moved => return Err(self.moved(response)),
            Direction::Elsewhere => match self.follow(response) {
                Ok(next) => return Ok(Some(next)),
                Err(refusal) => refusal,
            },
        };
        if self.context.leader_only {
            // It says who is not the leader, and that is for the retries to judge.
            return Ok(None);
        }
        let proved = if refusal.reason.is_redirect() {
            Outcome::NotApplied
        } else {
            Outcome::of_status(response.status())
        };
        Err(self.error(ErrorKind::Redirect, response, proved).detail(refusal.to_string()))
    }

    /// The request for the server that the answer leads to.
    fn follow(&self, response: &Response<RespBody>) -> Result<(Endpoint, Request<ReqBody>), Refusal> {
        let origin = response.extensions().get::<Endpoint>().map(Endpoint::to_string);
        let path = self.path.as_ref().map_or("/", PathAndQuery::path);
        let location = response.headers().get(header::LOCATION);
        let knows = |written: &str| self.servers.find(written).is_some();
        let target = rule::target(origin.as_deref(), path, location, knows)?;
        let refused = |reason| Refusal::new(reason, Some(&target));
        if self.context.pinned.is_some() {
            return Err(refused(Reason::Pinned));
        }
        if self.followed == MOST {
            return Err(refused(Reason::TooMany));
        }
        let copy = self.copy.as_ref().and_then(crate::retry::copy);
        let mut request = copy.ok_or_else(|| refused(Reason::Unrepeatable))?;
        let (endpoint, _) = self.servers.find(&target).ok_or_else(|| refused(Reason::UnknownServer))?;
        let context = CallContext { pinned: Some(endpoint.clone()), ..self.context.clone() };
        request.extensions_mut().insert(context);
        Ok((endpoint, request))
    }

    /// Notes that the request was turned away, and goes to this server now.
    fn turn_to(&mut self, endpoint: &Endpoint) {
        self.followed += 1;
        let asked = self.call.has_tried(endpoint) || !self.servers.known.endpoints().contains(endpoint);
        // The router would count none, since what is followed is pinned.
        let untried = self.attempt.untried().map(|untried| untried.saturating_sub(usize::from(!asked)));
        self.attempt.turned_away(untried);
    }

    fn moved(&self, response: &Response<RespBody>) -> Error {
        let status = response.status();
        let detail = status.as_u16().to_string();
        self.error(ErrorKind::Moved, response, Outcome::of_status(status)).detail(detail)
    }

    fn error(&self, kind: ErrorKind, response: &Response<RespBody>, proved: Outcome) -> Error {
        Error::new(kind)
            .of_request(self.context.idempotence)
            .at(response.extensions().get::<Endpoint>().cloned().or_else(|| self.attempt.endpoint()))
            .with_status(response.status())
            .proves(self.attempt.with_other_copies(proved), Phase::Body)
    }
}

impl<S: Service<Request<ReqBody>>> fmt::Debug for ResponseFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("followed", &self.rest.followed).finish_non_exhaustive()
    }
}

/// How many redirects are followed in one attempt.
const MOST: usize = 5;
