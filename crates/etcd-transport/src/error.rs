//! Why a call got no answer, and what became of its write.
//!
//! Errors are made where the failure arises, with what it proves; on the way up the attempts of the call are
//! counted in ([`Error::settle`]). Foreign errors are wrapped, and ours is taken out of foreign ones wrapped
//! around it ([`Error::adopt`]).

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use etcd_proto::{BoxError, Idempotence, Outcome};
use http::StatusCode;

use crate::{Attempts, Endpoint, ErrorKind, Phase};

/// A cause that an error and the record of its attempt share.
pub(crate) type Cause = Arc<dyn StdError + Send + Sync>;

/// Why a call got no answer, and what became of its write.
///
/// An answer of etcd is never an `Error`, whatever its status: it comes as a response. Display is one line of
/// its own; the cause is in [`source`](StdError::source).
///
/// ```
/// use etcd_proto::Outcome;
/// use etcd_transport::Error;
///
/// fn advise(error: &Error) -> &'static str {
///     match error.outcome() {
///         Outcome::NotApplied if error.is_retryable() => "nothing was written; try again",
///         Outcome::NotApplied => "nothing was written, and the same will fail again",
///         Outcome::Unknown => "read before you write again",
///         Outcome::Applied => "written; only the answer is lost",
///     }
/// }
/// # assert!(advise(&"a:b".parse::<etcd_transport::Endpoint>().unwrap_err()).contains("fail again"));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    /// What went wrong.
    kind: ErrorKind,
    /// What this failure and all attempts before it prove, for a request that writes.
    outcome: Outcome,
    /// Of the request; for one of unknown kind the most careful.
    idempotence: Idempotence,
    /// Of the attempt that failed last.
    endpoint: Option<Endpoint>,
    /// How far that attempt had come.
    phase: Phase,
    /// Of the answer that is the failure.
    status: Option<StatusCode>,
    /// What Display says beside the kind and the endpoint.
    detail: Box<str>,
    /// All of the call, once it is settled.
    attempts: Attempts,
    /// What it comes from.
    source: Option<Cause>,
    /// A foreign error that has one of ours among its sources: it speaks for this error, so that a chain
    /// prints each line once.
    wrapper: Option<BoxError>,
}

impl Error {
    /// A failure before or outside of any attempt: nothing was applied.
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            outcome: Outcome::NotApplied,
            idempotence: Idempotence::Once,
            endpoint: None,
            phase: Phase::Connect,
            status: None,
            detail: "".into(),
            attempts: Attempts::default(),
            source: None,
            wrapper: None,
        }))
    }

    /// Sets what Display says beside kind and endpoint.
    pub(crate) fn detail(mut self, detail: impl Into<Box<str>>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// Sets what it comes from.
    pub(crate) fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(Cause::from(source.into()));
        self
    }

    /// Sets the endpoint that failed.
    pub(crate) fn at(mut self, endpoint: Option<Endpoint>) -> Self {
        self.0.endpoint = endpoint;
        self
    }

    /// Sets what is proved for a request that writes, and how far the attempt had come.
    pub(crate) fn proves(mut self, outcome: Outcome, phase: Phase) -> Self {
        self.0.outcome = outcome;
        self.0.phase = phase;
        self
    }

    /// Sets the status of the answer that is the failure.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Sets what the request says of itself.
    pub(crate) fn of_request(mut self, idempotence: Idempotence) -> Self {
        self.0.idempotence = idempotence;
        self
    }

    /// Another of the same kind for the same request, with nothing proved yet.
    pub(crate) fn of_same_kind(&self) -> Self {
        Self::new(self.0.kind).of_request(self.0.idempotence).detail(self.0.detail.clone())
    }

    /// A layer below cannot take a request: none was given to it.
    pub(crate) fn of_readiness(error: impl Into<BoxError>) -> Self {
        Self::adopt(error.into()).unwrap_or_else(|foreign| Self::new(ErrorKind::Layer).caused_by(foreign))
    }

    /// Counts in what the attempts of the call prove.
    pub(crate) fn settle(mut self, outcome: Outcome, attempts: Attempts) -> Self {
        self.0.outcome = self.0.outcome.merge(outcome);
        let known = self.0.attempts.outcome().merge(if self.0.idempotence.is_read() {
            Outcome::NotApplied
        } else {
            outcome
        });
        // A log that a layer has lost must not wipe out a fuller one.
        if attempts.made() >= self.0.attempts.made() {
            self.0.attempts = attempts;
        }
        self.0.attempts = std::mem::take(&mut self.0.attempts).leaving(known);
        self
    }

    /// Takes our error out of the box, or out of the foreign errors wrapped around it.
    ///
    /// # Errors
    ///
    /// The box as it was when there is no error of ours in it.
    pub(crate) fn adopt(error: BoxError) -> Result<Self, BoxError> {
        let error = match error.downcast::<Self>() {
            Ok(own) => return Ok(*own),
            Err(error) => error,
        };
        let Some(own) = Self::find(&*error) else { return Err(error) };
        let inner = Inner {
            kind: own.0.kind,
            outcome: own.0.outcome,
            idempotence: own.0.idempotence,
            endpoint: own.0.endpoint.clone(),
            phase: own.0.phase,
            status: own.0.status,
            detail: own.0.detail.clone(),
            attempts: own.0.attempts.clone(),
            source: own.0.source.clone(),
            wrapper: None,
        };
        Ok(Self(Box::new(Inner { wrapper: Some(error), ..inner })))
    }

    /// Finds an error of this crate in an error or among its sources.
    ///
    /// Layers of others may wrap ours; this walks through them.
    ///
    /// ```
    /// use etcd_transport::{Endpoints, Error};
    ///
    /// let error = std::io::Error::other(Endpoints::parse("").unwrap_err());
    /// assert!(Error::find(&error).is_some_and(Error::is_no_endpoints));
    /// ```
    #[must_use]
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            // `io::Error::source` skips the error that it was made of.
            if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
                next = Some(inner);
                continue;
            }
            next = error.source();
        }
        None
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What became of the write, over all attempts of the call.
    ///
    /// For a request that only reads it is [`Outcome::NotApplied`] whatever happened: there was nothing to
    /// apply.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        // The one place of that rule: everything below works with what the wire proves.
        if self.0.idempotence.is_read() { Outcome::NotApplied } else { self.0.outcome }
    }

    /// What the wire proves, also for reads.
    pub(crate) fn proved(&self) -> Outcome {
        self.0.outcome
    }

    /// How far the attempt had come.
    pub(crate) fn phase(&self) -> Phase {
        self.0.phase
    }

    /// The cause, to share it with the record of the attempt.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.0.source.clone()
    }

    /// The attempts of the call: which endpoint failed how.
    ///
    /// In a chain of errors only this call's; an attempt that some layer repeated out of sight is not among
    /// them.
    #[must_use]
    pub fn attempts(&self) -> &Attempts {
        &self.0.attempts
    }

    /// Whether another attempt was due, and the retry budget was empty, see [`Budget`](crate::retry::Budget).
    /// The kind is that of the last failure.
    #[must_use]
    pub fn is_budget_empty(&self) -> bool {
        self.0.attempts.is_budget_empty()
    }

    /// The endpoint of the attempt that failed last, where there was one.
    ///
    /// For kind `InsecureAuth`, which arises before any attempt, the server that the password would have gone
    /// to.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.0.endpoint.as_ref()
    }

    /// The status of the answer, where it is the answer that is the failure, as with kind `Redirect`.
    #[must_use]
    pub fn http_status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Whether this very request may be sent again without harm and with some hope.
    ///
    /// It is the advice for a caller who has time left; the transport has used up what it does itself.
    ///
    /// True for passing failures (connection, time limits, cut answers) if nothing was applied, or if the
    /// request says of itself that a repeat does no harm.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let harmless = match self.0.idempotence {
            Idempotence::Read | Idempotence::Idempotent => !self.outcome().is_applied(),
            Idempotence::Guarded | Idempotence::Once => self.outcome().is_not_applied(),
        };
        self.0.kind.is_transient() && harmless
    }
}

/// One predicate for each kind.
macro_rules! predicates {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        impl Error {
            $($(#[$doc])* #[must_use] pub fn $name(&self) -> bool { self.0.kind == ErrorKind::$kind })*
        }
    };
}

predicates! {
    /// Whether no connection could be made.
    is_connect => Connect;
    /// Whether there is no trust between us and the server, so that TLS was not spoken.
    is_tls => Tls;
    /// Whether the connection ended before an answer.
    is_interrupted => Interrupted;
    /// Whether one attempt took too long.
    is_attempt_timeout => AttemptTimeout;
    /// Whether the whole call took too long.
    is_deadline => Deadline;
    /// Whether the answer is larger than the limit.
    is_body_too_large => BodyTooLarge;
    /// Whether the answer was cut behind its head.
    is_body_interrupted => BodyInterrupted;
    /// Whether a server leads to where the request must not go.
    is_redirect => Redirect;
    /// Whether a server does not serve the path as it was written.
    is_moved => Moved;
    /// Whether the answer is one of another cluster.
    is_cluster_changed => ClusterChanged;
    /// Whether a read was answered from an older state than one that had been seen.
    is_index_went_back => IndexWentBack;
    /// Whether the head of the answer is no HTTP, or too large.
    is_invalid_head => InvalidHead;
    /// Whether the request line is longer than the limit.
    is_request_too_long => RequestTooLong;
    /// Whether something is no server, or not one of the list.
    is_invalid_endpoint => InvalidEndpoint;
    /// Whether the list of servers is empty.
    is_no_endpoints => NoEndpoints;
    /// Whether TLS is wanted and not in this build.
    is_tls_unavailable => TlsUnavailable;
    /// Whether the settings of TLS cannot be used.
    is_invalid_tls => InvalidTls;
    /// Whether the user name cannot be sent.
    is_invalid_credentials => InvalidCredentials;
    /// Whether a password would have gone over the network unencrypted.
    is_insecure_auth => InsecureAuth;
    /// Whether a server without TLS was to join a list whose servers all have it.
    is_insecure_endpoint => InsecureEndpoint;
    /// Whether the user agent cannot be sent.
    is_invalid_user_agent => InvalidUserAgent;
    /// Whether the call was made outside of a tokio runtime.
    is_no_runtime => NoRuntime;
    /// Whether a layer or service of somebody else failed.
    is_layer => Layer;
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(wrapper) = &self.0.wrapper {
            return fmt::Display::fmt(wrapper, f);
        }
        self.line(f)?;
        if self.is_budget_empty() { f.write_str("; the retry budget is empty") } else { Ok(()) }
    }
}

impl Error {
    /// The kind, with what it is about.
    fn line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = &self.0.detail;
        let server = Server(self.0.endpoint.as_ref());
        match self.0.kind {
            ErrorKind::Connect => {
                write!(f, "cannot connect to ")?;
                let mut refused: Vec<&Endpoint> = Vec::new();
                for attempt in self.0.attempts.iter().filter(|it| it.kind() == ErrorKind::Connect) {
                    if !refused.contains(&attempt.endpoint()) {
                        refused.push(attempt.endpoint());
                    }
                }
                match refused.split_first() {
                    None | Some((_, [])) => write!(f, "{server}"),
                    Some((first, others)) => {
                        write!(f, "{first}")?;
                        others.iter().try_for_each(|endpoint| write!(f, ", {endpoint}"))
                    }
                }
            }
            ErrorKind::Tls => write!(f, "no TLS with {server}: {detail}"),
            ErrorKind::Interrupted => write!(f, "connection to {server} ended before an answer"),
            ErrorKind::AttemptTimeout if self.0.phase == Phase::Connect => {
                write!(f, "no connection to {server} within {detail}")
            }
            ErrorKind::AttemptTimeout => write!(f, "no complete answer of {server} within {detail}"),
            ErrorKind::Deadline => match self.0.endpoint {
                None => write!(f, "call not finished within {detail}"),
                Some(_) => write!(f, "call not finished within {detail}, last at {server}"),
            },
            ErrorKind::BodyTooLarge => write!(f, "answer of {server} is larger than {detail} bytes"),
            ErrorKind::BodyInterrupted => write!(f, "answer of {server} is cut or damaged behind its head"),
            ErrorKind::Redirect | ErrorKind::ClusterChanged => write!(f, "{server} {detail}"),
            ErrorKind::IndexWentBack => write!(f, "{server} answered from the past: {detail}"),
            ErrorKind::InvalidHead => write!(f, "head of the answer of {server} is no HTTP, or too large"),
            ErrorKind::Moved => {
                write!(f, "{server} does not serve the path as it is written (status {detail})")
            }
            ErrorKind::TlsUnavailable => {
                write!(f, "cannot use server `{detail}`: this build has no TLS (feature `tls`)")
            }
            ErrorKind::NoEndpoints => f.write_str("no servers"),
            ErrorKind::InsecureAuth => {
                write!(f, "will not send a password unencrypted to {server} unless that is allowed")
            }
            ErrorKind::InsecureEndpoint => {
                write!(f, "will not use {server} without TLS beside servers that all have it")
            }
            ErrorKind::RequestTooLong
            | ErrorKind::InvalidEndpoint
            | ErrorKind::InvalidTls
            | ErrorKind::InvalidCredentials
            | ErrorKind::InvalidUserAgent => f.write_str(detail),
            ErrorKind::NoRuntime => {
                f.write_str("calls need a tokio runtime, and this one was made outside of any")
            }
            ErrorKind::Layer => f.write_str("a layer or service below the client failed"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("outcome", &self.outcome())
            .field("message", &format_args!("{self}"))
            .field("attempts", &self.0.attempts)
            .field("source", &self.source())
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.wrapper {
            Some(wrapper) => wrapper.source(),
            None => self.0.source.as_deref().map(|source| source as _),
        }
    }
}

/// Names the endpoint, or says that it is not known.
struct Server<'a>(Option<&'a Endpoint>);

impl fmt::Display for Server<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(endpoint) => fmt::Display::fmt(endpoint, f),
            None => f.write_str("the server"),
        }
    }
}

#[cfg(test)]
#[path = "error_test.rs"]
mod tests;
