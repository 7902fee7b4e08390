//! The proxy in front of an etcd in memory, which counts what arrives.

mod connection;
mod plain;
mod request;

use std::io::ErrorKind;
use std::time::Duration;

use etcd_testkit::Etcd as _;
use etcd_testkit::memory::MemoryEtcd;
use etcd_testkit::proxy::{ConnectionRule, Proxy, Rule};
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How a connection ended, with all that was read before.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
    Open,
}

async fn start() -> (MemoryEtcd, Proxy) {
    let etcd = MemoryEtcd::builder().start().await.unwrap();
    let proxy = Proxy::builder(&etcd.endpoints()[0]).start().await.unwrap();
    (etcd, proxy)
}

async fn with_rule(rule: Rule) -> (MemoryEtcd, Proxy) {
    let (etcd, proxy) = start().await;
    proxy.faults().add(rule);
    (etcd, proxy)
}

async fn with_connection_rule(rule: ConnectionRule) -> (MemoryEtcd, Proxy) {
    let (etcd, proxy) = start().await;
    proxy.faults().add_connection(rule);
    (etcd, proxy)
}

/// Writes `/a` on a connection of its own, in a form, and reads until the connection ends or is silent.
async fn put(proxy: &Proxy) -> (String, End) {
    put_for(proxy, ENOUGH).await
}

/// The same, for a connection that is expected to stay open.
async fn put_unanswered(proxy: &Proxy) -> (String, End) {
    put_for(proxy, SILENCE).await
}

async fn put_for(proxy: &Proxy, limit: Duration) -> (String, End) {
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    // A connection that is reset at once may not take it.
    let _ = stream.write_all(PUT).await;
    read(&mut stream, limit).await
}

async fn read(stream: &mut TcpStream, limit: Duration) -> (String, End) {
    let mut bytes = Vec::new();
    let end = match timeout(limit, stream.read_to_end(&mut bytes)).await {
        Ok(Ok(_)) => End::Closed,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
        Ok(Err(error)) => panic!("{error}"),
        Err(_) => End::Open,
    };
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}

/// How many writes of `/a` the server has made, and how many the proxy says it was sent.
fn puts(etcd: &MemoryEtcd, proxy: &Proxy) -> (usize, usize) {
    let applied = etcd.log().entries().iter().filter(|entry| entry.applied).count();
    (applied, proxy.log().forwarded(&Method::PUT, "/v2/keys/a"))
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

const PUT: &[u8] = b"PUT /v2/keys/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
    Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\nvalue=1";
const ENOUGH: Duration = Duration::from_secs(20);
/// Long enough for an answer that should not come; a machine that is slower lets a broken test pass, no more.
const SILENCE: Duration = Duration::from_millis(300);
