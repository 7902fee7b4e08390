//! Each request as a curl command.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use tower_layer::Layer;
use tower_service::Service;

/// Prints each request, of each attempt, on standard error as a curl command.
///
/// It stands above the layer that adds credentials, so there are none to print; the passwords in bodies of the auth
/// API are left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CurlLayer {}

impl CurlLayer {
    pub(crate) fn new() -> Self {
        Self {}
    }
}

impl<S> Layer<S> for CurlLayer {
    type Service = Curl<S>;

    fn layer(&self, inner: S) -> Curl<S> {
        Curl { inner }
    }
}

/// The service of [`CurlLayer`].
#[derive(Clone, Debug)]
pub(crate) struct Curl<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for Curl<S>
where
    S: Service<Request<B>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + From<Bytes> + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let next = self.inner.clone();
        let mut ready = mem::replace(&mut self.inner, next);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            // This program sends bodies that are there as a whole, and cannot fail.
            let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let line = command(&head, &bytes);
            let _ = writeln!(io::stderr(), "{line}");
            ready.call(Request::from_parts(head, B::from(bytes))).await
        })
    }
}

/// The request as a line for a shell.
fn command(head: &http::request::Parts, body: &[u8]) -> String {
    let mut line = "curl".to_owned();
    if head.method != Method::GET {
        // Writing to a string cannot fail.
        let _ = write!(line, " -X {}", head.method);
    }
    let _ = write!(line, " {}", quoted(&head.uri.to_string()));
    if let Some(kind) = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok())
        && kind != FORM
    {
        let _ = write!(line, " -H {}", quoted(&format!("Content-Type: {kind}")));
    }
    if !body.is_empty() {
        let text = match head.uri.path().starts_with("/v2/auth/") {
            true => without_password(body),
            false => String::from_utf8_lossy(body).into_owned(),
        };
        let _ = write!(line, " -d {}", quoted(&text));
    }
    line
}

/// A document of the auth API whose password is three stars.
fn without_password(body: &[u8]) -> String {
    let Ok(mut document) = serde_json::from_slice::<serde_json::Value>(body) else {
        return "***".to_owned();
    };
    if let Some(password) = document.get_mut("password") {
        *password = "***".into();
    }
    document.to_string()
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:?&=%@,+".contains(c);
    // `&` and `?` mean something to a shell; a URL with them is quoted.
    if !text.is_empty() && text.chars().all(|c| plain(c) && c != '&' && c != '?') {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

const FORM: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use super::*;

    fn line(method: Method, uri: &str, kind: &str, body: &str) -> String {
        let request = Request::builder().method(method).uri(uri).header(header::CONTENT_TYPE, kind);
        command(&request.body(()).unwrap().into_parts().0, body.as_bytes())
    }

    #[test]
    fn a_request_is_a_command_that_a_shell_takes() {
        assert_eq!(
            line(Method::PUT, "http://a:2379/v2/keys/x", FORM, "value=it%27s&ttl=5"),
            "curl -X PUT http://a:2379/v2/keys/x -d 'value=it%27s&ttl=5'"
        );
        assert_eq!(
            line(Method::GET, "http://a:2379/v2/keys/x?quorum=true", FORM, ""),
            "curl 'http://a:2379/v2/keys/x?quorum=true'"
        );
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }

    #[test]
    fn no_password_is_printed() {
        let body = r#"{"user":"alice","password":"hunter2"}"#;
        let line = line(Method::PUT, "http://a:2379/v2/auth/users/alice", "application/json", body);
        assert!(!line.contains("hunter2") && line.contains("alice") && line.contains("***"), "{line}");
        assert_eq!(without_password(b"hunter2"), "***");
    }
}
