//! What the tests of this package share: servers of every etcd under test, prefixes, captured tracing.
//!
//! | for | look at |
//! | --- | --- |
//! | a test that only talks to a server | [`each_etcd`], which hands over `&dyn Etcd` |
//! | a test that kills members or changes the cluster | [`each_server`], which starts servers of its own: [`Needs`], [`Server`] |
//! | a test of what only a process can be told | [`each_real_server`] |
//! | keys that no other test uses | [`Scope`] |
//! | what etcd itself needs time for | [`eventually`] |
//! | a peer that is no etcd, a port that refuses | [`Peer`], [`Refused`] |
//! | all that an error can print | [`printed`] |
//! | a password that must be found nowhere | [`canary`] |
//! | all that is told to tracing | [`Capture`] |
//! | all that passes a seam of HTTP | [`Tally`] |
//! | the server in memory against real ones | [`differential`] |
//! | a cluster in this process, in virtual time | [`Wire`] |
//! | members that die, freeze or are silent | [`failover`] |
//! | locks in all of that | [`recipes`] |
#![forbid(unsafe_code)]

/// The programs of the testkit's guide, compiled and run as doc tests. Here, because one of them needs the client.
#[cfg(doctest)]
#[doc = include_str!("../../docs/testing-with-etcd-testkit.md")]
mod guide {}

pub mod canary;
mod capture;
pub mod differential;
mod each;
mod eventually;
pub mod failover;
mod kind;
mod memory;
mod peer;
mod printed;
pub mod recipes;
mod scope;
mod server;
mod tally;
mod wire;

pub use capture::Capture;
pub use each::{each_etcd, each_real_server, each_server, each_server_within};
pub use eventually::{PATIENCE, eventually};
pub use peer::{Peer, Refused};
pub use printed::printed;
pub use scope::{Scope, guest, patient};
pub use server::{Needs, Server, ServerMember};
pub use tally::{Tallied, Tally};
pub use wire::Wire;
