//! The kinds of failure of a transport.
//!
//! A kind says what happened; what that means for a write is the outcome, and whether to try again is for
//! `is_retryable`. No match here has a wildcard: a new kind must be placed everywhere.

/// What went wrong, see [`Error::kind`](crate::Error::kind).
///
/// Each kind says what it proves about a write and whether the transport itself goes on to another endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No connection could be made: refused, no route, name not found, connect limit. The request never left;
    /// the next endpoint is tried at once, until all were.
    Connect,
    /// There is no trust between us and the server: its certificate is of an unknown CA, for another name or
    /// has expired, or it refuses ours. The request never left, and the next endpoint is tried at once; never
    /// in plain text. One exception: with TLS 1.3 our certificate is refused when the request may be on its
    /// way, and then a write may have happened for all that is known.
    Tls,
    /// The connection ended before the head of an answer. A write may have happened. Not repeated.
    Interrupted,
    /// One attempt took longer than its limit, or used up its share of the call's time before there was a
    /// connection. Where it can be proved that the request was still waiting for a connection, it never left,
    /// and the next endpoint is tried at once. Else a write may have happened; not repeated.
    AttemptTimeout,
    /// The call, with all its attempts, took longer than its limit. It says nothing against an endpoint.
    Deadline,
    /// The body of the answer is larger than the limit of the call.
    BodyTooLarge,
    /// The head of an answer came, but its body was cut or is not valid HTTP.
    BodyInterrupted,
    /// What should be a server is none, or a call is pinned to a server that is not in the list.
    InvalidEndpoint,
    /// An empty list of servers.
    NoEndpoints,
    /// An `https` server, and this build has no TLS.
    TlsUnavailable,
    /// Settings of TLS that cannot be used: a file that cannot be read, a key that does not fit.
    InvalidTls,
    /// A user name that basic authentication cannot carry: one with a colon in it.
    InvalidCredentials,
    /// A password would cross the network unencrypted, and nobody has allowed it.
    InsecureAuth,
    /// A user agent that cannot stand in a header.
    InvalidUserAgent,
    /// A call was made outside of a tokio runtime, which limits and connections need. Nothing was sent.
    NoRuntime,
    /// A layer or service that is not of this crate failed with an error of its own.
    Layer,
}

impl ErrorKind {
    /// Whether the same request may fare better later or elsewhere.
    ///
    /// Not so: what is wrong with the set-up, an answer that is too large, and what a foreign layer refuses
    /// for reasons of its own.
    pub(crate) fn is_transient(self) -> bool {
        match self {
            Self::Connect
            | Self::Interrupted
            | Self::AttemptTimeout
            | Self::Deadline
            | Self::BodyInterrupted => true,
            Self::BodyTooLarge
            | Self::InvalidEndpoint
            | Self::NoEndpoints
            | Self::Tls
            | Self::TlsUnavailable
            | Self::InvalidTls
            | Self::InvalidCredentials
            | Self::InsecureAuth
            | Self::InvalidUserAgent
            | Self::NoRuntime
            | Self::Layer => false,
        }
    }

    /// Whether an attempt that failed so speaks against its endpoint, so that later calls begin at another.
    ///
    /// Not so for the limit of a call: a caller in a hurry would move all others.
    pub(crate) fn speaks_against_endpoint(self) -> bool {
        match self {
            Self::Connect | Self::Tls | Self::Interrupted | Self::AttemptTimeout | Self::BodyInterrupted => {
                true
            }
            Self::Deadline
            | Self::BodyTooLarge
            | Self::InvalidEndpoint
            | Self::NoEndpoints
            | Self::TlsUnavailable
            | Self::InvalidTls
            | Self::InvalidCredentials
            | Self::InsecureAuth
            | Self::InvalidUserAgent
            | Self::NoRuntime
            | Self::Layer => false,
        }
    }

    /// The name that spans carry in `error.kind`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Interrupted => "interrupted",
            Self::AttemptTimeout => "attempt_timeout",
            Self::Deadline => "deadline",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyInterrupted => "body_interrupted",
            Self::InvalidEndpoint => "invalid_endpoint",
            Self::NoEndpoints => "no_endpoints",
            Self::TlsUnavailable => "tls_unavailable",
            Self::InvalidTls => "invalid_tls",
            Self::InvalidCredentials => "invalid_credentials",
            Self::InsecureAuth => "insecure_auth",
            Self::InvalidUserAgent => "invalid_user_agent",
            Self::NoRuntime => "no_runtime",
            Self::Layer => "layer",
        }
    }
}
