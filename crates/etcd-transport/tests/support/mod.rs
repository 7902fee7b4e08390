//! Scripted servers on real sockets.
#![allow(dead_code, reason = "each test binary uses a part of it")]

mod canary;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use etcd_transport::{Builder, CallContext, Endpoints, Error, ReqBody, RespBody, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// What a peer does after it has read a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Writes this and goes on reading.
    Keep(String),
    /// Writes this and closes the connection.
    Close(String),
    /// Resets the connection.
    Reset,
    /// Writes this and says no more.
    Hang(String),
}

/// A server on a free port of this machine, with a script. It ends when it is dropped.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
    closed: tokio::sync::watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Peer {
    /// Answers the request number `n`, from 0, by the script.
    pub(crate) async fn scripted(script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let connections = Arc::<Mutex<usize>>::default();
        let (closing, closed) = tokio::sync::watch::channel(0);
        let (log, count) = (Arc::clone(&requests), Arc::clone(&connections));
        let script = Arc::new(script);
        let task = tokio::spawn(async move {
            let mut served = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                let (log, script, closing) = (Arc::clone(&log), Arc::clone(&script), closing.clone());
                served.spawn(async move {
                    serve(stream, &log, &*script).await;
                    closing.send_modify(|closed| *closed += 1);
                });
            }
        });
        Self { address, requests, connections, closed, task }
    }

    /// Answers everything alike.
    pub(crate) async fn always(reply: Reply) -> Self {
        Self::scripted(move |_, _| reply.clone()).await
    }

    /// The requests that were read, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// Waits until so many connections have been closed by this peer.
    pub(crate) async fn closed(&mut self, wanted: usize) {
        self.closed.wait_for(|closed| *closed >= wanted).await.unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<String>>,
    script: &(dyn Fn(usize, &str) -> Reply + Sync),
) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await {
        let number = {
            let mut log = log.lock().unwrap();
            log.push(request.clone());
            log.len() - 1
        };
        match script(number, &request) {
            Reply::Keep(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Reply::Close(text) => return stream.write_all(text.as_bytes()).await.unwrap(),
            Reply::Reset => return stream.set_zero_linger().unwrap(),
            Reply::Hang(text) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                std::future::pending::<()>().await;
            }
        }
    }
}

/// One request; `None` when the client has closed.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        let text = String::from_utf8(buffer.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .split("content-length: ")
                .nth(1)
                .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
            if body.len() >= length {
                let end = head.len() + 4 + length;
                buffer.drain(..end);
                return Some(text[..end].to_owned());
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// A port where connections are refused for as long as this lives: bound, but nobody listens.
pub(crate) struct Refusing {
    pub(crate) address: SocketAddr,
    _socket: TcpSocket,
}

pub(crate) fn refusing() -> Refusing {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    Refusing { address: socket.local_addr().unwrap(), _socket: socket }
}

/// A port where connecting hangs for as long as this lives: nobody accepts, and the queue is full.
pub(crate) struct Hanging {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    queue: Vec<TcpStream>,
}

impl Hanging {
    /// Frees the queue and takes what comes then, if it comes within a few seconds.
    pub(crate) async fn accept_new(self) -> Option<TcpStream> {
        for _ in &self.queue {
            self.listener.accept().await.unwrap();
        }
        let next = tokio::time::timeout(Duration::from_secs(5), self.listener.accept()).await;
        next.ok().map(|accepted| accepted.unwrap().0)
    }
}

pub(crate) async fn hanging() -> Hanging {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    // On this machine a connect is done at once, or hangs for a second at least.
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
    {
        queue.push(stream.unwrap());
    }
    Hanging { address, listener, queue }
}

/// A complete answer with an index, as etcd gives it.
pub(crate) fn ok(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Etcd-Index: 7\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

pub(crate) fn endpoints<const N: usize>(addresses: [SocketAddr; N]) -> Endpoints {
    canary::listen();
    Endpoints::new(addresses.map(|address| address.to_string())).unwrap()
}

/// A builder with nothing set, but for the credentials of a run that looks for them in all that is printed.
pub(crate) fn open<const N: usize>(addresses: [SocketAddr; N]) -> Builder {
    canary::on(Transport::builder(endpoints(addresses)))
}

pub(crate) fn transport<const N: usize>(addresses: [SocketAddr; N]) -> Transport {
    open(addresses).build().unwrap()
}

/// A write with this context.
pub(crate) fn write(context: CallContext) -> http::Request<ReqBody> {
    let mut request = http::Request::builder()
        .method("PUT")
        .uri("/v2/keys/a")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(ReqBody::from("value=1"))
        .unwrap();
    request.extensions_mut().insert(context);
    request
}

/// Sends a request; a test that hangs fails after 20 s.
pub(crate) async fn send(
    transport: &Transport,
    request: http::Request<ReqBody>,
) -> Result<http::Response<RespBody>, Error> {
    let answer = transport.clone().oneshot(request);
    let answer = tokio::time::timeout(Duration::from_secs(20), answer).await.expect("the call hangs");
    canary::tell(&answer);
    answer
}

/// The body of a buffered answer.
pub(crate) fn text(response: http::Response<RespBody>) -> String {
    let bytes = response.into_body().into_bytes().expect("the body is buffered");
    String::from_utf8(bytes.to_vec()).unwrap()
}
