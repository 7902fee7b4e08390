#![cfg_attr(docsrs, feature(doc_cfg))]
//! An etcd client that says what became of every write.
//!
//! ```no_run
//! use etcd_client::v2::Client;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), etcd_client::Error> {
//! let client = Client::connect("10.0.0.1:2379, 10.0.0.2:2379, 10.0.0.3:2379")?;
//! client.set("/config/color", "green").await?;
//! println!("{}", client.get("/config/color").quorum(true).await?.text());
//! # Ok(())
//! # }
//! ```
//!
//! # What fails, and what became of it
//! Every [`Error`] has an [`Outcome`]: the write was not applied (proved), was applied, or nobody knows. Nothing
//! is sent twice by hope: a write goes to the next member only where it provably never left, or where its caller has
//! said that a repeat does no harm. Reads are repeated, and go out a second time while a member is silent, within a
//! budget that keeps repeats from holding a failing cluster down: see [`RetryConfig`].
//!
//! # Modules
//! | | |
//! | --- | --- |
//! | [`v2`] | the client of etcd's v2 API: start here |
//! | [`blocking`] | the same for programs without async (feature `blocking`) |
//! | [`Error`], [`ErrorKind`], [`Outcome`] | what went wrong, what became of the write |
//!
//! # Features
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `v2` | yes | the client of the v2 API |
//! | `tls` | yes | `tls-ring` and `tls-native-roots`: `https` members |
//! | `tls-ring` | with `tls` | TLS, with the cryptography of ring |
//! | `tls-native-roots` | with `tls` | where no CA is given, the roots of the operating system |
//! | `tls-aws-lc` | no | TLS, with the cryptography of aws-lc, which wins where both are there |
//! | `tls-webpki-roots` | no | where no CA is given, the roots of Mozilla, built in |
//! | `tls-rustls-0_23` | no | TLS by a prepared configuration of rustls 0.23 |
//! | `blocking` | no | [`blocking`] |
#![forbid(unsafe_code)]
#![cfg_attr(not(feature = "v2"), allow(dead_code, reason = "without an API nothing makes the errors"))]

#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking;
#[cfg(feature = "v2")]
mod env;
mod error;
mod error_kind;
#[cfg(feature = "v2")]
mod go_duration;
#[cfg(feature = "v2")]
#[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
pub mod v2;

pub use error::{Error, Result};
pub use error_kind::ErrorKind;
pub use etcd_proto::{BoxError, Idempotence, Outcome};
#[cfg(feature = "_tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use etcd_transport::TlsConfig;
pub use etcd_transport::retry::{Backoff, Budget, Jitter};
pub use etcd_transport::{
    Attempt, AttemptEnd, AttemptStart, Attempts, ClusterId, Condition, DropReason, Dropped, Ejection,
    Endpoint, Endpoints, LeaderFirst, Observer, Phase, RetryConfig, RoundRobin, Server, Servers, Sticky,
    Strategy, SyncReport,
};
#[cfg(feature = "v2")]
#[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
pub use go_duration::parse_go_duration;
