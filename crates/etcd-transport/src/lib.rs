//! A tower service over the members of an etcd cluster: endpoints, failover, limits, outcomes.
//!
//! It sends HTTP requests, knows nothing of keys or JSON nodes, and says of every failure what became of the
//! write. Requests go in with a path-only URI:
//!
//! ```
//! use etcd_transport::{CallContext, Endpoints, ReqBody, Transport};
//! use tower_service::Service;
//!
//! # async fn run() -> Result<(), etcd_transport::Error> {
//! let mut transport = Transport::builder(Endpoints::parse("10.0.0.7, 10.0.0.8, 10.0.0.9")?).build()?;
//! let mut context = CallContext::default();
//! context.idempotence = etcd_proto::Idempotence::Read;
//! let mut request = http::Request::new(ReqBody::empty());
//! *request.uri_mut() = http::Uri::from_static("/version");
//! request.extensions_mut().insert(context);
//!
//! std::future::poll_fn(|cx| transport.poll_ready(cx)).await?;
//! match transport.call(request).await {
//!     Ok(response) => println!("{}: {:?}", response.status(), response.body().as_bytes()),
//!     Err(error) => println!("{error}; the write is {}", error.outcome()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The stack
//!
//! What [`Transport::builder`] builds, from outside in. Each built-in part is a public layer and can be used
//! in another stack. The parts marked with a star are the user's.
//!
//! ```text
//! call layers *        once per call; path-only URI; the final result
//! RequestSpanLayer     span etcd.request
//! DeadlineLayer        limit of the call
//! RetryLayer           the next endpoint where nothing was sent, or where only the leader can answer
//! attempt layers *     once per attempt; path-only URI
//! AttemptSpanLayer     span etcd.attempt
//! AttemptTimeoutLayer  limit of the attempt
//! CollectLayer         reads bodies within limits, parses etcd's errors
//! RouteLayer           chooses the endpoint; absolute URI
//! endpoint layers *    one instance per endpoint
//! AuthorizationLayer, UserAgentLayer, ClassifyLayer, and the pools of connections
//! ```
//!
//! # Outcomes
//!
//! | seen | a write is |
//! | --- | --- |
//! | no connection: refused, unknown host, connect limit | `NotApplied` |
//! | time is up while the request waits for a connection of the built-in pool | `NotApplied` |
//! | the connection ends, or time is up, before a head | `Unknown` |
//! | a success with `X-Etcd-Index`, then a cut or too large body | `Applied` |
//! | a success without it, then a cut or too large body | `Unknown` |
//!
//! Over several attempts the worst counts: in an [`Error`] it is counted in, beside an answer it is in
//! [`Attempts::outcome`]. For requests that only read, it is always `NotApplied`.
//!
//! # What is sent twice
//!
//! By itself a transport sends a request on to another server in two cases. Either it provably never left;
//! that is free of risk for every write. Or it asks for the leader ([`CallContext::leader_only`]) and a
//! member has answered that it is not: then it was read and refused. A refusal that proves nothing (307, 503)
//! leads on for reads only.
//!
//! # What a request says, and what a response tells
//!
//! | in the extensions of | type | says |
//! | --- | --- | --- |
//! | a request | [`CallContext`] | whether it may be repeated, limits, which server, what to do with bodies |
//! | a response | [`Attempts`] | how many attempts it took, what failed before, and what that leaves open |
//! | a response | [`Endpoint`] | who answered |
//! | a response | [`ApiError`](etcd_proto::v2::ApiError) | etcd's error, of status 400 or more |
//!
//! # Features
//!
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `tls` | no | `tls-ring` and `tls-native-roots` |
//! | `tls-ring` | no | TLS, with the cryptography of ring |
//! | `tls-aws-lc` | no | TLS, with that of aws-lc, which wins where both are there |
//! | `tls-native-roots` | no | where no CA is given, the roots of the operating system |
//! | `tls-webpki-roots` | no | where no CA is given, the roots of Mozilla, built in |
//! | `tls-rustls-0_23` | no | TLS by a prepared configuration of rustls 0.23 |
//! | `http2` | with TLS | HTTP/2, also without TLS for requests whose version says so |
//!
//! Without TLS an `https` server is an error of kind `TlsUnavailable`. With it, HTTP/2 is spoken where the
//! server offers it. A list of servers is `https` as a whole or not at all, so that nothing meant for TLS
//! ever goes out in plain text.
//!
//! # Not here yet
//!
//! Repeating what may be repeated, back-off and budget, re-issue, health of servers, racing of slow connects,
//! and redirects are for later versions.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod attempt;
mod attempt_state;
mod attempt_timeout;
mod builder;
mod call_context;
mod call_state;
mod classify;
mod collect;
mod collected;
mod connection;
mod connector;
mod constant_header;
mod copies;
mod credentials;
mod deadline;
mod downcast;
mod dyn_service;
mod endpoint;
mod endpoints;
mod error;
mod error_kind;
mod http_service;
mod proof;
mod req_body;
mod resp_body;
pub mod retry;
mod route;
mod span;
#[cfg(feature = "_tls")]
mod tls;
mod transport;

pub use attempt::{Attempt, Attempts, Phase};
pub use attempt_timeout::{AttemptTimeout, AttemptTimeoutLayer};
pub use builder::Builder;
pub use call_context::{BodyMode, CallContext};
pub use classify::{Classify, ClassifyLayer, ConnectError};
pub use collect::{Collect, CollectLayer};
pub use constant_header::{AuthorizationLayer, ConstantHeader, UserAgentLayer};
pub use credentials::Credentials;
pub use deadline::{Deadline, DeadlineLayer};
pub use dyn_service::DynService;
pub use endpoint::Endpoint;
pub use endpoints::Endpoints;
pub use error::Error;
pub use error_kind::ErrorKind;
pub use http_service::HttpService;
pub use req_body::ReqBody;
pub use resp_body::RespBody;
pub use retry::{Retry, RetryLayer};
pub use route::{Route, RouteLayer};
pub use span::{AttemptSpan, AttemptSpanLayer, RequestSpan, RequestSpanLayer};
#[cfg(feature = "_tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::TlsConfig;
pub use transport::Transport;

/// The named futures of the services, for those who name them in their own types.
pub mod future {
    pub use crate::attempt_timeout::ResponseFuture as AttemptTimeoutFuture;
    pub use crate::classify::ResponseFuture as ClassifyFuture;
    pub use crate::collect::ResponseFuture as CollectFuture;
    pub use crate::deadline::ResponseFuture as DeadlineFuture;
    pub use crate::dyn_service::ResponseFuture as DynServiceFuture;
    pub use crate::retry::ResponseFuture as RetryFuture;
    pub use crate::route::ResponseFuture as RouteFuture;
    pub use crate::span::{AttemptSpanFuture, RequestSpanFuture};
    pub use crate::transport::ResponseFuture as TransportFuture;
}
