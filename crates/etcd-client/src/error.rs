//! Why a call failed, and what became of its write.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use etcd_proto::v2::{ApiError, ErrorCode, Key};
use etcd_proto::{BoxError, Idempotence, Outcome};
use etcd_transport::Attempts;
use http::StatusCode;

use crate::ErrorKind;

/// Why a call failed, and what became of its write.
///
/// Display is one line with the call, the key and the kind; the cause follows in [`source`](StdError::source).
/// No stored value and no secret is in either.
///
/// # Examples
/// ```
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
/// use etcd_client::Outcome;
///
/// if let Err(error) = client.set("/config", "on").await {
///     match error.outcome() {
///         Outcome::NotApplied => println!("not written, safe to try again: {error}"),
///         Outcome::Unknown => println!("may be written, read before trying again: {error}"),
///         Outcome::Applied => println!("written, only the answer is lost: {error}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[doc(alias = "EtcdError")]
#[doc(alias = "HTTPError")]
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    outcome: Outcome,
    /// What failed: the call's name, and its key where it has one.
    operation: &'static str,
    key: Option<Key>,
    /// Whether the call's sender says that a repeat does no harm.
    repeatable: bool,
    status: Option<StatusCode>,
    api: Option<ApiError>,
    attempts: Attempts,
    source: Option<BoxError>,
}

/// A result with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of a call that was not sent.
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            outcome: Outcome::NotApplied,
            operation: "",
            key: None,
            repeatable: false,
            status: None,
            api: None,
            attempts: Attempts::default(),
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

    /// The error of a request that was found bad when it was made.
    pub(crate) fn from_shared(error: &Arc<etcd_proto::Error>) -> Self {
        Self::of_proto(error).with_source(Arc::clone(error))
    }

    /// Says of what class the call is: a read has nothing to apply, whatever its layers made of its failure.
    pub(crate) fn with_idempotence(mut self, idempotence: Idempotence) -> Self {
        match idempotence {
            Idempotence::Read => self.0.outcome = Outcome::NotApplied,
            Idempotence::Idempotent => self.0.repeatable = true,
            Idempotence::Guarded | Idempotence::Once => {}
        }
        self
    }

    /// Says which call failed, unless that is known already.
    pub(crate) fn with_call(mut self, operation: &'static str, key: Option<&Key>) -> Self {
        if self.0.operation.is_empty() {
            self.0.operation = operation;
            self.0.key = key.cloned();
        }
        self
    }

    /// Adds the attempts made before the answer that this error stands for: what became of a write is the worst of
    /// all that were sent.
    pub(crate) fn with_attempts(mut self, attempts: Attempts) -> Self {
        self.0.outcome = self.0.outcome.merge(attempts.outcome());
        self.0.attempts = attempts;
        self
    }

    /// The error that stands for whatever a service at the operation seam failed with.
    pub(crate) fn from_box(error: BoxError) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(own) => return *own,
            Err(other) => other,
        };
        let error = match error.downcast::<etcd_proto::Error>() {
            Ok(proto) => return Self::from(*proto),
            Err(other) => other,
        };
        let error = match error.downcast::<etcd_transport::Error>() {
            Ok(transport) => return Self::from(*transport),
            Err(other) => other,
        };
        Self::found_in(&*error)
            .unwrap_or_else(|| Self::new(ErrorKind::Layer).with_outcome(Outcome::Unknown))
            .with_source(error)
    }

    /// What the nearest of our errors among the sources of `error` says.
    fn found_in(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut source = cause_of(error);
        while let Some(error) = source {
            if let Some(own) = error.downcast_ref::<Self>() {
                return Some(own.summary());
            }
            if let Some(proto) = error.downcast_ref::<etcd_proto::Error>() {
                return Some(Self::of_proto(proto));
            }
            if let Some(transport) = error.downcast_ref::<etcd_transport::Error>() {
                return Some(Self::of_transport(transport));
            }
            source = cause_of(error);
        }
        None
    }

    /// A copy without its source.
    fn summary(&self) -> Self {
        let inner = &self.0;
        Self(Box::new(Inner {
            kind: inner.kind,
            outcome: inner.outcome,
            operation: inner.operation,
            key: inner.key.clone(),
            repeatable: inner.repeatable,
            status: inner.status,
            api: inner.api.clone(),
            attempts: inner.attempts.clone(),
            source: None,
        }))
    }

    fn of_proto(error: &etcd_proto::Error) -> Self {
        let kind =
            error.api().map_or_else(|| kind_of_proto(error.kind()), |api| kind_of_api(error.kind(), api));
        let mut own = Self::new(kind).with_outcome(error.outcome());
        own.0.status = error.http_status();
        own.0.api = error.api().cloned();
        own
    }

    fn of_transport(error: &etcd_transport::Error) -> Self {
        let mut own = Self::new(kind_of_transport(error.kind())).with_outcome(error.outcome());
        own.0.attempts = error.attempts().clone();
        own.0.status = error.http_status();
        own
    }

    /// The error of a transport that has asked one of our clients: what that one says, if it is in there.
    pub(crate) fn from_sync(error: etcd_transport::Error) -> Self {
        Self::found_in(&error).unwrap_or_else(|| Self::of_transport(&error)).with_source(error)
    }

    /// The error of a service, of which only what it says is kept when it is summed up later.
    pub(crate) fn from_box_of(error: impl Into<BoxError>) -> Self {
        Self::from_box(error.into())
    }

    /// The same refusal, with the proof that no copy of the write was applied before.
    pub(crate) fn proved_not_applied(&self) -> Self {
        let error = self.summary().with_outcome(Outcome::NotApplied);
        match error.0.api.clone() {
            Some(api) => error.with_source(etcd_proto::Error::from_api(api)),
            None => error,
        }
    }

    /// Puts the key and etcd's error through `change`; used where keys are called otherwise further up.
    pub(crate) fn map_keys(
        mut self,
        key: impl FnOnce(&Key) -> Key,
        cause: impl FnOnce(&mut ApiError),
    ) -> Self {
        self.0.key = self.0.key.as_ref().map(key);
        if let Some(mut api) = self.0.api.take() {
            cause(&mut api);
            // The text below says the cause as well; the words of somebody's layer stay.
            if self.0.source.as_ref().is_some_and(|source| source.is::<etcd_proto::Error>()) {
                self.0.source = Some(etcd_proto::Error::from_api(api.clone()).into());
            }
            self.0.api = Some(api);
        }
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What became of the write. For a call that only reads always [`Outcome::NotApplied`].
    ///
    /// Over several attempts it is what is left to fear of all that were sent: a refusal after an attempt whose
    /// end is not known stays [`Outcome::Unknown`].
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Whether the same call may succeed when it is made again, and repeating it does no harm.
    ///
    /// False for what would end the same way: bad input, a refusal, an answer that is not etcd's. After an
    /// unknown outcome true only for a call that was declared `idempotent`.
    ///
    /// # Examples
    /// ```
    /// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
    /// let set = client.set("/config", "on");
    /// for pause in [1, 2, 4].map(std::time::Duration::from_secs) {
    ///     match set.clone().await {
    ///         Err(error) if error.is_retryable() => tokio::time::sleep(pause).await,
    ///         done => return done.map(drop),
    ///     }
    /// }
    /// set.await.map(drop)
    /// # }
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let harmless = match self.outcome() {
            Outcome::NotApplied => true,
            Outcome::Unknown => self.0.repeatable,
            Outcome::Applied => false,
        };
        self.may_pass() && harmless
    }

    /// Whether the same may well succeed a little later or at another member: by its kind, or since something
    /// between answers that it cannot serve now (5xx without anything of etcd in it).
    pub(crate) fn may_pass(&self) -> bool {
        let unserved = self.is_status() && self.http_status().is_some_and(|status| status.is_server_error());
        self.kind().is_transient() || unserved
    }

    /// etcd's own error: code, message, cause and index.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        self.0.api.as_ref()
    }

    /// HTTP status of the answer; `None` where none came.
    #[must_use]
    pub fn http_status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The attempts that failed: endpoint, phase, time taken and cause of each.
    #[must_use]
    pub fn attempts(&self) -> &Attempts {
        &self.0.attempts
    }

    /// Whether another attempt was due, and the client's retry budget was empty: too much fails at once, and repeats
    /// would make it worse. What went wrong is the [`kind`](Self::kind) all the same.
    #[must_use]
    pub fn is_budget_empty(&self) -> bool {
        self.0.attempts.is_budget_empty()
    }

    /// The key that the call was about.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.0.key.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        match (inner.operation, &inner.key) {
            ("", _) => {}
            (operation, Some(key)) => write!(f, "{operation} {}: ", key.as_str().escape_debug())?,
            (operation, None) => write!(f, "{operation}: ")?,
        }
        f.write_str(inner.kind.text())?;
        match inner.outcome {
            Outcome::NotApplied => Ok(()),
            Outcome::Unknown => f.write_str(" (the write may have happened)"),
            Outcome::Applied => f.write_str(" (the write has happened)"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("outcome", &inner.outcome)
            .field("operation", &inner.operation)
            .field("key", &inner.key)
            .field("status", &inner.status)
            .field("api", &inner.api)
            .field("attempts", &inner.attempts)
            .field("source", &inner.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<etcd_proto::Error> for Error {
    fn from(error: etcd_proto::Error) -> Self {
        Self::of_proto(&error).with_source(error)
    }
}

impl From<etcd_transport::Error> for Error {
    fn from(error: etcd_transport::Error) -> Self {
        Self::of_transport(&error).with_source(error)
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// The next error of a chain. An `io::Error` shows what it wraps by a method of its own only.
fn cause_of<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// The kind of an error answer of etcd.
fn kind_of_api(kind: etcd_proto::ErrorKind, api: &ApiError) -> ErrorKind {
    if kind == etcd_proto::ErrorKind::DirectoryTtl {
        return ErrorKind::DirectoryTtl;
    }
    match api.code {
        Some(ErrorCode::KeyNotFound) => ErrorKind::KeyNotFound,
        Some(ErrorCode::CompareFailed) => ErrorKind::CompareFailed,
        Some(ErrorCode::NotAFile) => ErrorKind::NotAFile,
        Some(ErrorCode::NotADirectory) => ErrorKind::NotADirectory,
        Some(ErrorCode::KeyExists) => ErrorKind::KeyExists,
        Some(ErrorCode::RootReadOnly) => ErrorKind::RootReadOnly,
        Some(ErrorCode::DirectoryNotEmpty) => ErrorKind::DirectoryNotEmpty,
        Some(ErrorCode::EventIndexCleared) => ErrorKind::EventIndexCleared,
        Some(ErrorCode::RaftInternal | ErrorCode::LeaderElection) => ErrorKind::ClusterUnavailable,
        _ if api.is_unauthorized() => ErrorKind::Unauthorized,
        _ if api.is_not_leader() => ErrorKind::NotLeader,
        None if api.status.is_server_error() => ErrorKind::ClusterUnavailable,
        _ => ErrorKind::Api,
    }
}

fn kind_of_proto(kind: etcd_proto::ErrorKind) -> ErrorKind {
    use etcd_proto::ErrorKind as Proto;
    match kind {
        Proto::InvalidKey => ErrorKind::InvalidKey,
        Proto::InvalidTtl => ErrorKind::InvalidTtl,
        Proto::InvalidIndex => ErrorKind::InvalidIndex,
        Proto::InvalidCompare => ErrorKind::InvalidCompare,
        Proto::InvalidName => ErrorKind::InvalidName,
        Proto::InvalidValue => ErrorKind::InvalidValue,
        Proto::RequestTooLong => ErrorKind::RequestTooLong,
        Proto::DirectoryTtl => ErrorKind::DirectoryTtl,
        Proto::V2NotEnabled => ErrorKind::V2NotEnabled,
        Proto::NotEtcd => ErrorKind::NotEtcd,
        Proto::Status => ErrorKind::Status,
        Proto::Redirect => ErrorKind::Redirect,
        Proto::Unreadable => ErrorKind::Unreadable,
        Proto::TooLarge => ErrorKind::BodyTooLarge,
        Proto::UnexpectedResponse => ErrorKind::UnexpectedResponse,
        // `Api`, and kinds that a later etcd-proto may add: the crates are released together, so there are none.
        _ => ErrorKind::Api,
    }
}

fn kind_of_transport(kind: etcd_transport::ErrorKind) -> ErrorKind {
    use etcd_transport::ErrorKind as Transport;
    match kind {
        Transport::Connect => ErrorKind::Connect,
        Transport::Interrupted => ErrorKind::Interrupted,
        Transport::AttemptTimeout => ErrorKind::AttemptTimeout,
        Transport::Deadline => ErrorKind::Deadline,
        Transport::BodyTooLarge => ErrorKind::BodyTooLarge,
        Transport::BodyInterrupted => ErrorKind::BodyInterrupted,
        Transport::Tls => ErrorKind::Tls,
        Transport::InvalidTls => ErrorKind::InvalidConfig,
        Transport::TlsUnavailable => ErrorKind::TlsUnavailable,
        Transport::InsecureAuth => ErrorKind::InsecureAuth,
        Transport::NoRuntime => ErrorKind::NoRuntime,
        Transport::Redirect => ErrorKind::Redirect,
        Transport::Moved => ErrorKind::InvalidKey,
        Transport::ClusterChanged => ErrorKind::ClusterChanged,
        Transport::IndexWentBack => ErrorKind::IndexWentBack,
        Transport::InvalidHead => ErrorKind::InvalidHead,
        Transport::RequestTooLong => ErrorKind::RequestTooLong,
        Transport::InvalidEndpoint
        | Transport::NoEndpoints
        | Transport::InsecureEndpoint
        | Transport::InvalidCredentials
        | Transport::InvalidUserAgent => ErrorKind::InvalidConfig,
        _ => ErrorKind::Layer,
    }
}
