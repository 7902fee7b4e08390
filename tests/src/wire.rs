//! A client of a cluster in this process, in virtual time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use etcd_client::BoxError;
use etcd_client::v2::Client;
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{Body, ConnectRefused, HttpService, InProcess};
use etcd_transport::{ConnectError, Endpoints, ReqBody, Transport};
use http::{Request, Response};
use tower_service::Service;

/// The place of the connections in a transport: a cluster in memory without sockets, so that time can be paused.
///
/// It says which failures are proof that nothing was sent, as a pool of connections does.
#[derive(Clone, Debug)]
pub struct Wire(HttpService);

impl Wire {
    /// The connections to all members.
    pub fn new(etcd: &InProcess) -> Self {
        Self(etcd.http_service())
    }

    /// A client of all members, with the default limits.
    ///
    /// # Panics
    /// Never: the cluster has endpoints.
    pub fn client(etcd: &InProcess) -> Client {
        let endpoints = Endpoints::parse(&etcd.endpoints().join(",")).expect("the cluster has endpoints");
        let transport = Transport::builder(endpoints).build_with(Self::new(etcd));
        Client::from_transport(transport.expect("nothing else is set"))
    }
}

impl Service<Request<ReqBody>> for Wire {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Request<ReqBody>>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move {
            answer.await.map_err(|error| match error.is::<ConnectRefused>() {
                true => ConnectError::new(error).into(),
                false => error,
            })
        })
    }
}
