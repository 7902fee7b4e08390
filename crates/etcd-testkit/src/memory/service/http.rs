//! The cluster as an HTTP service.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use etcd_proto::BoxError;
use http::{Request, Response, Uri};
use tower_service::Service;

use super::{Body, ResponseFuture, read_upload};
use crate::memory::ConnectRefused;
use crate::memory::disconnect::Unread;
use crate::memory::engine::{Caller, Engine};

/// The cluster as an HTTP service without sockets, for the innermost place of a client's stack.
///
/// A request with an absolute URI goes to the member whose endpoint has that host and port, whatever name and
/// password stand before them; an unknown one is refused. A request with a path only goes to member 0, or the one
/// chosen by [`to`](Self::to). The body of the request is read to its end before the cluster carries it out; a dead
/// member, and one that dies meanwhile, does not read it.
///
/// Errors are [`ConnectRefused`] and [`Disconnected`](crate::memory::Disconnected), boxed, or that of the
/// request's own body. Cheap to clone; always ready.
#[derive(Clone, Debug)]
pub struct HttpService {
    engine: Arc<Engine>,
    /// Host and port of each member.
    authorities: Arc<[String]>,
    member: usize,
}

impl HttpService {
    pub(crate) fn new(engine: Arc<Engine>, endpoints: &[String]) -> Self {
        let authority = |url: &String| url.trim_start_matches("http://").to_owned();
        Self { engine, authorities: endpoints.iter().map(authority).collect(), member: 0 }
    }

    /// A service whose requests with a path only go to this member, counted from 0. One that does not exist
    /// refuses them.
    #[must_use]
    pub fn to(mut self, member: usize) -> Self {
        self.member = member;
        self
    }

    fn member(&self, uri: &Uri) -> Option<usize> {
        let Some(authority) = uri.authority() else { return Some(self.member) };
        let authority = authority.as_str();
        let place = authority.rsplit_once('@').map_or(authority, |(_user, place)| place);
        self.authorities.iter().position(|known| known.eq_ignore_ascii_case(place))
    }
}

impl<B> Service<Request<B>> for HttpService
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = ResponseFuture<Response<Body>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (engine, member) = (Arc::clone(&self.engine), self.member(request.uri()));
        ResponseFuture::new(async move {
            let member = member.ok_or(ConnectRefused)?;
            let (mut head, body) = request.into_parts();
            // A server sees path and query alone.
            head.uri = origin_form(&head.uri);
            let upload = async { read_upload(body).await.map_err(|error| Unread { error, status: None }) };
            Ok(engine.serve(Caller { member, kills: None }, head, upload).await?)
        })
    }
}

/// Path and query of a URI.
fn origin_form(uri: &Uri) -> Uri {
    match uri.path_and_query() {
        Some(target) => Uri::from(target.clone()),
        None => Uri::from_static("/"),
    }
}
