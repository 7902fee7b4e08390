//! The server in memory on loopback ports: real time, real sockets.

#[path = "memory_server/connection.rs"]
mod connection;
#[path = "memory_server/fault.rs"]
mod fault;
#[path = "memory_server/hostile.rs"]
mod hostile;

use std::io::ErrorKind;
use std::time::Duration;

use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{MemoryBuilder, MemoryEtcd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

async fn start(builder: MemoryBuilder) -> MemoryEtcd {
    builder.start().await.unwrap()
}

fn address(etcd: &MemoryEtcd, member: usize) -> String {
    etcd.endpoints()[member].strip_prefix("http://").unwrap().to_owned()
}

/// A connection that has sent a request.
async fn send(address: &str, method: &str, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    write(&mut stream, method, target).await;
    stream
}

async fn write(stream: &mut TcpStream, method: &str, target: &str) {
    let head = format!("{method} {target} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
}

/// All until the connection ends, and how it ended.
async fn read_to_end(stream: &mut TcpStream) -> (String, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let end = timeout(LIMIT, async {
        loop {
            match stream.read_buf(&mut bytes).await {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(error.kind()),
            }
        }
    });
    let end = end.await.expect("the connection does not end");
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}

/// What comes until a text has come.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut bytes = Vec::new();
    let reading = timeout(LIMIT, async {
        while !String::from_utf8_lossy(&bytes).contains(text) {
            assert_ne!(
                stream.read_buf(&mut bytes).await.unwrap(),
                0,
                "{:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    });
    let is_late = reading.await.is_err();
    let got = String::from_utf8_lossy(&bytes).into_owned();
    assert!(!is_late, "no {text:?} in {got:?}");
    got
}

/// The status of a request on a connection of its own.
async fn status(address: &str, method: &str, target: &str) -> u16 {
    let mut stream = send(address, method, target).await;
    let head = read_until(&mut stream, "\r\n\r\n").await;
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Waits for what another task does.
async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let waiting = timeout(LIMIT, async {
        while !done().await {
            sleep(Duration::from_millis(2)).await;
        }
    });
    waiting.await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

async fn is_refused(address: &str) -> bool {
    TcpStream::connect(address).await.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

const LIMIT: Duration = Duration::from_secs(10);
