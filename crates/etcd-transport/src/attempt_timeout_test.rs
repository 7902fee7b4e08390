use etcd_proto::Outcome;
use http_body_util::StreamBody;
use tokio::time::advance;
use tower::ServiceExt;
use tower_test::mock;

use super::*;
use crate::{BodyMode, CollectLayer, DeadlineLayer, Phase, RespBody, RetryLayer, RouteLayer};

fn request(body: BodyMode) -> Request<ReqBody> {
    let mut request = Request::new(ReqBody::empty());
    request.extensions_mut().insert(CallContext {
        attempt_timeout: Some(Duration::from_secs(2)),
        body,
        ..CallContext::default()
    });
    request
}

/// A body that never ends.
fn silence() -> RespBody {
    let frames = futures_util::stream::pending::<Result<http_body::Frame<bytes::Bytes>, BoxError>>();
    RespBody::wrap(StreamBody::new(frames))
}

/// An attempt that gets this head at once and then no body.
async fn attempt(body: BodyMode, head: http::response::Builder) -> Result<Response<RespBody>, Error> {
    let (inner, mut peer) = mock::pair::<_, Response<RespBody>>();
    let service = AttemptTimeoutLayer::new().layer(CollectLayer::new().layer(inner));
    let call = tokio::spawn(service.oneshot(request(body)));
    let (_, answer) = peer.next_request().await.unwrap();
    answer.send_response(head.body(silence()).unwrap());
    call.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_attempt_without_a_head_ends_at_its_limit() {
    let began = tokio::time::Instant::now();
    let (inner, mut peer) = mock::pair::<_, Response<RespBody>>();
    let service = AttemptTimeoutLayer::new().layer(inner);
    let call = tokio::spawn(service.oneshot(request(BodyMode::Stream)));
    let _pending = peer.next_request().await.unwrap();
    let error = call.await.unwrap().unwrap_err();
    assert!(error.is_attempt_timeout());
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.to_string(), "no complete answer of the server within 2s");
    assert_eq!(began.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_zero_asks_nobody() {
    let (inner, mut peer) = mock::pair::<_, Response<RespBody>>();
    let mut request = request(BodyMode::Stream);
    request.extensions_mut().get_mut::<CallContext>().unwrap().attempt_timeout = Some(Duration::ZERO);
    let error = AttemptTimeoutLayer::new().layer(inner).oneshot(request).await.unwrap_err();
    assert!(error.is_attempt_timeout());
    assert_eq!((error.outcome(), error.phase()), (Outcome::NotApplied, Phase::Connect));
    assert!(peer.next_request().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_buffered_answer_counts_in() {
    let error = attempt(BodyMode::default(), Response::builder()).await.unwrap_err();
    assert!(error.is_attempt_timeout());
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_limited_up_to_its_head_only() {
    let response = attempt(BodyMode::Stream, Response::builder()).await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(response.into_body().into_bytes().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_error_body_of_a_stream_is_limited_too() {
    let error = attempt(BodyMode::Stream, Response::builder().status(400)).await.unwrap_err();
    assert!(error.is_attempt_timeout());
}

/// A bottom like the pool's: `dark` servers never give a connection, `silent` ones take the request and say
/// nothing.
async fn bottom(mut request: Request<ReqBody>) -> Result<Response<RespBody>, BoxError> {
    let attempt = AttemptState::of(request.extensions_mut());
    attempt.copy_goes_out();
    match request.uri().host().unwrap() {
        host if host.starts_with("dark") => {
            attempt.hold_copy();
            std::future::pending().await
        }
        host if host.starts_with("silent") => std::future::pending().await,
        _ => Ok(Response::new(RespBody::from("{}"))),
    }
}

/// A call with these limits in milliseconds; how it ends, and when.
async fn call(
    servers: &str,
    attempt: Option<u64>,
    call: Option<u64>,
) -> (Result<Response<RespBody>, Error>, Duration) {
    let service = tower::ServiceBuilder::new()
        .layer(DeadlineLayer::new())
        .layer(RetryLayer::new())
        .layer(AttemptTimeoutLayer::new())
        .layer(RouteLayer::new(servers.parse().unwrap()))
        .service(tower::service_fn(bottom));
    let mut request = Request::builder().uri("/a").body(ReqBody::empty()).unwrap();
    request.extensions_mut().insert(CallContext {
        attempt_timeout: attempt.map(Duration::from_millis),
        call_timeout: call.map(Duration::from_millis),
        retry: false,
        ..CallContext::default()
    });
    let began = Instant::now();
    (service.oneshot(request).await, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn each_server_without_a_connection_costs_half_of_what_the_call_has_left() {
    let (answer, took) = call("dark1 dark2 good", None, Some(400)).await;
    let attempts = answer.unwrap().extensions().get::<crate::Attempts>().unwrap().clone();
    assert_eq!(attempts.made(), 3);
    let phases: Vec<Phase> = attempts.iter().map(crate::Attempt::phase).collect();
    assert_eq!(
        (phases.as_slice(), attempts.outcome()),
        ([Phase::Connect; 2].as_slice(), Outcome::NotApplied)
    );
    assert!((300..310).contains(&took.as_millis()), "200 ms and 100 ms: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_server_gets_all_the_time_and_the_limit_of_an_attempt_holds_all_the_same() {
    let (answer, took) = call("dark", None, Some(400)).await;
    assert!(answer.unwrap_err().is_deadline());
    assert!((400..410).contains(&took.as_millis()), "{took:?}");
    let (answer, took) = call("dark1 dark2", Some(50), Some(400)).await;
    let error = answer.unwrap_err();
    assert!(error.is_attempt_timeout());
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(error.to_string(), "no connection to http://dark2:2379 within 50ms");
    assert!((100..110).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_sent_is_not_ended_at_the_half() {
    let (answer, took) = call("silent good", Some(300), Some(400)).await;
    let error = answer.unwrap_err();
    assert!(error.is_attempt_timeout());
    assert_eq!((error.outcome(), error.attempts().made()), (Outcome::Unknown, 1));
    assert!((300..310).contains(&took.as_millis()), "{took:?}");
    let (answer, took) = call("silent good", None, Some(400)).await;
    assert!(answer.unwrap_err().is_deadline());
    assert!((400..410).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn without_any_limit_nothing_ends() {
    let call = tokio::spawn(call("silent", None, None));
    advance(Duration::from_secs(86_400)).await;
    assert!(!call.is_finished());
    call.abort();
}
