//! An etcd v2 server in memory, for tests: on loopback ports, or in process in virtual time; with faults on demand.
//!
//! [`MemoryEtcd`] is a cluster whose members listen on ports, for any client in any language. [`InProcess`] is one
//! without ports, reached by tower services, whose time is tokio's and can be paused:
//!
//! ```
//! use std::time::Duration;
//!
//! use etcd_testkit::memory::{Change, Fault, MemoryEtcd, Rule};
//! use http::Method;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let etcd = MemoryEtcd::builder().members(3).in_process()?;
//! etcd.faults().add(Rule::new(Fault::DropAnswer).method(Method::PUT).key_prefix("/jobs").nth(1));
//!
//! let put = || http::Request::put("/v2/keys/jobs/1?value=a&prevExist=false").body(String::new());
//! let lost = etcd.http_service().oneshot(put()?).await;
//! assert!(lost.is_err(), "the connection was closed");
//! assert_eq!(etcd.http_service().oneshot(put()?).await?.status(), 412, "but the write had been made");
//! assert!(etcd.log().entries()[0].applied);
//!
//! etcd.faults().apply(Change::NoLeader(Duration::from_secs(20)))?;
//! assert_eq!(etcd.http_service().oneshot(put()?).await?.status(), 500); // after 7 s, which take no time here
//! # Ok(())
//! # }
//! ```
//!
//! A [`Store`] is the cluster behind both, a state machine without I/O: a request goes in with the time and the
//! member that it was sent to, and an [`Answer`] comes out. It is for those who bring a front of their own:
//!
//! ```
//! use std::time::SystemTime;
//!
//! use bytes::Bytes;
//! use etcd_testkit::memory::{Answer, Store};
//!
//! let mut store = Store::builder().build();
//! let now = SystemTime::now();
//! let watch = http::Request::get("/v2/keys/a?wait=true").body(Bytes::new())?;
//! let Answer::Watch(watch) = store.handle(0, &watch, now) else { panic!() };
//!
//! let put = http::Request::put("/v2/keys/a?value=1").body(Bytes::new())?;
//! store.handle(0, &put, now);
//! assert_eq!(store.take_woken(), [watch.watcher]);
//! let event = store.read_watch(watch.watcher).unwrap();
//! assert!(event.starts_with(br#"{"action":"set","node":{"key":"/a","value":"1""#));
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # Map
//!
//! | | |
//! | --- | --- |
//! | [`MemoryEtcd`], [`MemoryBuilder`] | members on loopback ports; kill and restart them |
//! | [`InProcess`] | the same without ports, in virtual time |
//! | [`HttpService`], [`OperationService`] | a cluster as a tower service, of HTTP requests or of typed calls; [`Body`], [`ConnectRefused`], [`Disconnected`] are what comes of it |
//! | [`Plan`], [`Rule`], [`Fault`] | which requests meet what, from the start; [`Faults`] changes it |
//! | [`Change`], [`StalledWrites`] | what happens to the cluster at some request, or at once |
//! | [`Log`], [`LogEntry`], [`Reply`] | what was served, for assertions |
//! | [`Profile`], [`Quirks`] | which etcd it behaves like, and which oddities of its watches it has |
//! | [`Store`], [`StoreBuilder`], [`Answer`] | the state machine behind it; more faults are methods of it: [`Store::freeze`], [`Store::set_contact`], [`Store::restore`] |
//!
//! # Limits of the servers
//!
//! A head has to come within 300 s and a body within 60 s; a body of more than 10 MiB is refused as etcd does, and
//! not read further. All connections together hold 256 MiB of bodies; beyond that 503. A member takes 50,000
//! connections at most. A member that is added by a request is in the list of members only: nothing listens for it.
//! The log keeps 10,000 requests, and the first KiB of the target of each. 10,000 requests at most, of 64 MiB
//! together, wait to be carried out later; a member that lags misses 100,000 entries of 64 MiB at most.
//!
//! # Figures
//!
//! On one core of a virtual machine which also ran the client, measured by the example `memory_figures`: 50,000
//! `PUT` and 58,000 `GET` a second over 64 connections; 5,000 watchers of one key all have their event within
//! 0.1 s. An idle watcher on a connection takes 2.5 KB of resident memory, of which the client's end has about
//! 0.3 KB (buffers of the kernel are not counted). A connection that has asked nothing yet takes as much; one that
//! waits for the next request after an answer takes 12 KB, most of it hyper's buffers.
//!
//! # Differences from etcd
//!
//! - Listings are always in the order of their bytes; etcd's are random unless sorted.
//! - A path is at most 16 KiB long (etcd: about 1 MiB, and 4096 bytes in the first plain request of a
//!   connection): beyond that comes 431. A listing of a deep path grows with the square of its depth.
//! - Passwords are compared as given; etcd takes 100 ms and more for each, by bcrypt.
//! - Keys that end at the very same nanosecond expire in the order in which they were made.
//! - A pattern of a role that is the empty text matches nothing; etcd drops the connection.
//! - The answer to a `HEAD` whose path has a bad escape has no body; etcd, against HTTP's rules, sends one.
//! - `/metrics` shows a handful of figures; `/v3`, `/debug` and the like are 404.

mod builder;
mod disconnect;
mod engine;
mod error;
mod etcd;
mod fault;
mod http;
mod in_process;
mod journal;
mod json;
mod profile;
mod quirk;
mod server;
mod service;
mod store;
mod time;

pub use self::builder::MemoryBuilder;
pub use self::disconnect::{ConnectRefused, Disconnected};
pub use self::error::{Error, ErrorKind};
pub use self::etcd::MemoryEtcd;
pub use self::fault::{Change, Fault, Faults, Plan, Rule, StalledWrites};
pub use self::http::{Answer, OpenedWatch, Stalled};
pub use self::in_process::InProcess;
pub use self::journal::{Log, LogEntry, Reply};
pub use self::profile::Profile;
pub use self::quirk::Quirks;
pub use self::service::{Body, HttpService, OperationService, ResponseFuture};
pub use self::store::{Contact, MemberInfo, Snapshot, Store, StoreBuilder, WatchMode, WatcherId};
