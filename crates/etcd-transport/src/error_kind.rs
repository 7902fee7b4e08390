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
    /// the next endpoint is tried at once, and after pauses all again.
    Connect,
    /// There is no trust between us and the server: its certificate is of an unknown CA, for another name or
    /// has expired, or it refuses ours. The request never left, and the next endpoint is tried at once; never
    /// in plain text. One exception: with TLS 1.3 our certificate is refused when the request may be on its
    /// way, and then a write may have happened for all that is known.
    Tls,
    /// The connection ended before the head of an answer. A write may have happened. Repeated
    /// where the request says that this does no harm.
    Interrupted,
    /// One attempt took longer than its limit, or used up its share of the call's time before there was a
    /// connection. Where it can be proved that the request was still waiting for a connection, it never left,
    /// and the next endpoint is tried at once. Else a write may have happened; repeated
    /// where the request says that this does no harm.
    AttemptTimeout,
    /// The call, with all its attempts, took longer than its limit. That speaks against an endpoint only if it
    /// was silent for 1 s, or without a connection for 250 ms.
    Deadline,
    /// The body of the answer is larger than the limit of the call. Not repeated.
    BodyTooLarge,
    /// The head of an answer came, but its body was cut or is not valid HTTP. Repeated as `Interrupted`, but
    /// for a write that was applied.
    BodyInterrupted,
    /// A redirect (307, 308) that must not be followed: to a server that is not in the list, from `https` to
    /// `http`, in a circle. A redirect with a `Location` has turned the write away: it was not applied. Not
    /// repeated.
    Redirect,
    /// An answer 301, 302 or 303: the path is not one that etcd serves, such as one with `//` in it. Never
    /// followed. With 301 nothing was done; 302 and 303 are not etcd's and prove nothing.
    Moved,
    /// An answer of a cluster other than the expected or the first seen, or a server that has given one in
    /// the last 30 s. A write is what the head of the answer proves, `Applied` for a success with an index:
    /// it is in the wrong cluster. Where nothing was applied, the next endpoint is asked.
    ClusterChanged,
    /// A read was answered with an `X-Etcd-Index` below what had been seen, and the call asked that this be
    /// refused. The next endpoint is asked.
    IndexWentBack,
    /// The head of an answer is no HTTP, is longer than 64 KiB or has more than 100 headers. A write may have
    /// happened.
    InvalidHead,
    /// The request line is longer than the limit. Nothing was sent.
    RequestTooLong,
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
    /// A server without TLS was to join a list whose servers all have it.
    InsecureEndpoint,
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
            | Self::IndexWentBack
            | Self::InvalidHead
            | Self::BodyInterrupted => true,
            Self::BodyTooLarge
            | Self::Redirect
            | Self::Moved
            | Self::ClusterChanged
            | Self::RequestTooLong
            | Self::InvalidEndpoint
            | Self::NoEndpoints
            | Self::Tls
            | Self::TlsUnavailable
            | Self::InvalidTls
            | Self::InvalidCredentials
            | Self::InsecureAuth
            | Self::InsecureEndpoint
            | Self::InvalidUserAgent
            | Self::NoRuntime
            | Self::Layer => false,
        }
    }

    /// Whether an attempt that failed so speaks against its endpoint, so that later calls begin at another.
    ///
    /// Not so for the limit of a call: a caller in a hurry would move all others. Long silence counts whatever
    /// its limit was, but that is for the attempt to know. Nor for an old answer: each
    /// member lags now and then.
    pub(crate) fn speaks_against_endpoint(self) -> bool {
        match self {
            Self::Connect
            | Self::Tls
            | Self::Interrupted
            | Self::AttemptTimeout
            | Self::BodyInterrupted
            | Self::ClusterChanged
            | Self::InvalidHead => true,
            Self::Deadline
            | Self::BodyTooLarge
            | Self::Redirect
            | Self::Moved
            | Self::IndexWentBack
            | Self::RequestTooLong
            | Self::InvalidEndpoint
            | Self::NoEndpoints
            | Self::TlsUnavailable
            | Self::InvalidTls
            | Self::InvalidCredentials
            | Self::InsecureAuth
            | Self::InsecureEndpoint
            | Self::InvalidUserAgent
            | Self::NoRuntime
            | Self::Layer => false,
        }
    }

    /// Whether it is this server that is wrong for the request, so that another one may serve it.
    pub(crate) fn is_of_this_server(self) -> bool {
        matches!(self, Self::ClusterChanged | Self::IndexWentBack)
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
            Self::Redirect => "redirect",
            Self::Moved => "moved",
            Self::ClusterChanged => "cluster_changed",
            Self::IndexWentBack => "index_went_back",
            Self::InvalidHead => "invalid_head",
            Self::RequestTooLong => "request_too_long",
            Self::InvalidEndpoint => "invalid_endpoint",
            Self::NoEndpoints => "no_endpoints",
            Self::TlsUnavailable => "tls_unavailable",
            Self::InvalidTls => "invalid_tls",
            Self::InvalidCredentials => "invalid_credentials",
            Self::InsecureAuth => "insecure_auth",
            Self::InsecureEndpoint => "insecure_endpoint",
            Self::InvalidUserAgent => "invalid_user_agent",
            Self::NoRuntime => "no_runtime",
            Self::Layer => "layer",
        }
    }
}
