//! One connection.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use etcd_proto::BoxError;
use http::header::{CONNECTION, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version, request};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::link::Link;
use super::socket::Socket;
use super::uploads::{Full, Metered, Uploads};
use super::watch::{End, Watching};
use crate::memory::disconnect::{Disconnected, NoAnswer, Unread};
use crate::memory::engine::{Caller, Engine, Gate, killed};
use crate::memory::service::{Body, read_upload};

/// What all requests of a connection share.
#[derive(Clone, Debug)]
struct Front {
    engine: Arc<Engine>,
    caller: Caller,
    link: Arc<Link>,
    uploads: Uploads,
}

/// Serves a connection until it ends or its member is killed; it was taken when that had happened `kills` times.
pub(super) async fn serve(
    mut stream: TcpStream,
    engine: Arc<Engine>,
    member: usize,
    kills: u64,
    mut gate: watch::Receiver<Gate>,
    uploads: Uploads,
) {
    // Events are small, and each counts. If it fails they are slower.
    let _ = stream.set_nodelay(true);
    let link = Arc::new(Link::default());
    let caller = Caller { member, kills: Some(kills) };
    let front = Front { engine, caller, link: Arc::clone(&link), uploads };
    let mut ahead = Bytes::new();
    loop {
        // hyper has its buffers from the start.
        let is_asked = tokio::select! {
            biased;
            () = killed(&mut gate, kills) => {
                link.reset_if(true);
                false
            }
            is_asked = is_asked(&stream, &ahead) => is_asked,
        };
        if !is_asked {
            break;
        }
        let socket = Socket::new(stream, ahead, Arc::clone(&link));
        let body;
        (stream, ahead, body) = exchange(socket, &front, kills, &mut gate).await;
        let Some(body) = body else { break };
        let watching = Watching { stream: &mut stream, ahead: &mut ahead, body };
        let end = tokio::select! {
            biased;
            () = killed(&mut gate, kills) => End::Cut(Disconnected::RESET),
            end = watching.run() => end,
        };
        match end {
            End::Whole => {}
            End::Gone => break,
            End::Cut(how) => {
                link.reset_if(how.is_reset());
                break;
            }
        }
    }
    if link.is_reset() {
        // Without it the connection is closed in order, which a fault of this kind then was not.
        let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
    }
}

/// Waits for the first byte of a request; `false` if none comes in time, or the client is gone.
async fn is_asked(stream: &TcpStream, ahead: &[u8]) -> bool {
    !ahead.is_empty() || matches!(timeout(HEAD_TIMEOUT, stream.peek(&mut [0])).await, Ok(Ok(1)))
}

/// Requests and answers, until the connection is to be closed or an answer is a watch that waits; then its body
/// comes back, with what was read behind the request.
async fn exchange(
    socket: Socket,
    front: &Front,
    kills: u64,
    gate: &mut watch::Receiver<Gate>,
) -> (TcpStream, Bytes, Option<Body>) {
    let link = &front.link;
    let service = service_fn(|request| Box::pin(front.clone().answer(request)));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(socket), service);
    let is_over = tokio::select! {
        // The gate first: a dead member writes nothing more.
        biased;
        () = killed(gate, kills) => {
            link.reset_if(true);
            true
        }
        // How a connection of a client has failed is the client's to say.
        // It is not shut down in order yet: that would hide a reset.
        is_over = poll_fn(|context| match connection.poll_without_shutdown(context) {
            Poll::Pending if link.is_watching() => Poll::Ready(false),
            polled => polled.map(|_| true),
        }) => is_over,
    };
    let parts = connection.into_parts();
    let (stream, behind) = parts.io.into_inner().into_parts();
    let body = link.take().filter(|_| !is_over);
    // A copy: the buffer has 8 KiB, which an empty rest would hold as well.
    let ahead = [parts.read_buf, behind].concat().into();
    (stream, ahead, body)
}

impl Front {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Wire>, Disconnected> {
        let Self { engine, caller, link, uploads } = self;
        let (head, body) = request.into_parts();
        let leaves = can_leave(&head) && body.is_end_stream();
        // It holds its room until the answer is known: so long the request is kept.
        let mut body = pin!(uploads.meter(body));
        let upload = read_in_time(body.as_mut());
        let answer = match engine.serve(caller, head, upload).await {
            Err(NoAnswer::Unread(Unread { status, .. })) => {
                Ok(refusal(status.unwrap_or(StatusCode::BAD_REQUEST)))
            }
            answer => answer,
        };
        let lost = |how: Disconnected| {
            link.reset_if(how.is_reset());
            how
        };
        match answer {
            Ok(mut response) => {
                if response.body().is_reset_without_content() {
                    link.reset_if(true);
                    // Else the connection would wait for another request.
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                }
                let leaves = leaves && response.body().is_watch();
                Ok(response.map(|body| Wire { body, leaves, link }))
            }
            Err(NoAnswer::Refused | NoAnswer::Unread(_)) => Err(lost(Disconnected::RESET)),
            Err(NoAnswer::Lost(how)) => Err(lost(how)),
        }
    }
}

/// The body of a request, or what its client is told.
async fn read_in_time<B>(body: Pin<&mut Metered<B>>) -> Result<Bytes, Unread>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    match timeout(BODY_TIMEOUT, read_upload(body)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => {
            let is_full = error.is::<Full>();
            let status = if is_full { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::BAD_REQUEST };
            Err(Unread { error, status: Some(status) })
        }
        Err(late) => Err(Unread { error: late.into(), status: Some(StatusCode::REQUEST_TIMEOUT) }),
    }
}

/// An answer to what is no whole request; the connection ends with it.
fn refusal(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::whole(Bytes::new()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Whether a watch that this asks for can go on without hyper: the rest of its answer is chunks, and the end of
/// them not that of the connection.
fn can_leave(head: &request::Parts) -> bool {
    head.method == Method::GET && head.version == Version::HTTP_11 && !head.headers.contains_key(CONNECTION)
}

/// A body that leaves word whether the connection is to be reset after it, and itself if it is a watch that
/// hyper drops while it waits.
struct Wire {
    body: Body,
    leaves: bool,
    link: Arc<Link>,
}

impl http_body::Body for Wire {
    type Data = Bytes;
    type Error = Disconnected;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Disconnected>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.link.set_idle(self.leaves && frame.is_pending());
        let frame = ready!(frame);
        if let Some(Err(how)) = &frame {
            self.link.reset_if(how.is_reset());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.link.is_idle() {
            self.link.leave(std::mem::replace(&mut self.body, Body::whole(Bytes::new())));
        }
    }
}

/// For a head to come in whole, counted from the end of the request before. etcd has no such limit; long enough
/// that no client finds its idle connection gone, and still nobody holds one for ever by half a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(300);

/// For a body to come in whole.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes of a head, and of what is read ahead.
const MAX_BUFFER: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::future::pending;

    use http_body_util::{Full as Whole, StreamBody};

    use super::*;

    async fn status<B>(body: Metered<B>) -> Option<StatusCode>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
    {
        read_in_time(pin!(body)).await.unwrap_err().status
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_told_why_its_body_was_not_read() {
        let uploads = Uploads::of(5);
        let large = uploads.meter(Whole::new(Bytes::from_static(b"sixsix")));
        assert_eq!(status(large).await, Some(StatusCode::SERVICE_UNAVAILABLE));
        let never = futures_util::stream::once(Box::pin(pending::<Result<Frame<Bytes>, BoxError>>()));
        assert_eq!(status(uploads.meter(StreamBody::new(never))).await, Some(StatusCode::REQUEST_TIMEOUT));
        let broken = futures_util::stream::iter([Err::<Frame<Bytes>, BoxError>("no chunk".into())]);
        assert_eq!(status(uploads.meter(StreamBody::new(broken))).await, Some(StatusCode::BAD_REQUEST));
    }
}
