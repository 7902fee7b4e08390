use std::sync::Mutex;

use etcd_proto::v2::Header;
use http::HeaderValue;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::*;
use crate::{Endpoints, RespBody, RetryLayer, RouteLayer};

fn answer(index: Option<u64>) -> Response<RespBody> {
    let mut response = Response::new(RespBody::from("{}"));
    if let Some(index) = index {
        response.headers_mut().insert(Header::ETCD_INDEX, HeaderValue::from(index));
    }
    response
}

fn request(context: CallContext) -> Request<ReqBody> {
    let mut request = Request::get("/v2/keys/a").body(ReqBody::empty()).unwrap();
    request.extensions_mut().insert(context);
    request
}

fn read() -> CallContext {
    CallContext { idempotence: Idempotence::Read, ..CallContext::default() }
}

/// Answers one after the other with these indexes, to requests with these contexts.
async fn play(seen: &SeenIndex, on: bool, turns: &[(CallContext, Option<u64>)]) -> Vec<bool> {
    let indexes = Mutex::new(turns.iter().map(|(_, index)| *index).collect::<Vec<_>>().into_iter());
    let indexes = Arc::new(indexes);
    let inner = service_fn(move |_: Request<ReqBody>| {
        let index = indexes.lock().unwrap().next().unwrap();
        std::future::ready(Ok::<_, BoxError>(answer(index)))
    });
    let service = MonotonicReadsLayer::new(seen.clone()).by_default(on).layer(inner);
    let mut passed = Vec::new();
    for (context, _) in turns {
        let answer = service.clone().oneshot(request(context.clone())).await;
        if let Err(error) = &answer {
            assert!(error.is_index_went_back(), "{error:?}");
        }
        passed.push(answer.is_ok());
    }
    passed
}

#[tokio::test]
async fn a_read_older_than_what_was_seen_is_refused_and_an_equal_one_is_not() {
    let turns = [Some(5), Some(5), Some(7), Some(6), Some(7)].map(|index| (read(), index));
    let seen = SeenIndex::new();
    assert_eq!(play(&seen, true, &turns).await, [true, true, true, false, true]);
    assert_eq!(seen.get(), 7);
    seen.forget();
    assert_eq!(play(&seen, true, &[(read(), Some(1))]).await, [true]);
}

#[tokio::test]
async fn writes_and_watches_count_and_are_never_refused() {
    let watch = CallContext { body: BodyMode::Stream, ..read() };
    let turns = [
        (CallContext::default(), Some(5)),
        (read(), Some(4)),
        (CallContext::default(), Some(3)),
        (watch.clone(), Some(2)),
        (watch, Some(9)),
        (read(), Some(8)),
    ];
    assert_eq!(play(&SeenIndex::new(), true, &turns).await, [true, false, true, true, true, false]);
}

#[tokio::test]
async fn an_answer_without_an_index_passes() {
    let turns = [(read(), Some(5)), (read(), None), (read(), Some(0))];
    assert_eq!(play(&SeenIndex::new(), true, &turns).await, [true, true, true]);
}

#[tokio::test]
async fn a_request_says_otherwise_for_itself() {
    let on = CallContext { monotonic_reads: Some(true), ..read() };
    let off = CallContext { monotonic_reads: Some(false), ..read() };
    let turns = [(read(), Some(5)), (read(), Some(4)), (on, Some(4)), (off, Some(4))];
    assert_eq!(play(&SeenIndex::new(), false, &turns).await, [true, true, false, true]);
    assert_eq!(play(&SeenIndex::new(), true, &turns).await, [true, false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn of_two_reads_under_way_the_older_answer_is_not_refused() {
    let first = tokio::sync::Notify::new();
    let first = Arc::new(first);
    let release = Arc::clone(&first);
    let inner = service_fn(move |request: Request<ReqBody>| {
        let first = Arc::clone(&first);
        async move {
            if request.uri().path() == "/slow" {
                first.notified().await;
                return Ok::<_, BoxError>(answer(Some(4)));
            }
            Ok(answer(Some(5)))
        }
    });
    let service = MonotonicReadsLayer::new(SeenIndex::new()).by_default(true).layer(inner);
    let mut slow = request(read());
    *slow.uri_mut() = "/slow".parse().unwrap();
    let slow = tokio::spawn(service.clone().oneshot(slow));
    tokio::task::yield_now().await;
    service.clone().oneshot(request(read())).await.unwrap();
    release.notify_one();
    assert!(slow.await.unwrap().is_ok());
}

#[tokio::test]
async fn an_old_answer_leads_on_and_is_an_error_when_all_are_old() {
    let seen = SeenIndex::new();
    seen.see(9);
    let connection = |b: u64| {
        service_fn(move |request: Request<ReqBody>| {
            let index = if request.uri().host() == Some("a") { 7 } else { b };
            std::future::ready(Ok::<_, BoxError>(answer(Some(index))))
        })
    };
    let layers = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .layer(MonotonicReadsLayer::new(seen.clone()).by_default(true));
    let route = || RouteLayer::new("a, b".parse::<Endpoints>().unwrap());
    let service = layers.clone().layer(route()).service(connection(9));
    let response = service.oneshot(request(read())).await.unwrap();
    assert_eq!(response.extensions().get::<crate::Endpoint>().unwrap().host(), "b");
    let service = layers.layer(route()).service(connection(8));
    let error = service.oneshot(request(read())).await.unwrap_err();
    assert_eq!(error.to_string(), "http://b:2379 answered from the past: index 8 after 9");
    assert_eq!((error.attempts().len(), error.outcome()), (2, Outcome::NotApplied));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn the_error_names_the_endpoint_that_won_the_race() {
    let seen = SeenIndex::new();
    seen.see(9);
    let inner = service_fn(|mut request: Request<ReqBody>| {
        CallState::race_for_tests(request.extensions_mut(), "http://slow:1", "http://fast:2");
        std::future::ready(Ok::<_, BoxError>(answer(Some(8))))
    });
    let service = MonotonicReadsLayer::new(seen).by_default(true).layer(inner);
    let error = service.oneshot(request(read())).await.unwrap_err();
    assert_eq!(error.endpoint().unwrap().to_string(), "http://fast:2");
}
