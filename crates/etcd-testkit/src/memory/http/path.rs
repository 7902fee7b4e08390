//! Path cleaning: what is not clean is redirected, and nothing is done.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Method, Response, StatusCode};

use super::answer::{TEXT, response};
use super::escape::escape_path;

/// The clean form of a decoded path: no empty, `.` or `..` elements. `None` if it is clean already.
///
/// A slash at the end stays, as in Go's mux.
pub(crate) fn cleaned(path: &[u8]) -> Option<Vec<u8>> {
    let mut elements: Vec<&[u8]> = Vec::new();
    for element in path.split(|byte| *byte == b'/') {
        match element {
            b"" | b"." => {}
            b".." => {
                elements.pop();
            }
            element => elements.push(element),
        }
    }
    let mut clean = Vec::with_capacity(path.len() + 1);
    for element in &elements {
        clean.push(b'/');
        clean.extend_from_slice(element);
    }
    if clean.is_empty() || path.ends_with(b"/") {
        clean.push(b'/');
    }
    (clean != path).then_some(clean)
}

/// 301 to a clean path, with the query as it was; for every method, with a body for `GET` only.
pub(crate) fn redirect(method: &Method, path: &[u8], query: Option<&str>) -> Response<Bytes> {
    let mut location = escape_path(path);
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        location.push('?');
        location.push_str(query);
    }
    let mut body = Bytes::new();
    if *method == Method::GET {
        body = format!("<a href=\"{}\">Moved Permanently</a>.\n\n", escape_html(&location)).into();
    }
    let mut response = response(StatusCode::MOVED_PERMANENTLY, body);
    if matches!(*method, Method::GET | Method::HEAD) {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// What Go's server says to a path that it cannot decode, before any handler: the connection closes.
pub(crate) fn bad_request() -> Response<Bytes> {
    closing(StatusCode::BAD_REQUEST, "400 Bad Request")
}

/// What Go's server says to a request that is too long, before any handler: the connection closes.
pub(crate) fn too_long() -> Response<Bytes> {
    closing(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "431 Request Header Fields Too Large")
}

fn closing(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cleaned_and_keeps_a_slash_at_the_end() {
        let clean = |path: &str| cleaned(path.as_bytes()).map(|path| String::from_utf8(path).unwrap());
        for path in ["/", "/a", "/a/", "/a/b", "/...", "/a/.b"] {
            assert_eq!(clean(path), None, "{path}");
        }
        let cases = [
            ("", "/"),
            ("*", "/*"),
            ("//", "/"),
            ("/a//b", "/a/b"),
            ("/a//", "/a/"),
            ("/a/./b", "/a/b"),
            ("/a/..", "/"),
            ("/a/../", "/"),
            ("/../../a/x/../b", "/a/b"),
            ("/a/.", "/a"),
        ];
        for (path, expected) in cases {
            assert_eq!(clean(path).as_deref(), Some(expected), "{path}");
        }
    }
}
