//! Why a request could not be made, or an answer could not be taken as a success.

use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;

use crate::Outcome;
use crate::v2::ApiError;

/// Any error that can be boxed: what layers and streams of others fail with.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A request that cannot be made, or an answer that is no success.
///
/// Display says what is wrong and names the offending thing, never a stored value; the cause is in
/// [`source`](StdError::source).
///
/// # Examples
/// ```
/// use etcd_proto::v2::keys::Create;
/// use etcd_proto::v2::{ErrorCode, Key, Operation};
/// use etcd_proto::{ErrorKind, Outcome};
/// use http::{HeaderMap, StatusCode};
///
/// let create = Operation::from(Create::new(Key::new("/leader")?, "me"));
/// let body = br#"{"errorCode":105,"message":"Key already exists","cause":"/leader","index":8}"#;
/// let error = create.decode(StatusCode::PRECONDITION_FAILED, &HeaderMap::new(), body).unwrap_err();
/// assert_eq!((error.kind(), error.outcome()), (ErrorKind::Api, Outcome::NotApplied));
/// assert_eq!(error.api().and_then(|api| api.code), Some(ErrorCode::KeyExists));
///
/// // The same call, answered by something between: nobody knows.
/// let error = create.decode(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"").unwrap_err();
/// assert_eq!((error.kind(), error.outcome()), (ErrorKind::Status, Outcome::Unknown));
/// # Ok::<(), etcd_proto::Error>(())
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    outcome: Outcome,
    message: Box<str>,
    status: Option<StatusCode>,
    api: Option<ApiError>,
    source: Option<BoxError>,
}

/// What went wrong, see [`Error::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A key that etcd cannot hold: an empty, `.` or `..` element, or too long. Also a 301 by which the server
    /// says so. Nothing was sent, or nothing was done.
    InvalidKey,
    /// A ttl of 0 or above 6,000,000,000 s. Nothing was sent.
    InvalidTtl,
    /// Index 0 where an index is sent. Nothing was sent.
    InvalidIndex,
    /// A condition without a value and index, or with an empty value. Nothing was sent.
    InvalidCompare,
    /// A user, role, member id, URL or permission pattern that cannot be written into a request. Nothing was
    /// sent.
    InvalidName,
    /// A value that cannot be stored as text, or a stored one that is not what the caller wants to read.
    InvalidValue,
    /// The request line is longer than the 4096 bytes that etcd takes, or the body than its 10 MiB. Nothing
    /// was sent.
    RequestTooLong,
    /// etcd answered with an error of its own, see [`Error::api`].
    Api,
    /// The server cannot change a directory's TTL: a defect of every etcd 3.5. Nothing was done.
    DirectoryTtl,
    /// A plain-text 404 below `/v2`: the v2 API is off or gone.
    ///
    /// etcd 3.4 and 3.5 serve it with `--enable-v2` only, 3.6 not at all. Members calls answer so before 2.0,
    /// auth calls before 2.1. Nothing was done.
    V2NotEnabled,
    /// The answer is not etcd's: HTML, or a content type that etcd does not send.
    NotEtcd,
    /// An HTTP status without anything of etcd in the body, such as a proxy's 502. The outcome is that of
    /// [`Outcome::of_status`].
    Status,
    /// A redirect, which was not followed: a follower of etcd 0.4 sends writes and quorum reads to the leader
    /// by 307. No later etcd does so.
    Redirect,
    /// A success whose body cannot be read, or a watch whose body ended inside an event.
    ///
    /// A write is [`Outcome::Applied`] where the head of the answer has an `X-Etcd-Index`, else unknown.
    Unreadable,
    /// A value of a stream that is larger than the limit.
    TooLarge,
    /// An answer of another sort than the request asks for; a layer has mixed them up.
    UnexpectedResponse,
}

impl Error {
    /// An error of a request that cannot be sent.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Box<str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            outcome: Outcome::NotApplied,
            message: message.into(),
            status: None,
            api: None,
            source: None,
        }))
    }

    pub(crate) fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The error that stands for an error answer of etcd.
    #[must_use]
    pub fn from_api(api: ApiError) -> Self {
        let kind = if api.is_directory_ttl_defect() { ErrorKind::DirectoryTtl } else { ErrorKind::Api };
        let message = match kind {
            ErrorKind::DirectoryTtl => "etcd 3.5 cannot change the ttl of a directory".into(),
            _ => api.to_string(),
        };
        let mut error = Self::new(kind, message).with_outcome(api.outcome()).with_status(api.status);
        error.0.api = Some(api);
        error
    }

    /// The error for an answer that is of another sort than the request asks for.
    ///
    /// For layers and services at the operation seam; the outcome is [`Outcome::Unknown`].
    #[must_use]
    pub fn unexpected_response(wanted: &str, got: &str) -> Self {
        Self::new(ErrorKind::UnexpectedResponse, format!("expected an answer to {wanted}, got one to {got}"))
            .with_outcome(Outcome::Unknown)
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What became of the write, as far as this answer proves it.
    ///
    /// It speaks of one request. A caller that has sent more than one [merges](Outcome::merge) what each has
    /// left.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// etcd's own error, where it answered with one.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        self.0.api.as_ref()
    }

    /// The status of the answer; `None` where nothing was sent.
    #[must_use]
    pub fn http_status(&self) -> Option<StatusCode> {
        self.0.status
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("outcome", &self.0.outcome)
            .field("message", &self.0.message)
            .field("status", &self.0.status)
            .field("api", &self.0.api)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// So that `TryInto` bounds also take what cannot fail.
impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests;
