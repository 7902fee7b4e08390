//! What passes unchanged.

use std::time::Duration;

use etcd_testkit::Etcd as _;
use etcd_testkit::proxy::Proxy;
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::{ENOUGH, End, PUT, SILENCE, put, puts, read, start};

async fn exchange(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    read(&mut stream, ENOUGH).await.0
}

#[tokio::test]
async fn an_answer_is_byte_for_byte_the_servers() {
    let (etcd, proxy) = start().await;
    put(&proxy).await;
    let get = b"GET /v2/keys/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let direct = exchange(etcd.endpoints()[0].strip_prefix("http://").unwrap(), get).await;
    let through = exchange(&proxy.addr().to_string(), get).await;
    let dateless = |answer: &str| -> Vec<String> {
        let lines = answer.split("\r\n").filter(|line| !line.to_lowercase().starts_with("date:"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(dateless(&through), dateless(&direct));
}

#[tokio::test]
async fn the_log_says_what_was_sent_and_answered() {
    let (etcd, proxy) = start().await;
    assert!(put(&proxy).await.0.starts_with("HTTP/1.1 201 Created\r\n"));
    let entry = proxy.log().entries().remove(0);
    assert_eq!((entry.method.clone(), entry.path(), entry.body_bytes), (Method::PUT, "/v2/keys/a", 7));
    assert_eq!((entry.answered, entry.status), (Some(StatusCode::CREATED), Some(StatusCode::CREATED)));
    assert_eq!(puts(&etcd, &proxy), (1, 1));
    assert_eq!((proxy.requests(), proxy.connections()), (1, 1));
}

#[tokio::test]
async fn a_stream_of_events_comes_as_it_is_written_and_ends_with_the_client() {
    let (_etcd, proxy) = start().await;
    let mut watch = TcpStream::connect(proxy.addr()).await.unwrap();
    let request = b"GET /v2/keys/a?wait=true&stream=true HTTP/1.1\r\nHost: x\r\n\r\n";
    watch.write_all(request).await.unwrap();
    let mut seen = String::new();
    for _ in 0..3 {
        // The head comes before any event: the watch is there.
        read_until(&mut watch, &mut seen, "\r\n\r\n").await;
        put(&proxy).await;
        seen.clear();
        read_until(&mut watch, &mut seen, "\"action\":\"set\"").await;
        seen.push_str("\r\n\r\n");
    }
    drop(watch);
    for _ in 0..1000 {
        if proxy.open_connections() == 0 {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the watch is still open");
}

async fn read_until(stream: &mut TcpStream, seen: &mut String, mark: &str) {
    let mut buffer = [0; 1024];
    while !seen.contains(mark) {
        let count = timeout(ENOUGH, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(count > 0, "the stream ended");
        seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
}

#[tokio::test]
async fn a_connection_serves_several_requests() {
    let (_etcd, proxy) = start().await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        read_until(&mut stream, &mut String::new(), "etcdserver").await;
    }
    assert_eq!((proxy.requests(), proxy.connections()), (3, 1));
}

#[tokio::test]
async fn bytes_pass_that_are_no_http() {
    let (etcd, _) = start().await;
    let address = etcd.endpoints()[0].replace("http://", "https://");
    let proxy = Proxy::builder(address).start().await.unwrap();
    assert!(proxy.endpoint().starts_with("https://"));
    assert!(exchange(&proxy.addr().to_string(), PUT).await.starts_with("HTTP/1.1 201"));
    assert_eq!((proxy.requests(), proxy.connections()), (0, 1));
}

#[tokio::test]
async fn a_server_that_is_not_there_resets_its_clients_and_is_sent_nothing() {
    let (etcd, proxy) = start().await;
    drop(etcd);
    assert_eq!(put(&proxy).await, (String::new(), End::Reset));
    assert_eq!(proxy.log().forwarded(&Method::PUT, "/v2/keys/a"), 0);
    assert_eq!(proxy.log().attempts(&Method::PUT, "/v2/keys/a"), 1);
}

#[tokio::test]
async fn all_ends_when_the_proxy_is_dropped() {
    let (_etcd, proxy) = start().await;
    let address = proxy.addr();
    let mut open = TcpStream::connect(address).await.unwrap();
    assert_eq!(read(&mut open, SILENCE).await.1, End::Open);
    drop(proxy);
    assert_ne!(read(&mut open, ENOUGH).await.1, End::Open);
    assert!(TcpStream::connect(address).await.is_err());
}
