//! The proxy in front of real servers.

use etcd_testkit::Etcd as _;
use etcd_testkit::proxy::{Fault, Proxy, Rule};
use etcd_testkit::real::{Server, binaries_under_test};
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn exchange(proxy: &Proxy, request: &str) -> String {
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    let request = format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_was_made_once() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).start().await.unwrap();
        let lost = Rule::new(Fault::DropAnswer).method(Method::POST).nth(1);
        let proxy = Proxy::builder(&server.endpoints()[0]).rule(lost).start().await.unwrap();
        assert_eq!(exchange(&proxy, "POST /v2/keys/jobs?value=1").await, "");
        let listing = exchange(&proxy, "GET /v2/keys/jobs?quorum=true").await;
        assert_eq!(listing.matches("\"value\":\"1\"").count(), 1, "{listing}");
        assert_eq!(proxy.log().forwarded(&Method::POST, "/v2/keys/jobs"), 1);
        assert_eq!(proxy.log().entries()[0].answered, Some(StatusCode::CREATED));
        assert_eq!(proxy.log().entries()[0].status, None);
    }
}

#[tokio::test]
async fn a_long_poll_of_a_real_server_passes() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).start().await.unwrap();
        let proxy = Proxy::builder(&server.endpoints()[0]).start().await.unwrap();
        let first = exchange(&proxy, "PUT /v2/keys/a?value=1").await;
        assert!(first.starts_with("HTTP/1.1 201"), "{first}");
        assert!(first.contains("\r\nContent-Type: "), "names keep their case: {first}");
        // From an index on, so that it does not matter which of the two comes first.
        let index: u64 = first.split("\"modifiedIndex\":").nth(1).unwrap()[..1].parse().unwrap();
        let poll = format!("GET /v2/keys/a?wait=true&waitIndex={}", index + 1);
        let (event, _) = tokio::join!(exchange(&proxy, &poll), exchange(&proxy, "PUT /v2/keys/a?value=2"));
        assert!(event.contains("\"value\":\"2\""), "{event}");
    }
}
