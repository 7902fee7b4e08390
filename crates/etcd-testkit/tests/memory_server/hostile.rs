//! What no client should send.

use etcd_testkit::memory::{LogEntry, MemoryEtcd, Reply};
use http::{Method, StatusCode};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{address, read_to_end, read_until, send, start, status, until};

#[tokio::test]
async fn bytes_that_are_no_http_are_refused_and_the_server_lives() {
    let etcd = start(MemoryEtcd::builder()).await;
    // A plain generator: the bytes matter less than that they are the same each time.
    let mut seed = 1_u64;
    for _ in 0..200 {
        let mut bytes = Vec::new();
        for _ in 0..256 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.push(seed.to_be_bytes()[0]);
        }
        bytes.extend_from_slice(b"\r\n\r\n");
        let mut stream = TcpStream::connect(address(&etcd, 0)).await.unwrap();
        // The server may have hung up by then.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        read_to_end(&mut stream).await;
    }
    assert_eq!(status(&address(&etcd, 0), "GET", "/version").await, 200);
    assert_eq!(etcd.log().count(), 1);
}

#[tokio::test]
async fn half_requests_hold_nothing_but_their_connection() {
    let etcd = start(MemoryEtcd::builder()).await;
    let mut half = Vec::new();
    for text in [
        "GE",
        "GET /v2/keys/a HTTP/1.1\r\nhost: x\r\n",
        "PUT /v2/keys/a HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nval",
        "PUT /v2/keys/a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nva",
    ] {
        let mut stream = TcpStream::connect(address(&etcd, 0)).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        half.push(stream);
    }
    assert_eq!(status(&address(&etcd, 0), "GET", "/v2/keys/a").await, 404);
    drop(half);
    // Two had a whole head. Whether they are told before they are gone is a race of their own.
    let is_over = |entry: &LogEntry| !entry.applied && entry.reply != Reply::Pending;
    until("the log says what became of them", async || {
        let entries = etcd.log().entries();
        entries.len() == 3 && entries.iter().all(is_over)
    })
    .await;
    let halves = etcd.log().entries().into_iter().filter(|entry| entry.method == Method::PUT);
    assert_eq!(halves.filter(|entry| entry.path() == "/v2/keys/a").count(), 2);
}

#[tokio::test]
async fn a_body_that_is_refused_on_its_way_is_in_the_log() {
    let etcd = start(MemoryEtcd::builder()).await;
    let mut stream = TcpStream::connect(address(&etcd, 0)).await.unwrap();
    let head = "PUT /v2/keys/a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nno number\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(read_to_end(&mut stream).await.0.starts_with("HTTP/1.1 400"));
    let entry = etcd.log().entries().remove(0);
    assert_eq!((entry.reply, entry.status), (Reply::Answered, Some(StatusCode::BAD_REQUEST)));
}

#[tokio::test]
async fn an_endless_body_is_refused_before_its_end() {
    let etcd = start(MemoryEtcd::builder()).await;
    let mut stream = TcpStream::connect(address(&etcd, 0)).await.unwrap();
    let head = "PUT /v2/keys/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                content-length: 99999999999\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b'a'; 1 << 20];
    for _ in 0..10 {
        stream.write_all(&piece).await.unwrap();
    }
    stream.write_all(b"a").await.unwrap();
    let answer = read_until(&mut stream, "POST too large").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn a_head_beyond_all_bounds_is_refused() {
    let etcd = start(MemoryEtcd::builder()).await;
    let long = format!("/v2/keys/{}", "a".repeat(60_000));
    let mut stream = send(&address(&etcd, 0), "GET", &long).await;
    assert!(read_to_end(&mut stream).await.0.starts_with("HTTP/1.1 431"));
    let mut stream = TcpStream::connect(address(&etcd, 0)).await.unwrap();
    let _ =
        stream.write_all(format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(4 << 20)).as_bytes()).await;
    // It may be reset under what was not read.
    read_to_end(&mut stream).await;
    assert_eq!(status(&address(&etcd, 0), "GET", "/version").await, 200);
}
