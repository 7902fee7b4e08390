//! Faults as a client with a socket sees them.

use std::io::ErrorKind;
use std::time::Duration;

use etcd_testkit::memory::{Fault, MemoryEtcd, Rule};
use http::Method;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::{address, is_refused, read_to_end, send, start, status, until};

const PUT: &str = "/v2/keys/a?value=1";

/// What a client reads whose write meets a fault, how it ended, and whether the write was made.
async fn meet(fault: Fault) -> (String, Option<ErrorKind>, bool) {
    let etcd = start(MemoryEtcd::builder().faults(Rule::new(fault).method(Method::PUT).nth(1))).await;
    let mut stream = send(&address(&etcd, 0), "PUT", PUT).await;
    let (text, end) = read_to_end(&mut stream).await;
    let made = status(&address(&etcd, 0), "GET", "/v2/keys/a").await == 200;
    assert_eq!(etcd.log().entries()[0].applied, made);
    (text, end, made)
}

#[tokio::test]
async fn reset_before_the_head() {
    let reset = Some(ErrorKind::ConnectionReset);
    assert_eq!(meet(Fault::ResetBeforeHead).await, (String::new(), reset, false));
    assert_eq!(meet(Fault::Refuse).await, (String::new(), reset, false));
}

#[tokio::test]
async fn a_dropped_answer_is_a_closed_connection() {
    assert_eq!(meet(Fault::DropAnswer).await, (String::new(), None, true));
}

#[tokio::test]
async fn reset_after_the_head() {
    let (text, end, made) = meet(Fault::ResetAfterHead).await;
    assert!(text.starts_with("HTTP/1.1 201 Created\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    assert_eq!((end, made), (Some(ErrorKind::ConnectionReset), true));
}

#[tokio::test]
async fn reset_after_a_head_without_a_body() {
    let etcd = start(MemoryEtcd::builder().faults(Rule::new(Fault::ResetAfterHead).nth(1))).await;
    let mut stream = send(&address(&etcd, 0), "HEAD", "/v2/keys/").await;
    let (text, end) = read_to_end(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    assert_eq!(end, Some(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_its_head_says() {
    let (text, end, made) = meet(Fault::CutBody(9)).await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
    assert!(length > 50, "{head}");
    assert_eq!((body, end, made), (r#"{"action""#, None, true));
}

#[tokio::test]
async fn a_stalled_body_leaves_the_connection_open_and_silent() {
    let etcd = start(MemoryEtcd::builder().faults(Rule::new(Fault::StallBody(9)).first(1))).await;
    let mut stream = send(&address(&etcd, 0), "PUT", PUT).await;
    let mut text = String::new();
    while !text.ends_with(r#"{"action""#) {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1);
        text.push(char::from(byte[0]));
    }
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(50), stream.read(&mut byte)).await.is_err());
    assert_eq!(status(&address(&etcd, 0), "GET", "/v2/keys/a").await, 200);
}

#[tokio::test]
async fn a_refusal_without_conditions_closes_the_door() {
    let etcd = start(MemoryEtcd::builder().members(2)).await;
    etcd.faults().add(Rule::new(Fault::Refuse).member(1));
    until("connecting is refused", async || is_refused(&address(&etcd, 1)).await).await;
    assert_eq!(status(&address(&etcd, 0), "GET", "/version").await, 200);
    etcd.faults().clear();
    until("connecting works", async || !is_refused(&address(&etcd, 1)).await).await;
    assert_eq!(status(&address(&etcd, 1), "GET", "/version").await, 200);
}

#[tokio::test]
async fn what_hangs_stays_open_and_silent() {
    let etcd = start(MemoryEtcd::builder().faults(Rule::new(Fault::Hang).first(1))).await;
    let mut stream = send(&address(&etcd, 0), "PUT", PUT).await;
    until("the request has come", async || etcd.log().count() == 1).await;
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(50), stream.read(&mut byte)).await.is_err());
    assert_eq!(status(&address(&etcd, 0), "GET", "/v2/keys/a").await, 404);
}
