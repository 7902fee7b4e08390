//! What became of a write, by how its answer failed.

mod support;

use std::time::Duration;

use etcd_proto::v2::ApiError;
use etcd_proto::{Idempotence, Outcome};
use etcd_transport::{BodyMode, CallContext, Error, ErrorKind, Phase};
use http_body_util::BodyExt;
use support::{Peer, Reply, ok, send, transport, write};

/// How a write fails that gets this answer.
async fn fails(reply: Reply, context: CallContext) -> Error {
    let peer = Peer::always(reply).await;
    let error = send(&transport([peer.address]), write(context)).await.unwrap_err();
    assert_eq!(peer.requests().len(), 1, "sent once");
    assert_eq!(error.attempts().made(), 1);
    assert_eq!(error.attempts().as_slice()[0].outcome(), error.outcome());
    assert_eq!(error.endpoint().unwrap().port(), peer.address.port());
    error
}

fn limited(body: BodyMode) -> CallContext {
    let mut context = CallContext::default();
    context.body = body;
    context
}

/// A context with a limit that is short but real: nothing is asserted about how long it took.
fn hasty() -> CallContext {
    let mut context = CallContext::default();
    context.attempt_timeout = Some(Duration::from_millis(100));
    context
}

fn buffered(limit: usize) -> BodyMode {
    let mut body = BodyMode::default();
    if let BodyMode::Buffered { limit: old } = &mut body {
        *old = limit;
    }
    body
}

#[tokio::test]
async fn a_body_cut_after_a_success_with_an_index_was_applied() {
    for head in ["Content-Length: 99", "Transfer-Encoding: chunked"] {
        let cut = format!("HTTP/1.1 201 Created\r\nX-Etcd-Index: 7\r\n{head}\r\n\r\n2\r\n{{\"");
        let error = fails(Reply::Close(cut), CallContext::default()).await;
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::BodyInterrupted, Outcome::Applied), "{head}");
        assert_eq!(error.attempts().as_slice()[0].phase(), Phase::Body);
    }
}

#[tokio::test]
async fn a_body_cut_after_a_success_without_an_index_is_unknown() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_owned();
    let error = fails(Reply::Close(cut), CallContext::default()).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::BodyInterrupted, Outcome::Unknown));
}

#[tokio::test]
async fn a_body_over_the_limit_was_applied_and_is_no_answer() {
    let error = fails(Reply::Keep(ok("0123456789")), limited(buffered(9))).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::BodyTooLarge, Outcome::Applied));
    let peer = Peer::always(Reply::Keep(ok("0123456789"))).await;
    let response = send(&transport([peer.address]), write(limited(buffered(10)))).await.unwrap();
    assert_eq!(response.into_body().into_bytes().unwrap(), "0123456789");
}

#[tokio::test]
async fn a_silent_server_is_left_at_the_limit_of_the_attempt() {
    let error = fails(Reply::Hang(String::new()), hasty()).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::AttemptTimeout, Outcome::Unknown));
    assert!(error.to_string().ends_with("within 100ms"), "{error}");
}

#[tokio::test]
async fn a_dripping_body_meets_the_limit_of_the_attempt_and_was_applied() {
    let begun = "HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nContent-Length: 99\r\n\r\n{".to_owned();
    let error = fails(Reply::Hang(begun), hasty()).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::AttemptTimeout, Outcome::Applied));
    assert_eq!(error.attempts().as_slice()[0].phase(), Phase::Body);
}

#[tokio::test]
async fn a_call_that_ends_while_an_attempt_is_in_flight_is_unknown() {
    let mut context = CallContext::default();
    context.call_timeout = Some(Duration::from_millis(100));
    let error = fails(Reply::Hang(String::new()), context).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Deadline, Outcome::Unknown));
    assert_eq!(error.attempts().as_slice()[0].kind(), ErrorKind::Deadline);
}

#[tokio::test]
async fn a_call_without_time_is_not_begun() {
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let mut context = CallContext::default();
    context.call_timeout = Some(Duration::ZERO);
    let error = send(&transport([peer.address]), write(context)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Deadline, Outcome::NotApplied));
    assert_eq!((error.attempts().made(), peer.connections()), (0, 0));
}

#[tokio::test]
async fn what_is_not_http_is_unknown() {
    let error = fails(Reply::Close("SSH-2.0-OpenSSH_9.2\r\n".into()), CallContext::default()).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidHead, Outcome::Unknown));
}

#[tokio::test]
async fn a_connection_closed_without_a_word_is_unknown() {
    let error = fails(Reply::Close(String::new()), CallContext::default()).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Interrupted, Outcome::Unknown));
}

#[tokio::test]
async fn an_error_of_etcd_is_an_answer() {
    let body = r#"{"errorCode":101,"message":"Compare failed","cause":"[1 != 2]","index":7}"#;
    let answer = format!("HTTP/1.1 412 Precondition Failed\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let peer = Peer::always(Reply::Keep(answer)).await;
    let response = send(&transport([peer.address]), write(CallContext::default())).await.unwrap();
    assert_eq!(response.extensions().get::<ApiError>().unwrap().outcome(), Outcome::NotApplied);
    assert_eq!(response.into_body().into_bytes().unwrap(), body);
}

#[tokio::test]
async fn a_stream_comes_as_it_is_sent_and_outlives_the_limits() {
    let first =
        "HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n".to_owned();
    let peer = Peer::always(Reply::Hang(first)).await;
    let mut context = hasty();
    context.body = BodyMode::Stream;
    context.idempotence = Idempotence::Read;
    context.call_timeout = context.attempt_timeout;
    let response = send(&transport([peer.address]), write(context)).await.unwrap();
    let mut body = response.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    let more = tokio::time::timeout(Duration::from_millis(300), body.frame()).await;
    assert!(more.is_err(), "the stream goes on");
}
