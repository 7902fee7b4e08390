//! Answers that mean harm to whoever reads them, and answers that belong to somebody else.

#![cfg(feature = "v2")]

mod double;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use double::{answer, http_double};
use etcd_client::v2::Client;
use etcd_client::{BoxError, ErrorKind, Outcome};
use etcd_transport::{ConnectError, ReqBody, RespBody, Transport};
use http_body::Frame;

#[tokio::test]
async fn json_a_hundred_thousand_levels_deep_is_an_error_and_no_overflow() {
    let deep = |open: &str, close: &str| format!("{}0{}", open.repeat(100_000), close.repeat(100_000));
    let nodes = deep(r#"{"key":"/a","nodes":["#, "]}");
    for body in [deep("[", "]"), nodes.clone(), format!(r#"{{"action":"set","node":{nodes}}}"#)] {
        let (client, _) = http_double([answer(200, &body), answer(200, &body), answer(400, &body)]);
        let read = client.get("/a").await.unwrap_err();
        assert_eq!((read.kind(), read.outcome()), (ErrorKind::Unreadable, Outcome::NotApplied));
        let written = client.set("/a", "1").await.unwrap_err();
        assert_eq!((written.kind(), written.outcome()), (ErrorKind::Unreadable, Outcome::Applied));
        assert_eq!(client.set("/a", "1").await.unwrap_err().kind(), ErrorKind::Status);
    }
    // What nobody reads may be as deep as it likes: it is passed over without recursion.
    let body = format!(r#"{{"action":"get","node":{{"key":"/a","value":"1"}},"other":{}}}"#, deep("[", "]"));
    let (client, _) = http_double([answer(200, &body)]);
    assert_eq!(client.get("/a").await.unwrap().node.text(), "1");
}

/// A body with no end, inside one string, that counts what is taken of it.
struct Endless {
    begun: bool,
    taken: Arc<AtomicUsize>,
}

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        static PIECE: [u8; 1 << 16] = [b'x'; 1 << 16];
        let piece = match std::mem::replace(&mut self.begun, true) {
            true => Bytes::from_static(&PIECE),
            false => Bytes::from_static(br#"{"action":"set","node":{"value":""#),
        };
        self.taken.fetch_add(piece.len(), Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

#[tokio::test]
async fn an_event_without_an_end_is_taken_up_to_the_limit() {
    let taken = Arc::<AtomicUsize>::default();
    let endless = Endless { begun: false, taken: Arc::clone(&taken) };
    let mut response = answer(200, "");
    *response.body_mut() = RespBody::wrap(endless);
    let (client, _) = http_double([response]);
    let error = client.watch("/a").next_event().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BodyTooLarge, "{error:?}");
    assert!(taken.load(Ordering::SeqCst) <= (64 << 20) + (1 << 17));
}

/// A client of three members, of which each answers as `answer` says for its host.
fn members(answer: impl Fn(&str) -> http::Response<RespBody> + Clone + Send + Sync + 'static) -> Client {
    let connection = tower::service_fn(move |request: http::Request<ReqBody>| {
        std::future::ready(Ok::<_, ConnectError>(answer(request.uri().host().unwrap_or_default())))
    });
    let transport = Transport::builder("a, b, c".parse().unwrap()).build_with(connection).unwrap();
    Client::from_transport(transport)
}

const NODE: &str = r#"{"action":"get","node":{"key":"/a","value":"1","modifiedIndex":9,"createdIndex":9}}"#;

#[tokio::test]
async fn an_answer_of_another_cluster_is_an_error_that_names_both() {
    let client = members(|_| {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let mut response = answer(200, NODE);
        let id = if CALLS.fetch_add(1, Ordering::SeqCst) == 0 { "aa" } else { "bb" };
        response.headers_mut().insert("x-etcd-cluster-id", http::HeaderValue::from_static(id));
        response
    });
    client.get("/a").await.unwrap();
    let error = client.set("/a", "1").await.unwrap_err();
    assert!(error.is_cluster_changed() && !error.is_retryable(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Applied);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("`bb`") && cause.contains("`aa`"), "{cause}");
}

#[tokio::test]
async fn a_redirect_elsewhere_and_a_moved_path_are_told_apart() {
    for (status, kind, outcome) in [
        (307, ErrorKind::Redirect, Outcome::NotApplied),
        (301, ErrorKind::InvalidKey, Outcome::NotApplied),
        (302, ErrorKind::InvalidKey, Outcome::Unknown),
    ] {
        let client = members(move |_| {
            let mut response = answer(status, "");
            let elsewhere = http::HeaderValue::from_static("http://evil/v2/keys/a?value=canary");
            response.headers_mut().insert("location", elsewhere);
            response
        });
        let error = client.set("/a", "1").await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (kind, outcome));
        assert_eq!(error.http_status().unwrap(), status);
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_monotonic_read_asks_until_a_member_is_not_behind() {
    let client = members(|host| {
        let mut response = answer(200, NODE);
        static FIRST: AtomicUsize = AtomicUsize::new(0);
        let index = match host {
            "a" if FIRST.fetch_add(1, Ordering::SeqCst) == 0 => 9,
            "c" => 9,
            _ => 5,
        };
        response.headers_mut().insert("x-etcd-index", http::HeaderValue::from(index));
        response
    });
    client.get("/a").await.unwrap();
    assert_eq!(client.get("/a").await.unwrap().header.etcd_index.get(), 5, "off by default");
    let read = client.get("/a").monotonic_reads(true).await.unwrap();
    assert_eq!((read.header.etcd_index.get(), read.attempts), (9, 3));
}
