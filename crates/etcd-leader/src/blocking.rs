//! Elections in programs without async.
//!
//! Bring [`Wait`] into scope, and every call can be waited for in place of being awaited; bring [`Items`] into scope,
//! and an observer is an iterator:
//!
//! ```no_run
//! use etcd_client::v2::Client;
//! use etcd_leader::blocking::{Items, Wait};
//! use etcd_leader::Election;
//!
//! # fn write_state(_: u64) {}
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect("http://127.0.0.1:2379")?;
//! let election = Election::new(&client, "my-cluster");
//! let leadership = election.campaign("leader-1").wait()?;
//! for round in 0..10 {
//!     leadership.check()?;
//!     write_state(leadership.token().index() + round);
//! }
//! leadership.resign().wait()?;
//!
//! for change in election.observe()?.items() {
//!     println!("{:?}", change?.leader().map(|leader| leader.value().to_owned()));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A leadership is renewed by the thread that drives all waiting callers. Nothing takes the work from the caller's
//! thread on a loss: [`check`](crate::Leadership::check) before each thing that only the leader may do, and hand the
//! token along.

pub use etcd_client::blocking::{Blocking, Items, Wait};
