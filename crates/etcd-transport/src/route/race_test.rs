use std::future::Future;
use std::sync::Mutex;

use etcd_proto::{BoxError, Idempotence, Outcome};
use http::Response;
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt};

use super::*;
use crate::copies::Turn;
use crate::{
    AttemptTimeoutLayer, Attempts, ClassifyLayer, ConnectError, DeadlineLayer, Endpoint, Error, Phase,
    RespBody, RetryLayer, Route, RouteLayer, Transport,
};

/// A pool that tells what it holds. The name of a host says what connecting does: `c300` takes 300 ms, `r50` is
/// refused after 50 ms, `x` hangs. What was sent is answered at once; `s` in front: never.
#[derive(Clone, Default)]
struct Pool {
    sent: Arc<Mutex<Vec<String>>>,
    /// Whether it tells.
    mute: bool,
}

impl Pool {
    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

type Answer = Result<Response<RespBody>, BoxError>;

impl Service<Request<ReqBody>> for Pool {
    type Response = Response<RespBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let attempt = AttemptState::of(request.extensions_mut());
        let host = request.uri().host().unwrap().to_owned();
        let (silent, plan) = match host.strip_prefix('s') {
            Some(plan) => (true, plan),
            None => (false, &*host),
        };
        let millis = if plan.starts_with('x') { u64::MAX } else { plan[1..].parse().unwrap() };
        let refuses = plan.starts_with('r');
        let mut connecting = Box::pin(tokio::time::sleep(Duration::from_millis(millis.min(1 << 40))));
        let sent = Arc::clone(&self.sent);
        let mute = self.mute;
        if !mute {
            attempt.hold_copy();
        }
        Box::pin(async move {
            std::future::poll_fn(|cx| {
                if mute {
                    return connecting.as_mut().poll(cx).map(Ok);
                }
                match attempt.let_copy_go() {
                    Turn::Go => {}
                    Turn::Wait => {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Turn::Never => return Poll::Ready(Err(ConnectError::new("given up"))),
                }
                let connected = connecting.as_mut().poll(cx);
                attempt.copy_was_polled(connected.is_pending());
                connected.map(Ok)
            })
            .await?;
            if refuses {
                return Err(ConnectError::new("refused").into());
            }
            sent.lock().unwrap().push(host);
            if silent {
                std::future::pending::<()>().await;
            }
            let answer = Response::builder().header("x-etcd-index", "7");
            Ok(answer.body(RespBody::default())?)
        })
    }
}

fn route(endpoints: &str, pool: &Pool) -> Route<crate::Classify<Pool>> {
    let bottom = ServiceBuilder::new().layer(ClassifyLayer::new()).service(pool.clone());
    tower_layer::Layer::layer(&RouteLayer::new(endpoints.parse().unwrap()), bottom)
}

fn stack(endpoints: &str, pool: &Pool) -> Transport {
    let stack = ServiceBuilder::new()
        .layer(DeadlineLayer::new())
        .layer(RetryLayer::new().config(&crate::RetryConfig::off()))
        .layer(AttemptTimeoutLayer::new())
        .layer(crate::CollectLayer::new())
        .service(route(endpoints, pool));
    Transport::new(stack)
}

fn request(context: CallContext) -> Request<ReqBody> {
    let mut request =
        Request::builder().method("PUT").uri("/v2/keys/a").body(ReqBody::from("value=1")).unwrap();
    request.extensions_mut().insert(context);
    request
}

/// Sends a write; the host that answered, the hosts that failed, and the milliseconds it took.
async fn write(transport: &Transport) -> (String, Vec<String>, u128) {
    let began = Instant::now();
    let response = transport.clone().oneshot(request(CallContext::default())).await.unwrap();
    let attempts = response.extensions().get::<Attempts>().unwrap();
    assert_eq!(attempts.outcome(), Outcome::NotApplied, "{attempts:?}");
    assert!(attempts.iter().all(|attempt| attempt.phase() == Phase::Connect), "{attempts:?}");
    let lost = attempts.iter().map(|attempt| attempt.endpoint().host().to_owned()).collect();
    let host = response.extensions().get::<Endpoint>().unwrap().host().to_owned();
    (host, lost, began.elapsed().as_millis())
}

fn hosts(hosts: &[&str]) -> Vec<String> {
    hosts.iter().map(|host| (*host).to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_hanging_connect_is_raced_after_a_quarter_of_a_second_and_one_copy_is_sent() {
    let pool = Pool::default();
    let transport = stack("x c0", &pool);
    let (host, lost, millis) = write(&transport).await;
    assert_eq!((host.as_str(), lost), ("c0", hosts(&["x"])));
    assert!((250..260).contains(&millis), "{millis}");
    assert_eq!(pool.sent(), ["c0"]);
    // The loser is out of favour.
    assert_eq!(write(&transport).await, ("c0".to_owned(), hosts(&[]), 0));
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_is_done_in_time_races_with_nobody() {
    let pool = Pool::default();
    assert_eq!(write(&stack("c240 c0", &pool)).await.1, hosts(&[]));
    assert_eq!(pool.sent(), ["c240"]);
}

#[tokio::test(start_paused = true)]
async fn the_first_may_still_win_and_keeps_its_place() {
    let pool = Pool::default();
    let transport = stack("c300 c100", &pool);
    let (host, lost, millis) = write(&transport).await;
    assert_eq!((host.as_str(), lost), ("c300", hosts(&["c100"])));
    assert!((300..310).contains(&millis), "{millis}");
    assert_eq!(pool.sent(), ["c300"]);
    assert_eq!(write(&transport).await.0, "c300", "the loser had 50 ms, which says nothing against it");
}

#[tokio::test(start_paused = true)]
async fn a_third_follows_after_the_same_time_and_at_once_behind_a_failure() {
    let pool = Pool::default();
    let (host, lost, millis) = write(&stack("x1 x2 c0", &pool)).await;
    assert_eq!((host.as_str(), lost), ("c0", hosts(&["x1", "x2"])));
    assert!((500..520).contains(&millis), "{millis}");
    let (host, _, millis) = write(&stack("x r10 c0", &pool)).await;
    assert_eq!(host, "c0");
    assert!((260..270).contains(&millis), "{millis}");
    let (host, _, millis) = write(&stack("r300 x c0", &pool)).await;
    assert_eq!(host, "c0");
    assert!((300..310).contains(&millis), "{millis}");
    assert_eq!(pool.sent(), ["c0", "c0", "c0"]);
}

#[tokio::test(start_paused = true)]
async fn when_all_that_race_fail_nothing_was_applied_and_all_are_told() {
    let pool = Pool::default();
    let call = stack("r600 r600 r600", &pool);
    let error = call.oneshot(request(CallContext::default())).await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    // The same server is in a list once.
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::NotApplied, 1));
    let error = stack("r600 r601 r602", &pool).oneshot(request(CallContext::default())).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::NotApplied, 3));
    assert!(pool.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_winner_that_is_silent_leaves_the_write_unknown_at_the_limit_of_the_attempt_or_the_call() {
    for (attempt, call) in [(Some(2), None), (None, Some(2))] {
        let pool = Pool::default();
        let context = CallContext {
            attempt_timeout: attempt.map(Duration::from_secs),
            call_timeout: call.map(Duration::from_secs),
            ..CallContext::default()
        };
        let error = stack("x sc0 c0", &pool).oneshot(request(context)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
        assert_eq!(error.endpoint().unwrap().host(), "sc0");
        assert_eq!(pool.sent(), ["sc0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_race_that_is_given_up_as_a_whole_was_not_applied() {
    for (attempt, call) in [(Some(600), None), (None, Some(600))] {
        let pool = Pool::default();
        let context = CallContext {
            attempt_timeout: attempt.map(Duration::from_millis),
            call_timeout: call.map(Duration::from_millis),
            ..CallContext::default()
        };
        let error = stack("x1 x2", &pool).oneshot(request(context)).await.unwrap_err();
        assert_eq!(error.attempts().len(), 2, "{error:?}");
        for attempt in error.attempts() {
            assert_eq!(
                (attempt.phase(), attempt.outcome()),
                (Phase::Connect, Outcome::NotApplied),
                "{error:?}"
            );
        }
        // A stack of one's own cannot prove that no request has lost its log.
        assert_eq!(error.outcome().is_not_applied(), attempt.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn half_of_the_calls_time_is_not_the_end_of_a_race_that_nobody_else_can_join() {
    let pool = Pool::default();
    let context = CallContext {
        attempt_timeout: None,
        call_timeout: Some(Duration::from_millis(1000)),
        ..CallContext::default()
    };
    let response = stack("x c450", &pool).oneshot(request(context)).await.unwrap();
    assert_eq!(response.extensions().get::<Endpoint>().unwrap().host(), "c450");
}

#[tokio::test(start_paused = true)]
async fn pinned_calls_streams_and_services_that_do_not_tell_are_not_raced() {
    let pool = Pool::default();
    let pinned = CallContext { pinned: Some("c400".parse().unwrap()), ..CallContext::default() };
    let response = stack("c400 c0", &pool).oneshot(request(pinned)).await.unwrap();
    assert_eq!(response.extensions().get::<Attempts>().unwrap().made(), 1);
    let stream = ReqBody::stream(http_body_util::Full::new(bytes::Bytes::from_static(b"x")));
    let response = stack("c400 c0", &pool).oneshot(Request::new(stream)).await.unwrap();
    assert_eq!(response.extensions().get::<Attempts>().unwrap().made(), 1);
    let mute = Pool { mute: true, ..Pool::default() };
    assert_eq!(write(&stack("c400 c0", &mute)).await.0, "c400");
    assert_eq!(mute.sent(), ["c400"]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_polls_elsewhere_does_not_make_two_of_one() {
    // Each copy is in a task of its own, which goes on when it has lost.
    let pool = Pool::default();
    let bottom = ServiceBuilder::new().layer(ClassifyLayer::new()).service(pool.clone());
    let detached = tower::service_fn(move |request: Request<ReqBody>| {
        let answer = tokio::spawn(bottom.clone().oneshot(request));
        async move { answer.await.unwrap() }
    });
    let route = tower_layer::Layer::layer(&RouteLayer::new("c300 c0 c50".parse().unwrap()), detached);
    let answer = Transport::new(route).oneshot(request(CallContext::default())).await;
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(pool.sent().len(), 1, "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn an_ejected_endpoint_is_not_raced_to() {
    let pool = Pool::default();
    let transport = stack("r0 c400", &pool);
    for _ in 0..3 {
        let pinned = CallContext { pinned: Some("r0".parse().unwrap()), ..CallContext::default() };
        let error: Error = transport.clone().oneshot(request(pinned)).await.unwrap_err();
        assert!(error.is_connect());
    }
    assert_eq!(write(&transport).await.1, hosts(&[]));
    // Its time is over, and a write is no probe.
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(write(&transport).await.1, hosts(&[]));
}

#[tokio::test(start_paused = true)]
async fn a_race_makes_no_difference_for_what_kind_of_request_it_is() {
    for idempotence in [Idempotence::Read, Idempotence::Guarded, Idempotence::Idempotent, Idempotence::Once] {
        let pool = Pool::default();
        let context = CallContext { idempotence, ..CallContext::default() };
        stack("x c1", &pool).oneshot(request(context)).await.unwrap();
        assert_eq!(pool.sent(), ["c1"]);
    }
}

#[path = "race_end_test.rs"]
mod end;
