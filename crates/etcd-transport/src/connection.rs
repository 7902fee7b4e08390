//! The pool of HTTP/1.1 connections at the bottom.
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
//! between `conn.set` and `pooled.try_send_request`.)
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
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use crate::attempt_state::AttemptState;
use crate::connector::Connector;
use crate::copies::Turn;
use crate::{ConnectError, ReqBody};

/// hyper-util's pooled client; clones share the pool, which parts connections by endpoint.
///
/// It resends by itself only what a reused connection handed back unsent. That is invisible above and safe
/// for every write: the pool has the request back, and no byte of it was given to the connection.
///
/// Connections lie unused for 90 s at most. There is no limit to their number; a concurrency limit at the
/// endpoint seam sets one.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    client: Client<Connector, ReqBody>,
}

impl Connection {
    /// Makes the pool; it spawns nothing before the first request.
    pub(crate) fn new(connect_timeout: Duration) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .http1_max_buf_size(HEAD_LIMIT)
            .http1_max_headers(HEADERS_LIMIT)
            .build(Connector::new(connect_timeout));
        Self { client }
    }
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
        ResponseFuture { inner: self.client.request(request), held: Some(Held { attempt, connection }) }
    }
}

/// The answer of a [`Connection`].
///
/// # Cancel safety
///
/// Dropping it closes the connection in use.
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
        let answer = Pin::new(inner).poll(cx);
        let still_held = answer.is_pending() && waiting.connection.connection_metadata().is_none();
        waiting.attempt.copy_was_polled(still_held);
        if !still_held {
            *held = None;
        }
        answer.map_err(Into::into)
    }
}

fn given_up() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "given up before there was a connection")
}

/// How long a connection may lie unused.
const POOL_IDLE: Duration = Duration::from_secs(90);

/// Bytes that the head of an answer may have. hyper's own limit is about 400 KiB; of a body it takes as much
/// at once.
const HEAD_LIMIT: usize = 64 << 10;

/// Headers that an answer may have. It is hyper's own limit too, but that is not promised.
const HEADERS_LIMIT: usize = 100;
