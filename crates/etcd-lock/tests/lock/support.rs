//! A cluster in this process, in virtual time, and what the tests ask of it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use etcd_client::v2::{self, Client, DynOperationService};
use etcd_client::{BoxError, Idempotence};
use etcd_lock::{Clock, Error, Lock, LockGuard, Sleep, Spin, Timestamp, Token, TokioClock};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{Body, ConnectRefused, HttpService, InProcess, MemoryEtcd};
use etcd_transport::{ConnectError, Endpoints, ReqBody, Transport};
use http::{Method, Request, Response};
use tokio::task::JoinHandle;
use tower_layer::Layer;
use tower_service::Service;

/// Three members.
pub(crate) fn cluster() -> InProcess {
    MemoryEtcd::builder().members(3).in_process().unwrap()
}

/// A client of all members, with all that a client has but the sockets.
pub(crate) fn client(etcd: &InProcess) -> Client {
    let endpoints = Endpoints::parse(&etcd.endpoints().join(",")).unwrap();
    Client::from_transport(Transport::builder(endpoints).build_with(Wire(etcd.http_service())).unwrap())
}

/// The place of the connections: it says which failures prove that nothing was sent, as a pool does.
#[derive(Clone, Debug)]
struct Wire(HttpService);

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

/// What a future comes to within a virtual time that nothing takes.
pub(crate) async fn soon<T>(future: impl IntoFuture<Output = T>) -> T {
    within(Duration::from_secs(600), future).await.expect("an end")
}

/// What a future comes to within so long.
pub(crate) async fn within<T>(time: Duration, future: impl IntoFuture<Output = T>) -> Option<T> {
    tokio::time::timeout(time, future.into_future()).await.ok()
}

/// What a future comes to if it is dropped behind so many polls; `None` if that was too early.
pub(crate) async fn polled<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (Box::pin(future), times);
    std::future::poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Whole seconds.
pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// What was asked of the servers, as method and target.
pub(crate) fn asked(etcd: &InProcess) -> Vec<(Method, String)> {
    etcd.log().entries().into_iter().map(|entry| (entry.method, entry.target)).collect()
}

/// A lock by virtual time, without the look at the servers' clocks.
pub(crate) fn lock(client: &Client) -> Lock {
    Lock::new(client, "mylock").clock(Arc::new(TokioClock::new())).without_skew_probe()
}

/// The same on a single key.
pub(crate) fn spin(client: &Client) -> Spin {
    Spin::new(client, "mylock").clock(Arc::new(TokioClock::new())).without_skew_probe()
}

/// Starts to wait for a lock.
pub(crate) fn waiting(lock: &Lock) -> JoinHandle<Result<LockGuard, Error>> {
    tokio::spawn(lock.acquire())
}

/// Lets so much time pass.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// The contender keys that are there.
pub(crate) async fn keys(client: &Client) -> Vec<String> {
    match soon(client.get("/locks/mylock").recursive(true).quorum(true)).await {
        Ok(list) => list.node.nodes.iter().map(|node| node.key.to_string()).collect(),
        Err(error) if error.is_key_not_found() => Vec::new(),
        Err(error) => panic!("{error:?}"),
    }
}

/// A token with this number in the cluster of another one.
pub(crate) fn token_like(token: &Token, index: u64) -> Token {
    Token::new(index, token.cluster_id()).unwrap()
}

/// tokio's clock, which can be made to jump ahead as by a sleep of the machine: waits do not hear of it.
#[derive(Debug, Default)]
pub(crate) struct JumpClock {
    clock: TokioClock,
    ahead: Mutex<Duration>,
}

impl JumpClock {
    pub(crate) fn jump(&self, time: Duration) {
        *self.ahead.lock().unwrap() += time;
    }
}

impl Clock for JumpClock {
    fn now(&self) -> Timestamp {
        self.clock.now() + *self.ahead.lock().unwrap()
    }

    fn sleep_until(&self, time: Timestamp) -> Sleep {
        self.clock.sleep_until(time - *self.ahead.lock().unwrap())
    }
}

/// The calls that a client has made: name, key, and whether repeats of it can do harm.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<Call>>>);

type Call = (&'static str, String, Idempotence);

impl Calls {
    /// The client, with its calls noted here.
    pub(crate) fn of(&self, client: &Client) -> Client {
        client.layer(self.clone())
    }

    /// All so far.
    pub(crate) fn all(&self) -> Vec<Call> {
        self.0.lock().unwrap().clone()
    }

    /// The keys of the calls of this name.
    pub(crate) fn keys(&self, name: &str) -> Vec<String> {
        self.all().into_iter().filter(|call| call.0 == name).map(|call| call.1).collect()
    }
}

impl Layer<DynOperationService> for Calls {
    type Service = Noted;

    fn layer(&self, inner: DynOperationService) -> Noted {
        Noted { calls: self.clone(), inner }
    }
}

/// The service of [`Calls`].
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    calls: Calls,
    inner: DynOperationService,
}

impl Service<v2::Request> for Noted {
    type Response = v2::Response;
    type Error = BoxError;
    type Future = <DynOperationService as Service<v2::Request>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: v2::Request) -> Self::Future {
        let operation = &request.operation;
        let key = operation.key().map(ToString::to_string).unwrap_or_default();
        self.calls.0.lock().unwrap().push((operation.name(), key, request.idempotence()));
        self.inner.call(request)
    }
}
