//! One connection.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::uploads::{Full, Metered, Uploads};
use crate::memory::disconnect::{Disconnected, NoAnswer, Unread};
use crate::memory::engine::{Caller, Engine, Gate};
use crate::memory::service::{Body, read_upload};

/// Serves a connection until it ends or its member is killed; it was taken when that had happened `kills` times.
pub(super) async fn serve(
    stream: TcpStream,
    engine: Arc<Engine>,
    member: usize,
    kills: u64,
    mut gate: watch::Receiver<Gate>,
    uploads: Uploads,
) {
    // Events are small, and each counts. If it fails they are slower.
    let _ = stream.set_nodelay(true);
    let is_reset = Arc::new(AtomicBool::new(false));
    let caller = Caller { member, kills: Some(kills) };
    let service = service_fn(|request| {
        Box::pin(answer(Arc::clone(&engine), caller, request, Arc::clone(&is_reset), uploads.clone()))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // The gate first: a dead member writes nothing more.
        biased;
        _ = gate.wait_for(|gate| gate.kills != kills) => is_reset.store(true, Ordering::Relaxed),
        // How a connection of a client has failed is the client's to say.
        // It is not shut down in order yet: that would hide a reset.
        _ = poll_fn(|context| connection.poll_without_shutdown(context)) => {}
    }
    if is_reset.load(Ordering::Relaxed) {
        let stream = connection.into_parts().io.into_inner();
        // Without it the connection is closed in order, which a fault of this kind then was not.
        let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
    }
}

async fn answer(
    engine: Arc<Engine>,
    caller: Caller,
    request: Request<Incoming>,
    is_reset: Arc<AtomicBool>,
    uploads: Uploads,
) -> Result<Response<Wire>, Disconnected> {
    let (head, body) = request.into_parts();
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
        is_reset.fetch_or(how.is_reset(), Ordering::Relaxed);
        how
    };
    match answer {
        Ok(mut response) => {
            if response.body().is_reset_without_content() {
                is_reset.store(true, Ordering::Relaxed);
                // Else the connection would wait for another request.
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok(response.map(|body| Wire { body, is_reset }))
        }
        Err(NoAnswer::Refused | NoAnswer::Unread(_)) => Err(lost(Disconnected::RESET)),
        Err(NoAnswer::Lost(how)) => Err(lost(how)),
    }
}

/// The body of a request, or what its client is told.
async fn read_in_time(body: Pin<&mut Metered<Incoming>>) -> Result<Bytes, Unread> {
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

/// A body that leaves word whether the connection is to be reset after it.
struct Wire {
    body: Body,
    is_reset: Arc<AtomicBool>,
}

impl http_body::Body for Wire {
    type Data = Bytes;
    type Error = Disconnected;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Disconnected>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Err(how)) = &frame {
            self.is_reset.fetch_or(how.is_reset(), Ordering::Relaxed);
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

/// For a head to come in whole, counted from the end of the request before. etcd has no such limit; long enough
/// that no client finds its idle connection gone, and still nobody holds one for ever by half a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(300);

/// For a body to come in whole.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes of a head, and of what is read ahead.
const MAX_BUFFER: usize = 1024 * 1024;
