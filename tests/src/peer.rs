//! Peers that are no etcd.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::AbortHandle;

use crate::canary::{ARRIVED, Canary};

/// The heads of all requests, as they came.
type Heads = Arc<Mutex<Vec<String>>>;

/// A listener on a loopback port that answers each request with the same text, and counts connections.
///
/// It lives as long as this handle.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: Heads,
    task: AbortHandle,
}

impl Peer {
    /// One that answers with `answer`, head and body as they go over the wire, and closes.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn answering(answer: impl Into<String>) -> Self {
        let answer: Arc<str> = answer.into().into();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let heads = Heads::default();
        let (count, noted) = (Arc::clone(&connections), Arc::clone(&heads));
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(connection, Arc::clone(&answer), Arc::clone(&noted)));
            }
        });
        Self { address, connections, heads, task: task.abort_handle() }
    }

    /// One that answers with status, content type and body.
    pub async fn with_body(status: &str, content_type: &str, body: &str) -> Self {
        let length = body.len();
        Self::answering(format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\
             \r\n{body}"
        ))
        .await
    }

    /// Its URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The heads of all requests that came, in lower case.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads a head, answers, and then reads on until the client closes: with bytes unread the system would reset the
/// connection and take the answer along.
async fn serve(mut connection: TcpStream, answer: Arc<str>, heads: Heads) {
    let mut request = Vec::new();
    let end = loop {
        if let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end;
        }
        match connection.read_buf(&mut request).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    if Canary::of_this_run().is_some_and(|canary| head.contains(&canary.header())) {
        tracing::trace!("{ARRIVED}");
    }
    heads.lock().unwrap_or_else(PoisonError::into_inner).push(head);
    // Whether it arrives is for the test to see.
    let _ = connection.write_all(answer.as_bytes()).await;
    let _ = connection.shutdown().await;
    while connection.read_buf(&mut request).await.is_ok_and(|count| count > 0) {}
}

/// A loopback port at which nothing listens, kept from everybody else as long as this handle lives.
#[derive(Debug)]
pub struct Refused {
    address: SocketAddr,
    /// Bound, never listening: the system refuses every connection to it.
    _socket: TcpSocket,
}

impl Refused {
    /// One more such port.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        Self { address: socket.local_addr().expect("a bound socket has an address"), _socket: socket }
    }

    /// Its URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Default for Refused {
    fn default() -> Self {
        Self::new()
    }
}
