//! The pools of connections at the bottom.
//!
//! The only file that names hyper-util's client as a service. It stands behind the endpoint seam, so that
//! another pool can take its place without a change above.
//!
//! # Waiting for a connection is not sending
//!
//! A request waits here until the pool has an idle connection or a new one for it; connecting is shared, so
//! the connector cannot say for which request it is. The pool can: it writes down the connection in the
//! request's extensions (`capture_connection`) right before it gives the request to it, in the same poll. All
//! of that happens in the future which is polled here, not in a task. So a request without that mark whose
//! future is not being polled is still inside this future, whole and unsent. (hyper-util 0.1.21,
//! `legacy/client.rs`: `send_request` is boxed into `ResponseFuture`; in `try_send_request` no await is
//! between `conn.set` and `pooled.try_send_request`.) That holds for HTTP/2 as well, where requests share a
//! connection: they pass the same place. A request that fails without the mark was sent by nobody either.
//!
//! On HTTP/2 a request with the mark may still wait, in the connection's task, for a stream that the server
//! allows. That cannot be seen from here, so it counts as sent.
//!
//! [`AttemptState::hold_copy`] says so to the limits above and to the race in the router.
//! [`AttemptState::let_copy_go`] asks before each poll whether one of them has meanwhile told its caller that
//! nothing was sent, or has let another copy win.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use etcd_proto::BoxError;
use http::{Request, Response};
#[cfg(feature = "http2")]
use http::{Version, uri::Scheme};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use crate::attempt_state::AttemptState;
use crate::connector::Connector;
use crate::copies::Turn;
#[cfg(feature = "http2")]
use crate::{BodyMode, CallContext};
use crate::{ConnectError, ReqBody};

/// What connects: TCP, and TLS where it is built in.
#[cfg(feature = "_tls")]
type Bottom = Connector<crate::tls::Https>;
#[cfg(not(feature = "_tls"))]
type Bottom = Connector;

/// A pool; clones share it.
type Pool = Client<Bottom, ReqBody>;

/// hyper-util's pooled client; clones share the pools, which part connections by endpoint.
///
/// It resends by itself only what a reused connection handed back unsent. That is invisible above and safe
/// for every write: the pool has the request back, and no byte of it was given to the connection.
///
/// Connections lie unused for 90 s at most. There is no limit to their number; a concurrency limit at the
/// endpoint seam sets one.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// HTTP/1.1 in plain text; over TLS what the server offers.
    calls: Pool,
    #[cfg(feature = "http2")]
    multiplexed: Multiplexed,
}

/// The pools where several requests share a connection.
#[cfg(feature = "http2")]
#[derive(Clone, Debug)]
struct Multiplexed {
    /// Answers that are streams, over TLS. Apart from calls: a watch that nobody reads fills the window of
    /// its connection, and would hold up what else is on it.
    streams: Pool,
    /// HTTP/2 in plain text.
    plain_calls: Pool,
    /// The same, for answers that are streams.
    plain_streams: Pool,
}

impl Connection {
    /// Makes the pool; it spawns nothing before the first request.
    pub(crate) fn new(bottom: Bottom) -> Self {
        Self {
            #[cfg(feature = "http2")]
            multiplexed: Multiplexed::new(&bottom),
            calls: call_builder().build(bottom),
        }
    }

    /// The pool for a request.
    #[cfg(feature = "http2")]
    fn pool(&self, request: &Request<ReqBody>) -> &Pool {
        let https = request.uri().scheme() == Some(&Scheme::HTTPS);
        let streams = CallContext::of(request.extensions()).body == BodyMode::Stream;
        match (https, request.version() == Version::HTTP_2, streams) {
            // A stream of HTTP/1.1 has a connection of its own in any pool.
            (true, _, false) | (false, false, _) => &self.calls,
            (true, _, true) => &self.multiplexed.streams,
            (false, true, false) => &self.multiplexed.plain_calls,
            (false, true, true) => &self.multiplexed.plain_streams,
        }
    }

    /// The pool for a request.
    #[cfg(not(feature = "http2"))]
    fn pool(&self, _: &Request<ReqBody>) -> &Pool {
        &self.calls
    }
}

#[cfg(feature = "http2")]
impl Multiplexed {
    fn new(bottom: &Bottom) -> Self {
        let mut streams = call_builder();
        streams.http2_initial_stream_window_size(STREAM_WINDOW);
        streams.http2_initial_connection_window_size(CONNECTION_WINDOW);
        Self {
            streams: streams.build(bottom.clone()),
            plain_calls: call_builder().http2_only(true).build(bottom.clone()),
            plain_streams: streams.http2_only(true).build(bottom.clone()),
        }
    }
}

/// What all pools have in common.
fn call_builder() -> legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE)
        .http1_max_buf_size(HEAD_LIMIT)
        .http1_max_headers(HEADERS_LIMIT);
    // A connection that many requests share must not be dead for as long as TCP takes to see it: a server
    // that owes an answer is asked whether it is there.
    #[cfg(feature = "http2")]
    builder
        .timer(TokioTimer::new())
        .http2_max_header_list_size(HTTP2_HEAD_LIMIT)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT);
    builder
}

impl Service<Request<ReqBody>> for Connection {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> ResponseFuture {
        let attempt = AttemptState::of(request.extensions_mut());
        let connection = capture_connection(&mut request);
        attempt.hold_copy();
        let answer = self.pool(&request).request(request);
        ResponseFuture { inner: answer, held: Some(Held { attempt, connection }) }
    }
}

/// The answer of a [`Connection`].
///
/// # Cancel safety
///
/// Dropping it closes the connection in use; on HTTP/2 it resets the stream, and others go on.
#[derive(Debug)]
pub(crate) struct ResponseFuture {
    inner: legacy::ResponseFuture,
    /// As long as the request is not given to a connection.
    held: Option<Held>,
}

/// A request that the pool holds.
#[derive(Debug)]
struct Held {
    attempt: AttemptState,
    /// Empty until the pool gives the request to a connection.
    connection: CaptureConnection,
}

/// A poll of the pool for a request that it holds. Its end is told even if that is a panic: else a rival would
/// wait for it for ever.
struct Polled<'a> {
    attempt: &'a AttemptState,
    still_held: bool,
}

impl Drop for Polled<'_> {
    fn drop(&mut self) {
        self.attempt.copy_was_polled(self.still_held);
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<Incoming>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { inner, held } = &mut *self;
        let Some(waiting) = held else { return Pin::new(inner).poll(cx).map_err(Into::into) };
        match waiting.attempt.let_copy_go() {
            Turn::Go => {}
            Turn::Wait => {
                // Another thread polls for a rival at this moment, and is done when it returns.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Turn::Never => return Poll::Ready(Err(ConnectError::new(given_up()).into())),
        }
        let mut polled = Polled { attempt: &waiting.attempt, still_held: false };
        let answer = Pin::new(inner).poll(cx);
        let given = waiting.connection.connection_metadata().is_some();
        let still_held = answer.is_pending() && !given;
        polled.still_held = still_held;
        drop(polled);
        if !still_held {
            *held = None;
        }
        match answer {
            // It was never given to a connection, whatever the failure is called.
            Poll::Ready(Err(error)) if !given => Poll::Ready(Err(ConnectError::new(error).into())),
            answer => answer.map_err(Into::into),
        }
    }
}

fn given_up() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "given up before there was a connection")
}

/// How often a server that owes an answer is pinged: above the 5 s under which etcd's gRPC takes it for abuse.
#[cfg(feature = "http2")]
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// How long a ping waits for its answer before the connection is closed.
#[cfg(feature = "http2")]
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of a watch that nobody reads lies in memory: 64 KiB.
#[cfg(feature = "http2")]
const STREAM_WINDOW: u32 = 64 << 10;

/// 16 MiB: with etcd's limit of 250 streams on a connection no stalled ones can close it for the others.
#[cfg(feature = "http2")]
const CONNECTION_WINDOW: u32 = 16 << 20;

/// How long a connection may lie unused.
const POOL_IDLE: Duration = Duration::from_secs(90);

/// Bytes that the head of an answer may have. hyper's own limit is about 400 KiB; of a body it takes as much
/// at once.
const HEAD_LIMIT: usize = 64 << 10;

/// The same for HTTP/2.
#[cfg(feature = "http2")]
const HTTP2_HEAD_LIMIT: u32 = 64 << 10;

/// Headers that an answer may have. It is hyper's own limit too, but that is not promised.
const HEADERS_LIMIT: usize = 100;
