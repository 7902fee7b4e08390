//! Servers that mean harm: each call ends by a limit or by its deadline, and takes no more than the limit.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etcd_proto::{Idempotence, Outcome};
use etcd_transport::{BodyMode, CallContext, ErrorKind};
use support::{send, transport, write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that answers any request with a head, then with one piece over and over.
struct Flood {
    address: SocketAddr,
    taken: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Flood {
    /// Writes the piece `times` times, with a pause after each.
    async fn new(head: String, piece: Vec<u8>, times: usize, pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&taken);
        let task = tokio::spawn(async move {
            // One connection after the other: a test makes few.
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(head.as_bytes()).await;
                for _ in 0..times {
                    // Fails once the client has closed.
                    if stream.write_all(&piece).await.is_err() {
                        break;
                    }
                    count.fetch_add(piece.len(), Ordering::SeqCst);
                    if !pause.is_zero() {
                        tokio::time::sleep(pause).await;
                    }
                }
            }
        });
        Self { address, taken, task }
    }

    /// Bytes that the client has taken, with what lies in the buffers of both sockets.
    fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A read with short limits.
fn read(body: BodyMode) -> CallContext {
    let mut context = CallContext::default();
    context.idempotence = Idempotence::Read;
    context.body = body;
    context.attempt_timeout = Some(Duration::from_secs(5));
    context
}

#[tokio::test]
async fn an_endless_body_is_taken_up_to_the_limit_announced_or_not() {
    const GIB: usize = 1 << 30;
    for head in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {GIB}\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".into(),
    ] {
        let flood = Flood::new(head, vec![b' '; 1 << 16], GIB >> 16, Duration::ZERO).await;
        let context = read(BodyMode::Buffered { limit: 1 << 20 });
        let error = send(&transport([flood.address]), write(context)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BodyTooLarge);
        assert!(flood.taken() <= (1 << 20) + SLACK, "{} bytes", flood.taken());
    }
}

#[tokio::test]
async fn an_endless_error_body_is_taken_up_to_two_mebibytes() {
    let head = "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n".to_owned();
    let flood = Flood::new(head, vec![b' '; 1 << 16], 1 << 14, Duration::ZERO).await;
    let error = send(&transport([flood.address]), write(read(BodyMode::Stream))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BodyTooLarge);
    assert!(flood.taken() <= (2 << 20) + SLACK, "{} bytes", flood.taken());
}

#[tokio::test]
async fn endless_headers_end_at_their_limits() {
    let long = format!("x: {}\r\n", "a".repeat(1 << 14)).into_bytes();
    for piece in [b"x: y\r\n".to_vec(), long] {
        let flood = Flood::new("HTTP/1.1 200 OK\r\n".into(), piece, 1 << 16, Duration::ZERO).await;
        let mut context = read(BodyMode::Stream);
        context.idempotence = Idempotence::Once;
        let error = send(&transport([flood.address]), write(context)).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidHead, Outcome::Unknown));
        assert!(flood.taken() <= SLACK, "{} bytes", flood.taken());
    }
}

#[tokio::test]
async fn a_head_of_63_kib_is_read_and_one_of_128_is_not() {
    // hyper looks at its limit before it reads on, so that up to one read comes on top.
    for (kib, good) in [(63, true), (128, false)] {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n".to_owned();
        let mut rest = "x: ".to_owned() + &"a".repeat((kib << 10) - head.len() - 7);
        rest += "\r\n\r\n";
        let flood = Flood::new(head, rest.into_bytes(), 1, Duration::ZERO).await;
        let answer = send(&transport([flood.address]), write(read(BodyMode::default()))).await;
        assert_eq!(answer.is_ok(), good, "{kib} KiB");
    }
}

#[tokio::test]
async fn a_body_or_a_head_that_drips_ends_by_the_limit_of_the_attempt() {
    for head in
        ["HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nContent-Length: 100000\r\n\r\n", "HTTP/1.1 200 OK\r\nx: "]
    {
        let flood = Flood::new(head.into(), b"a".to_vec(), 100_000, Duration::from_millis(20)).await;
        let mut context = read(BodyMode::default());
        context.attempt_timeout = Some(Duration::from_millis(300));
        context.retry = false;
        let error = send(&transport([flood.address]), write(context)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AttemptTimeout, "{error:?}");
        assert!(error.attempts().iter().all(|attempt| attempt.elapsed() >= Duration::from_millis(300)));
        assert!(flood.taken() < 1000, "{} bytes", flood.taken());
    }
}

#[tokio::test]
async fn a_drip_without_a_limit_of_the_attempt_ends_by_the_deadline() {
    let head = "HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nContent-Length: 100000\r\n\r\n".to_owned();
    let flood = Flood::new(head, b"a".to_vec(), 100_000, Duration::from_millis(20)).await;
    let mut context = CallContext::default();
    context.attempt_timeout = None;
    context.call_timeout = Some(Duration::from_millis(300));
    let error = send(&transport([flood.address]), write(context)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Deadline, Outcome::Applied));
}

/// What the sockets of this machine hold beyond what was read, measured below 6 MiB.
const SLACK: usize = 8 << 20;
