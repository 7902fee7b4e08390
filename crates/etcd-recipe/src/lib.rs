#![cfg_attr(docsrs, feature(doc_cfg))]
//! What locks, elections and registrations on etcd share: a fair queue, a key that is kept alive, and an end on time.
//!
//! ```no_run
//! use etcd_client::v2::Client;
//! use etcd_recipe::Queue;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect("10.0.0.1, 10.0.0.2, 10.0.0.3")?;
//! let held = Queue::new(&client, "/locks/reports").value("worker-7").acquire().await?;
//! held.run(async { /* the work: dropped where it stands if the key is lost */ }).await?;
//! held.release().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//! - A [`Token`] is greater than all before it. What refuses a smaller one than it has seen takes nothing from a late
//!   holder, whatever clocks and networks do.
//! - [`HeldKey::check`] fails from the moment on at which the key may have run out, by a clock that nobody can set and
//!   that counts the time that the machine sleeps, also where the process was stopped in between.
//! - Nobody is granted a [`Queue`] on a list that could not be read, or that does not show its own key first.
//! - Who stops waiting leaves no key behind for longer than its ttl.
//!
//! Not promised is that two processes never both *believe* to hold it: the servers end a key by clocks of their own.
//! See [`SkewProbe`] and [`Timing`] for how far clocks may differ.
//!
//! # Modules
//! | | |
//! | --- | --- |
//! | [`Queue`], [`Contender`] | waiting in line in a directory |
//! | [`SingleKey`] | one key that one can hold |
//! | [`HeldKey`], [`Lost`], [`State`], [`LossReason`] | what is held, and how it ends |
//! | [`KeepAlive`] | a key that says that somebody is there |
//! | [`Token`], [`Timing`], [`SkewProbe`], [`Clock`] | numbers that fence, times, and clocks |
//! | [`protocol`] | what is decided, as functions without I/O |
//!
//! # Features
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `tls` | yes | TLS in the client |
//! | `blocking` | no | waiting in programs without async, see `etcd_client::blocking` |
#![forbid(unsafe_code)]

mod cleaner;
mod clock;
mod enter;
mod error;
mod error_kind;
mod held;
mod keep_alive;
mod key;
mod key_calls;
pub mod protocol;
mod queue;
mod settings;
mod skew;
mod state;
mod timing;
mod token;

pub use clock::{Clock, Sleep, SystemClock, Timestamp, TokioClock};
pub use error::{Error, Result};
pub use error_kind::ErrorKind;
pub use held::{HeldKey, Lost, SingleKey};
pub use keep_alive::{KeepAlive, Registration};
pub use queue::{Contender, Queue};
pub use skew::{SkewProbe, SkewReport};
pub use state::{LossReason, State};
pub use timing::Timing;
pub use token::Token;
