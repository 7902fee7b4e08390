//! Which endpoint gets a request.
//!
//! | call | goes to |
//! | --- | --- |
//! | pinned | its endpoint, or nowhere |
//! | first attempt | the endpoint that calls begin with ([`Sticky`]) |
//! | later attempts | the next in the list that this call has not asked |
//! | all asked | where calls begin |
//!
//! What is known of an endpoint's health is only this yet: one that failed, or has answered that it has no
//! quorum, is not where calls begin, until the others have failed too.

mod future;
mod layer;
mod sticky;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use etcd_proto::BoxError;
use http::uri::{Parts, PathAndQuery, Uri};
use http::{Request, Response};
use tower::util::Oneshot;
use tower_service::Service;

pub use self::future::ResponseFuture;
pub use self::layer::RouteLayer;
pub(crate) use self::sticky::Leave;
use self::sticky::Sticky;
use crate::attempt_state::AttemptState;
use crate::call_state::{CallState, Strays};
use crate::{CallContext, Endpoint, Error, ErrorKind, ReqBody};

/// The service of [`RouteLayer`]: one service per endpoint, and the endpoint that calls begin with.
///
/// It is always ready; the readiness of the chosen endpoint's service is awaited inside the call, since which
/// one it is depends on the request. Waiting there counts as part of the attempt.
pub struct Route<S> {
    table: Arc<Table<S>>,
}

/// What clones of a router share.
struct Table<S> {
    /// Where calls begin.
    sticky: Arc<Sticky>,
    /// Requests that came without their log.
    strays: Strays,
    /// In the order of the endpoints, and as many.
    services: Box<[S]>,
}

impl<S> Route<S> {
    /// The place in the list that this request goes to.
    ///
    /// Never one that its call has tried, as long as there is another.
    fn choose(&self, context: &CallContext, call: &CallState) -> Result<usize, Error> {
        let endpoints = self.table.sticky.endpoints();
        if let Some(pinned) = &context.pinned {
            let place = endpoints.iter().position(|endpoint| endpoint == pinned);
            return place.ok_or_else(|| {
                Error::new(ErrorKind::InvalidEndpoint)
                    .of_request(context.idempotence)
                    .detail(format!("call is pinned to {pinned}, which is not in the list of servers"))
            });
        }
        let first = self.table.sticky.place();
        let mut places = (first..endpoints.len()).chain(0..first);
        let untried = |place: &usize| !call.has_tried(endpoints.at(*place));
        Ok(places.find(untried).unwrap_or(first))
    }
}

impl<S, B> Service<Request<ReqBody>> for Route<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Response<B>;
    type Error = Error;
    type Future = ResponseFuture<S>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> ResponseFuture<S> {
        let context = CallContext::of(request.extensions());
        let call = CallState::arrived(request.extensions_mut(), &self.table.strays);
        let attempt = AttemptState::of(request.extensions_mut());
        let place = match self.choose(&context, &call) {
            Ok(place) => place,
            Err(error) => return ResponseFuture::refused(error, attempt),
        };
        let leave = Sticky::leave_from(&self.table.sticky, place);
        let endpoint = leave.endpoint().clone();
        let others = self.table.sticky.endpoints().iter().filter(|other| **other != endpoint);
        let untried = match &context.pinned {
            // There is nobody else for this call, whatever a policy says.
            Some(_) => 0,
            None => others.filter(|other| !call.has_tried(other)).count(),
        };
        if !call.begin(|| attempt.begin(leave, untried)) {
            // The caller has been told that nothing was sent, or not: in either case it is too late.
            let error = Error::new(ErrorKind::Deadline)
                .of_request(context.idempotence)
                .detail("its limit; it ended before");
            return ResponseFuture::refused(error, attempt);
        }
        *request.uri_mut() = absolute(request.uri(), &endpoint);
        let service = self.table.services[place].clone();
        ResponseFuture::begun(Oneshot::new(service, request), endpoint, context.idempotence, call, attempt)
    }
}

impl<S> Clone for Route<S> {
    fn clone(&self) -> Self {
        Self { table: Arc::clone(&self.table) }
    }
}

impl<S> fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("sticky", &self.table.sticky).finish_non_exhaustive()
    }
}

/// Puts scheme and authority of the endpoint before the path.
///
/// A URI that is absolute already loses its own: requests, and the password, go to the servers of the list
/// only.
fn absolute(uri: &Uri, endpoint: &Endpoint) -> Uri {
    let mut parts = Parts::default();
    parts.scheme = Some(endpoint.scheme());
    parts.authority = Some(endpoint.authority().clone());
    parts.path_and_query =
        Some(uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
    Uri::from_parts(parts).expect("scheme, authority and path are all given")
}

#[cfg(test)]
#[path = "test.rs"]
mod tests;
