//! What comes out of a request.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use crate::memory::{WatchMode, WatcherId, json};

/// What comes out of a request.
#[derive(Debug)]
pub enum Answer {
    /// A whole response. For `HEAD` its body is empty, and no `Content-Length` is set.
    Complete(Response<Bytes>),
    /// A watch: the head goes out at once, then events as they come.
    Watch(OpenedWatch),
    /// No majority: nothing was done, and the client gets no answer for a while.
    NoQuorum(Stalled),
}

/// A watch whose head is ready.
#[derive(Debug)]
pub struct OpenedWatch {
    /// Status 200 and headers, to be sent at once.
    pub head: Response<()>,
    /// For [`Store::read_watch`](crate::memory::Store::read_watch) and
    /// [`Store::close_watch`](crate::memory::Store::close_watch). An event of the history is readable already.
    pub watcher: WatcherId,
    /// Whether the body ends after the first event.
    pub mode: WatchMode,
}

/// A request that finds no majority.
///
/// **Nothing was done.** To have it land later, as a real server may, hand the same request to
/// [`Store::handle`](crate::memory::Store::handle) again once there is a majority, and drop that answer.
#[derive(Debug)]
pub struct Stalled {
    /// How long the server sits on it: 7 s for keys, members and users, 1 s for `/health`.
    pub after: Duration,
    /// What it says then.
    pub response: Response<Bytes>,
}

/// JSON as etcd labels it.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Text as Go labels it.
pub(crate) const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A response with the headers that every answer has.
pub(crate) fn response<B>(status: StatusCode, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in CORS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// A response of one content type.
pub(crate) fn typed(
    status: StatusCode,
    content_type: HeaderValue,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = response(status, body.into());
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// An error in plain text, as Go's own server writes it: with a line end.
pub(crate) fn plain_error(status: StatusCode, message: &str) -> Response<Bytes> {
    let mut response = typed(status, TEXT, format!("{message}\n"));
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

/// 405 with the methods that would do.
pub(crate) fn method_not_allowed(allowed: &'static str) -> Response<Bytes> {
    let mut response = plain_error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// `{"message":…}`, as members, auth and stats write errors: without a line end.
pub(crate) fn message(status: StatusCode, message: &str) -> Response<Bytes> {
    #[derive(serde::Serialize)]
    struct Message<'a> {
        message: &'a str,
    }
    typed(status, JSON, json::encode(&Message { message }))
}

/// What members and auth say for every unexpected error.
pub(crate) fn internal_error() -> Response<Bytes> {
    message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

/// Sets a header whose value is a number or such; what cannot stand in a header is left out.
pub(crate) fn set<B>(response: &mut Response<B>, name: &'static str, value: impl ToString) {
    if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

/// How long etcd waits for consensus: 5 s and twice the election timeout of 1 s (2.2 to 3.5).
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(7);

/// etcd allows every origin unless told otherwise.
const CORS: [(&str, &str); 3] = [
    ("access-control-allow-headers", "accept, content-type, authorization"),
    ("access-control-allow-methods", "POST, GET, OPTIONS, PUT, DELETE"),
    ("access-control-allow-origin", "*"),
];
