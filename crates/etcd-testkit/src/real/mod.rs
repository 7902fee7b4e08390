//! Real etcd processes, started and stopped by the test.
//!
//! [`binaries_under_test`] says which etcd a test must run on, [`Server::builder`] starts one member or a
//! cluster of one of them, and [`Member`] kills, stops, resumes and restarts single processes.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use etcd_testkit::real::{self, Server};
//!
//! # async fn run() -> Result<(), real::Error> {
//! for binary in real::binaries_under_test()? {
//!     let server = Server::builder(binary).members(3).lifetime(Duration::from_secs(60)).start().await?;
//!     server.member(0).stop()?; // SIGSTOP: connections stay open and nothing answers
//!     server.member(0).resume()?;
//!     server.member(1).kill()?; // SIGKILL, as in a power cut
//!     server.member(1).restart().await?; // same data, same ports
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is left behind
//!
//! Nothing: dropping a [`Server`] kills its processes, waits for their end and removes their data, also
//! when the test panics. If the test process itself is killed, no destructor runs; for that case each
//! etcd has a guard, a sleeping `sh` that kills it as soon as the test process is gone. The data directory then
//! stays behind in the system's directory for temporary files.
//!
//! # Time
//!
//! The processes live in real time. On a runtime whose clock is paused every limit here passes at once, so
//! tests with real servers leave tokio's clock alone.

mod auth;
mod binary;
mod builder;
mod error;
mod guard;
mod http;
mod member;
mod output;
mod port;
mod process;
mod ready;
mod search;
mod server;
#[cfg(feature = "tls")]
mod tls;

pub use self::binary::{Binary, binaries_under_test};
pub use self::builder::ServerBuilder;
pub use self::error::{Error, ErrorKind, Result};
pub use self::member::Member;
pub use self::server::Server;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use self::tls::{Certificates, Tls};
