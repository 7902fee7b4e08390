//! etcd servers for tests.
//!
//! ```no_run
//! use etcd_testkit::{Etcd, real};
//!
//! # async fn run() -> Result<(), real::Error> {
//! for binary in real::binaries_under_test()? {
//!     let server = real::Server::builder(binary).members(3).start().await?;
//!     println!("{} listens on {:?}", server.name(), server.endpoints());
//!     server.member(0).kill()?;
//! } // the processes end and their data is gone when the handle is dropped
//! # Ok(())
//! # }
//! ```
//!
//! A test that only talks to a server takes `&dyn `[`Etcd`]; which kind of server stands behind it is chosen
//! by whoever starts it. A test that kills or stops members takes a [`real::Server`].
//!
//! # Map
//!
//! - [`Etcd`]: what every kind of server can say about itself.
//! - [`Version`], [`Series`]: which etcd it is, or behaves like.
//! - [`real`]: real etcd processes on loopback ports.
//! - [`memory`]: an etcd v2 server in memory, on loopback ports or in process, with faults and virtual time.
//! - [`proxy`]: a proxy in front of a real server that has things go wrong, and scripted listeners.
//!
//! The program `etcd-memory` (feature `program`) is that server for other languages.
//!
//! # Features
//!
//! | feature | default | gives |
//! | --- | --- | --- |
//! | `real` | yes | the module [`real`] |
//! | `tls` | no | TLS for the servers of [`real`] |
//! | `memory` | no | the module [`memory`] |
//! | `program` | no | the program `etcd-memory`, and what only it needs; implies `memory` |
//! | `proxy` | no | the module [`proxy`] |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(all(feature = "real", feature = "memory", feature = "proxy")),
    allow(rustdoc::broken_intra_doc_links, reason = "the map names every module")
)]

mod handle;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(any(feature = "memory", feature = "proxy"))]
mod port;
#[cfg(feature = "proxy")]
pub mod proxy;
#[cfg(feature = "real")]
pub mod real;
#[cfg(any(feature = "memory", feature = "proxy"))]
mod turn;
mod version;

pub use crate::handle::Etcd;
pub use crate::version::{ParseVersionError, Series, Version};
