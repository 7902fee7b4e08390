//! Answers that no healthy etcd gives.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Response, StatusCode};

use crate::memory::Error;
use crate::memory::http::TEXT;

/// 503 in plain text.
pub(crate) fn unavailable() -> Response<Bytes> {
    page(StatusCode::SERVICE_UNAVAILABLE, TEXT, b"Service Unavailable\n".to_vec())
}

/// 503 of the server in memory itself.
pub(crate) fn overloaded() -> Response<Bytes> {
    let message = b"etcd in memory: no room for another request that is to be applied later\n";
    page(StatusCode::SERVICE_UNAVAILABLE, TEXT, message.to_vec())
}

/// A rule that has something happen which cannot: 500, so that the test hears of its own mistake.
pub(crate) fn mistake(error: &Error) -> Response<Bytes> {
    page(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("fault plan: {error}\n").into_bytes())
}

/// What a proxy shows.
pub(crate) fn html(status: StatusCode) -> Response<Bytes> {
    let body = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
    page(status, HeaderValue::from_static("text/html"), body.into_bytes())
}

/// 307. A target that cannot stand in a header is left out.
pub(crate) fn redirect(target: &str) -> Response<Bytes> {
    let mut response = page(StatusCode::TEMPORARY_REDIRECT, TEXT, b"Temporary Redirect\n".to_vec());
    if let Ok(target) = HeaderValue::from_str(target) {
        response.headers_mut().insert(LOCATION, target);
    }
    response
}

fn page(status: StatusCode, content_type: HeaderValue, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
