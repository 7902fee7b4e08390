//! Answers that the proxy gives itself.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Response, StatusCode};

/// Plain text, as a gateway gives it.
pub(super) fn gateway(status: StatusCode) -> Response<Bytes> {
    page(status, "text/plain; charset=utf-8", format!("{status}\n"))
}

/// What a proxy shows to people.
pub(super) fn html(status: StatusCode) -> Response<Bytes> {
    let body = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
    page(status, "text/html", body)
}

/// A target that cannot stand in a header is left out.
pub(super) fn redirect(status: StatusCode, location: &str) -> Response<Bytes> {
    let mut response = gateway(status);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn page(status: StatusCode, content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
