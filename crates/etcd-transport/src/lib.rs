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
//! ReissueLayer         a second copy of what may be sent twice, while the first is silent
//! RetryLayer           the next endpoint, and again, by what an attempt proves and the request allows
//! attempt layers *     once per attempt; path-only URI
//! AttemptSpanLayer     span etcd.attempt
//! ObserveLayer         tells an observer
//! AttemptTimeoutLayer  limit of the attempt
//! RequestLineLimitLayer, MonotonicReadsLayer
//! CollectLayer         reads bodies within limits, parses etcd's errors
//! RedirectLayer        follows redirects to servers of the list, refuses all others
//! RouteLayer           chooses the endpoint by health, races slow connects; absolute URI
//! ClusterPinLayer      refuses answers of another cluster; one instance per endpoint
//! endpoint layers *    one instance per endpoint
//! AuthorizationLayer, UserAgentLayer, ClassifyLayer, and the pools of connections
//! ```
//!
//! # Outcomes
//!
//! | seen | a write is |
//! | --- | --- |
//! | no connection: refused, unknown host, connect limit, no trust in the server (TLS) | `NotApplied` |
//! | time is up while the request waits for a connection of the built-in pool | `NotApplied` |
//! | the connection ends, or time is up, before a head | `Unknown` |
//! | a success with `X-Etcd-Index`, then a cut or too large body | `Applied` |
//! | a success without it, then a cut or too large body | `Unknown` |
//! | a head that is no HTTP or too large | `Unknown` |
//! | a redirect that is not followed | `NotApplied`; without a readable `Location` `Unknown` |
//! | an answer of another cluster | what its head proves, in that cluster |
//!
//! Over several attempts the worst counts: in an [`Error`] it is counted in, beside an answer it is in
//! [`Attempts::outcome`]. For requests that only read, it is always `NotApplied`.
//!
//! # What is sent twice
//!
//! By itself a transport sends a request on to another server in these cases. It provably never left; that is
//! free of risk for every write. Its server redirects it to another one of the list, which proves that it was
//! not served there. It asks for the leader ([`CallContext::leader_only`]) and a member has answered that it
//! is not: then it was read and refused; the `Location` of a 307 is followed first. Or the answer is one of
//! another cluster or, where that matters, an old one: for reads, and for writes of which the answer proves
//! that nothing was applied.
//!
//! What may have arrived is repeated where the request says that this does no harm, within [`RetryConfig`]: see
//! [`retry::Standard`] for the table and [`retry::Budget`] for how much. [`ReissueLayer`] says when a copy goes
//! out beside one that has no answer yet.
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
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod attempt;
mod attempt_state;
mod attempt_timeout;
mod builder;
mod call_context;
mod call_state;
mod classify;
mod cluster_id;
mod cluster_pin;
#[cfg(test)]
mod cluster_test;
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
mod monotonic_reads;
mod observe;
mod observer;
mod proof;
mod redirect;
mod reissue;
mod req_body;
mod request_line_limit;
mod resp_body;
pub mod retry;
mod route;
mod span;
mod strays;
#[cfg(feature = "_tls")]
mod tls;
mod transport;

pub use attempt::{Attempt, Attempts, Phase};
pub use attempt_timeout::{AttemptTimeout, AttemptTimeoutLayer};
pub use builder::Builder;
pub use call_context::{BodyMode, CallContext};
pub use classify::{Classify, ClassifyLayer, ConnectError};
pub use cluster_id::ClusterId;
pub use cluster_pin::{ClusterPin, ClusterPinLayer};
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
pub use monotonic_reads::{MonotonicReads, MonotonicReadsLayer, SeenIndex};
pub use observe::{Observe, ObserveLayer};
pub use observer::{AttemptEnd, AttemptStart, Observer, SharedObserver};
pub use redirect::{Redirect, RedirectLayer};
pub use reissue::{Reissue, ReissueLayer};
pub use req_body::ReqBody;
pub use request_line_limit::{RequestLineLimit, RequestLineLimitLayer};
pub use resp_body::RespBody;
pub use retry::{Retry, RetryConfig, RetryLayer};
pub use route::{
    Condition, DropReason, Dropped, Ejection, EndpointSource, LeaderFirst, RoundRobin, Route, RouteHandle,
    RouteLayer, Server, Servers, SourceFuture, Sticky, Strategy, SyncReport,
};
pub use span::{AttemptSpan, AttemptSpanLayer, RequestSpan, RequestSpanLayer};
#[cfg(feature = "_tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::TlsConfig;
pub use transport::Transport;

/// The named futures of the services, for those who name them in their own types.
pub mod future {
    pub use crate::attempt_timeout::ResponseFuture as AttemptTimeoutFuture;
    pub use crate::classify::ResponseFuture as ClassifyFuture;
    pub use crate::cluster_pin::ResponseFuture as ClusterPinFuture;
    pub use crate::collect::ResponseFuture as CollectFuture;
    pub use crate::deadline::ResponseFuture as DeadlineFuture;
    pub use crate::dyn_service::ResponseFuture as DynServiceFuture;
    pub use crate::monotonic_reads::ResponseFuture as MonotonicReadsFuture;
    pub use crate::observe::ResponseFuture as ObserveFuture;
    pub use crate::redirect::ResponseFuture as RedirectFuture;
    pub use crate::reissue::ResponseFuture as ReissueFuture;
    pub use crate::request_line_limit::ResponseFuture as RequestLineLimitFuture;
    pub use crate::retry::ResponseFuture as RetryFuture;
    pub use crate::route::ResponseFuture as RouteFuture;
    pub use crate::span::{AttemptSpanFuture, RequestSpanFuture};
    pub use crate::transport::ResponseFuture as TransportFuture;
}
