//! From an HTTP response to a typed answer or error.

use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::keys::{Action, KeysEvent, KeysOperation, KeysResponse, Node};
use super::{ApiError, Header, Index, Response, WatchResponse};
use crate::{BoxError, Error, ErrorKind, Outcome};

/// An HTTP response, read to its end.
pub(super) struct Answer<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// Whether it answers a call that writes.
    pub(super) writes: bool,
    /// Whether the call's path is below `/v2`, which servers can have switched off.
    pub(super) below_v2: bool,
}

impl Answer<'_> {
    /// Whether the status is a success; the body is not looked at.
    pub(super) fn success(&self) -> Result<(), Error> {
        if self.status.is_success() { Ok(()) } else { Err(self.failure()) }
    }

    /// A success that says nothing more. Whatever answers with a page of its own is not etcd: no success of etcd's is
    /// proved by a status alone.
    pub(super) fn done(&self) -> Result<(), Error> {
        self.success()?;
        if self.body.trim_ascii().is_empty() && !self.is_foreign() { Ok(()) } else { Err(self.not_etcd()) }
    }

    /// The head of a success whose body is still to come.
    pub(super) fn head(&self) -> Result<Header, Error> {
        self.success()?;
        if self.is_foreign() { Err(self.not_etcd()) } else { Ok(Header::from_headers(self.headers)) }
    }

    /// The body of a success as JSON, whatever the content type says: 0.x and `/health` send it as text.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.success()?;
        serde_json::from_slice(self.body).map_err(|source| self.unreadable(source))
    }

    /// The body of a success as text.
    pub(super) fn text(&self) -> Result<&str, Error> {
        self.success()?;
        std::str::from_utf8(self.body).map_err(|_| self.not_etcd())
    }

    /// The error for an answer that is no success.
    pub(super) fn failure(&self) -> Error {
        if let Some(api) = ApiError::from_response(self.status, self.headers, self.body) {
            return self.refusal(api);
        }
        let status = self.status;
        let error = match status.as_u16() {
            301..=303 => Error::new(ErrorKind::InvalidKey, "the server says that the path is not clean"),
            307 | 308 => Error::new(
                ErrorKind::Redirect,
                format!("the server redirects to {}, which was not followed", self.redirect_target()),
            ),
            404 if self.below_v2 && self.is_unknown_path() => {
                Error::new(ErrorKind::V2NotEnabled, V2_NOT_ENABLED)
            }
            _ if self.is_foreign() => return self.not_etcd(),
            code => {
                Error::new(ErrorKind::Status, format!("the server answered {code} without an error of etcd"))
            }
        };
        error.with_status(status).with_outcome(self.write_outcome(Outcome::of_status(status)))
    }

    /// The error for an error answer of etcd.
    fn refusal(&self, api: ApiError) -> Error {
        let outcome = self.write_outcome(api.outcome());
        Error::from_api(api).with_outcome(outcome)
    }

    /// The error for an answer that no etcd sends.
    pub(super) fn not_etcd(&self) -> Error {
        let outcome =
            if self.status.is_success() { Outcome::Unknown } else { Outcome::of_status(self.status) };
        let content_type = self.content_type().unwrap_or("no content type");
        let message = format!(
            "the answer is not etcd's: status {}, {}, {} bytes",
            self.status.as_u16(),
            content_type.escape_debug(),
            self.body.len()
        );
        Error::new(ErrorKind::NotEtcd, message)
            .with_status(self.status)
            .with_outcome(self.write_outcome(outcome))
    }

    /// The error for a success whose body cannot be read. With an index of the store in its head, the write was
    /// made.
    pub(super) fn unreadable(&self, source: serde_json::Error) -> Error {
        if self.is_foreign() {
            return self.not_etcd();
        }
        let message = format!("the answer's body of {} bytes cannot be read", self.body.len());
        let outcome = match Header::from_headers(self.headers).etcd_index {
            Index::NONE => Outcome::Unknown,
            _ => Outcome::Applied,
        };
        Error::new(ErrorKind::Unreadable, message)
            .with_status(self.status)
            .with_outcome(self.write_outcome(outcome))
            .with_source(Redacted::new(&source))
    }

    fn write_outcome(&self, outcome: Outcome) -> Outcome {
        if self.writes { outcome } else { Outcome::NotApplied }
    }

    /// What etcd's HTTP server answers for a path that it does not serve.
    fn is_unknown_path(&self) -> bool {
        self.body.trim_ascii() == b"404 page not found"
    }

    /// Whether the answer is HTML, or of a content type that no etcd sends. Plain text is etcd's: 0.3 sends its
    /// errors so, `/health` and `/version` come so, and Go's HTTP server refuses so.
    fn is_foreign(&self) -> bool {
        let is_etcds = |value: &str| {
            ["application/json", "text/plain"].iter().any(|own| value.to_ascii_lowercase().starts_with(own))
        };
        self.content_type().is_some_and(|value| !is_etcds(value))
            || self.body.trim_ascii_start().starts_with(b"<")
    }

    fn content_type(&self) -> Option<&str> {
        self.headers.get(header::CONTENT_TYPE)?.to_str().ok()
    }

    /// Scheme, host and port that a redirect leads to; its path and query hold keys and, on 0.x, values.
    fn redirect_target(&self) -> String {
        let location = self.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        let Some(uri) = location.and_then(|location| location.parse::<http::Uri>().ok()) else {
            return "no usable location".into();
        };
        let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
        match (uri.scheme_str(), uri.host()) {
            (Some(scheme), Some(host)) => format!("{scheme}://{}{port}", host.escape_debug()),
            _ => "itself".into(),
        }
    }
}

/// Where and why JSON cannot be read, without serde's text, which can quote stored values.
#[derive(Debug, thiserror::Error)]
#[error("{category} at line {line} column {column}")]
struct Redacted {
    category: &'static str,
    line: usize,
    column: usize,
}

impl Redacted {
    fn new(source: &serde_json::Error) -> Self {
        let category = match source.classify() {
            serde_json::error::Category::Io => "read error",
            serde_json::error::Category::Syntax => "no JSON",
            serde_json::error::Category::Data => "JSON of another shape",
            serde_json::error::Category::Eof => "JSON that is cut off",
        };
        Self { category, line: source.line(), column: source.column() }
    }
}

/// The answer to a keys call.
pub(super) fn keys(operation: &KeysOperation, answer: &Answer<'_>) -> Result<Response, Error> {
    /// With `noValueOnSuccess` the server leaves out both nodes.
    #[derive(Deserialize)]
    struct Wire {
        action: Action,
        node: Option<Node>,
        #[serde(rename = "prevNode")]
        prev_node: Option<Node>,
    }
    let Wire { action, node, prev_node } = answer.json()?;
    let header = Header::from_headers(answer.headers);
    let node = match node {
        Some(node) => node,
        None => {
            let Some(key) = operation.answered_key(&header) else {
                return Err(answer.unreadable(serde::de::Error::missing_field("node")));
            };
            Node::new(key, header.etcd_index, Index::NONE)
        }
    };
    Ok(Response::Keys(KeysResponse::new(KeysEvent { action, node, prev_node }, header)))
}

/// The answer to a poll whose body was read to its end: its one event, or none where the server gave up.
pub(super) fn watch_event(answer: &Answer<'_>) -> Result<Response, Error> {
    answer.success()?;
    let event = match answer.body.trim_ascii() {
        b"" => None,
        body => Some(answer.json::<KeysEvent>().map_err(|error| {
            // A server that recovers ends a watch with an error in place of an event (code 400).
            match ApiError::from_response(answer.status, answer.headers, body) {
                Some(api) => answer.refusal(api),
                None => error,
            }
        })?),
    };
    let header = Header::from_headers(answer.headers);
    Ok(Response::Watch(WatchResponse::new(header, Once(event))))
}

/// A stream of at most one event.
struct Once(Option<KeysEvent>);

impl futures_core::Stream for Once {
    type Item = Result<KeysEvent, BoxError>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.take().map(Ok))
    }
}

/// `null` where Go writes an empty list.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

const V2_NOT_ENABLED: &str = "the v2 API is not enabled here: start etcd 3.4 or 3.5 with --enable-v2 (3.6 has no v2 \
                              API any more; members need etcd 2.0, auth 2.1)";

#[cfg(test)]
mod tests;
