//! What the client says of a call to the layers below, and what it makes of their answers.

#![cfg(feature = "v2")]

mod double;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use double::{answer, http_double};
use etcd_client::v2::{Client, Compare, ErrorCode};
use etcd_client::{BoxError, Idempotence, Outcome};
use etcd_transport::{BodyMode, DynService, ReqBody, RespBody, Transport};
use tower_service::Service;

const NODE: &str = r#"{"action":"set","node":{"key":"/a","value":"1","modifiedIndex":9,"createdIndex":9}}"#;

#[tokio::test]
async fn a_call_says_its_class_its_limits_and_how_to_read_the_answer() {
    let (client, asked) =
        http_double([answer(200, NODE), answer(200, NODE), answer(200, "{}"), answer(200, NODE)]);
    client.set("/a", "1").await.unwrap();
    client.set("/a", "1").idempotent(true).timeout(Duration::from_secs(2)).await.unwrap();
    client.stats().leader().await.unwrap();
    client.poll("/a").await.unwrap();
    let asked = asked.lock().unwrap();
    let classes: Vec<_> = asked.iter().map(|asked| asked.context.idempotence).collect();
    assert_eq!(classes, [Idempotence::Once, Idempotence::Idempotent, Idempotence::Read, Idempotence::Read]);
    let calls: Vec<_> =
        asked.iter().map(|asked| asked.context.call_timeout.map(|limit| limit.as_secs())).collect();
    assert_eq!(calls, [Some(15), Some(2), Some(15), None]);
    let leader_only: Vec<_> = asked.iter().map(|asked| asked.context.leader_only).collect();
    assert_eq!(leader_only, [false, false, true, false]);
    assert!(matches!(asked[0].context.body, BodyMode::Buffered { limit: 67_108_864 }));
    assert!(matches!(asked[3].context.body, BodyMode::Stream));
    assert_eq!((asked[0].line.as_str(), asked[0].body.as_str()), ("PUT /v2/keys/a", "value=1"));
    assert_eq!(asked[3].line, "GET /v2/keys/a?wait=true");
}

#[tokio::test]
async fn exists_is_false_for_error_100_only() {
    let not_found = |code: u16| answer(404, &format!(r#"{{"errorCode":{code},"message":"m","index":9}}"#));
    let (client, _) =
        http_double([answer(200, NODE), not_found(100), not_found(102), answer(404, "404 page not found")]);
    assert!(client.exists("/a").await.unwrap());
    assert!(!client.exists("/a").await.unwrap());
    assert!(client.exists("/a").await.unwrap_err().is_not_a_file());
    assert!(client.exists("/a").await.unwrap_err().is_v2_not_enabled());
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_the_server_ends_without_an_event_goes_on_at_the_same_place() {
    const LATER: &str = r#"{"action":"set","node":{"key":"/a","value":"1","modifiedIndex":12}}"#;
    let (client, asked) = http_double([
        answer(200, ""),
        answer(200, ""),
        answer(200, LATER),
        answer(200, ""),
        answer(200, LATER),
    ]);
    client.watch("/a").next_event().await.unwrap();
    client.watch("/a").from(3).next_event().await.unwrap();
    let asked: Vec<_> = asked.lock().unwrap().iter().map(|asked| asked.line.clone()).collect();
    let poll = |index: &str| format!("GET /v2/keys/a?wait=true{index}");
    // The heads say index 9: from now on means from 10 on.
    let wanted = ["", "&waitIndex=10", "&waitIndex=10", "&waitIndex=3", "&waitIndex=3"].map(poll);
    assert_eq!(asked, wanted);
}

#[tokio::test(start_paused = true)]
async fn an_empty_page_is_an_error_of_a_watch() {
    let pages = std::iter::repeat_with(|| {
        let mut page = answer(200, "");
        page.headers_mut().remove("x-etcd-index");
        page
    });
    let pages: [_; 9] = pages.take(9).collect::<Vec<_>>().try_into().unwrap();
    let (client, asked) = http_double(pages);
    let error = client.watch("/a").next_event().await.unwrap_err();
    assert!(error.is_not_etcd() && error.outcome().is_not_applied());
    assert_eq!(asked.lock().unwrap().len(), 9);
}

/// A body that brings some bytes and then breaks.
struct Broken(Option<Bytes>);

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        Poll::Ready(Some(self.0.take().map(http_body::Frame::data).ok_or_else(|| "reset".into())))
    }
}

fn broken(index: Option<&str>) -> http::Response<RespBody> {
    let mut answer =
        answer(200, "").map(|_| RespBody::wrap(Broken(Some(Bytes::from_static(b"{\"action\"")))));
    if index.is_none() {
        answer.headers_mut().clear();
    }
    answer
}

#[tokio::test]
async fn a_body_that_breaks_after_a_head_with_an_index_leaves_a_write_applied() {
    let (client, _) = http_double([broken(Some("9")), broken(None), broken(Some("9"))]);
    let error = client.set("/a", "1").await.unwrap_err();
    assert!(error.is_body_interrupted());
    assert_eq!(error.outcome(), Outcome::Applied);
    assert_eq!(client.set("/a", "1").await.unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(client.get("/a").await.unwrap_err().outcome(), Outcome::NotApplied);
}

#[tokio::test]
async fn an_unreadable_success_leaves_a_write_applied_or_unknown() {
    let mut without_index = answer(200, "{");
    without_index.headers_mut().remove("x-etcd-index");
    let (client, _) = http_double([answer(200, "{"), without_index, answer(200, "{}")]);
    for outcome in [Outcome::Applied, Outcome::Unknown, Outcome::Applied] {
        let error = client.set("/a", "1").await.unwrap_err();
        assert!(error.is_unreadable());
        assert_eq!(error.outcome(), outcome);
    }
}

#[tokio::test]
async fn a_refusal_has_etcds_words_and_a_failed_write_its_outcome() {
    let timed_out =
        r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: request timed out"}"#;
    let exists = r#"{"errorCode":105,"message":"Key already exists","cause":"/a","index":7}"#;
    let (client, _) = http_double([answer(412, exists), answer(500, timed_out), answer(500, timed_out)]);
    let error = client.create("/a", "1").await.unwrap_err();
    assert!(error.is_key_exists() && error.outcome().is_not_applied() && !error.is_retryable());
    let api = error.api().unwrap();
    assert_eq!((api.code, api.index.get()), (Some(ErrorCode::KeyExists), 7));
    let error = client.set("/a", "1").await.unwrap_err();
    assert!(error.is_cluster_unavailable() && error.outcome().is_unknown() && !error.is_retryable());
    let error = client.get("/a").quorum(true).await.unwrap_err();
    assert!(error.is_cluster_unavailable() && error.outcome().is_not_applied() && error.is_retryable());
}

#[tokio::test]
async fn bad_input_is_found_before_anything_is_sent() {
    let (client, asked) = http_double([]);
    let day = Duration::from_secs(86_400);
    assert!(client.get("/a/../b").await.unwrap_err().is_invalid_key());
    assert!(client.set("/a", "1").ttl(Duration::ZERO).await.unwrap_err().is_invalid_ttl());
    assert!(client.set_dir("/a").ttl(day * 200_000).await.unwrap_err().is_invalid_ttl());
    assert!(client.refresh("/a", Duration::ZERO).await.unwrap_err().is_invalid_ttl());
    assert!(client.compare_and_swap("/a", "1", Compare::index(0)).await.unwrap_err().is_invalid_index());
    assert!(client.compare_and_delete("/a", Compare::value("")).await.unwrap_err().is_invalid_compare());
    assert!(client.watch("/a").from(0).next_event().await.unwrap_err().is_invalid_index());
    assert!(client.watch("/a").after(0).next_event().await.unwrap_err().is_invalid_index());
    let error = client.set("/a", "1").ttl(Duration::ZERO).await.unwrap_err();
    assert_eq!(error.to_string(), "set /a: invalid ttl");
    let long = Compare::value("v".repeat(5000));
    assert!(client.compare_and_delete("/a", long).await.unwrap_err().is_request_too_long());
    assert!(client.members().remove("a/b").await.unwrap_err().is_invalid_name());
    assert!(client.members().add([""; 0]).await.unwrap_err().is_invalid_name());
    assert!(client.auth().users().create("", "p").await.unwrap_err().is_invalid_name());
    assert!(client.auth().users().create("u", "").await.unwrap_err().is_invalid_name());
    // The first thing that is bad is the one that is told.
    let error = client.set("/..", "1").ttl(Duration::ZERO).await.unwrap_err();
    assert!(
        error.is_invalid_key() && std::error::Error::source(&error).unwrap().to_string().contains("\"..\"")
    );
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_call_can_be_kept_and_sent_again() {
    let (client, asked) = http_double([answer(200, NODE), answer(200, NODE)]);
    let call = client.set("/a", "1").ttl(Duration::from_millis(1500));
    call.clone().await.unwrap();
    call.await.unwrap();
    let bodies: Vec<_> = asked.lock().unwrap().iter().map(|asked| asked.body.clone()).collect();
    assert_eq!(bodies, ["value=1&ttl=2", "value=1&ttl=2"]);
}

/// A client over a transport whose attempt seam has a layer that sends each request twice.
fn repeating<const N: usize>(answers: [http::Response<RespBody>; N]) -> Client {
    let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
    let connection = tower::service_fn(move |_: http::Request<ReqBody>| {
        let answer = answers.lock().unwrap().pop_front().expect("the script has an answer for every attempt");
        async move { Ok::<_, BoxError>(answer) }
    });
    let twice = tower::layer::layer_fn(|inner: DynService| {
        tower::service_fn(move |request: http::Request<ReqBody>| {
            let mut inner = inner.clone();
            async move {
                let mut first = http::Request::new(request.body().try_clone().expect("a buffered body"));
                *first.method_mut() = request.method().clone();
                *first.uri_mut() = request.uri().clone();
                *first.extensions_mut() = request.extensions().clone();
                inner.call(first).await?;
                inner.call(request).await
            }
        })
    });
    let endpoints = "http://127.0.0.1:1".parse().unwrap();
    let transport = Transport::builder(endpoints).attempt_layer(twice).build_with(connection).unwrap();
    Client::from_transport(transport)
}

#[tokio::test]
async fn a_refusal_after_a_copy_whose_end_is_not_known_stays_unknown() {
    let timed_out =
        r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: request timed out"}"#;
    let failed = r#"{"errorCode":101,"message":"Compare failed","cause":"[7 != 9]","index":9}"#;
    let client = repeating([answer(500, timed_out), answer(412, failed)]);
    let error = client.compare_and_swap("/a", "1", Compare::index(7)).await.unwrap_err();
    assert!(error.is_compare_failed());
    assert_eq!(error.outcome(), Outcome::Unknown);
    let client = repeating([answer(412, failed), answer(412, failed)]);
    let error = client.compare_and_swap("/a", "1", Compare::index(7)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotApplied);
}
