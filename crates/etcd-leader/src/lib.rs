#![cfg_attr(docsrs, feature(doc_cfg))]
//! Leader election on etcd that ends on time and fences.
//!
//! ```no_run
//! use etcd_client::v2::Client;
//! use etcd_leader::Election;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect("10.0.0.1, 10.0.0.2, 10.0.0.3")?;
//! let election = Election::new(&client, "my-cluster");
//! let work = |leadership: std::sync::Arc<etcd_leader::Leadership>| async move {
//!     println!("leading by token {}", leadership.token());
//!     // What only the leader does: dropped where it stands if that is lost.
//! };
//! election.lead("leader-1", work).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//! - Each leader has a [`Token`] greater than that of all before. What refuses a smaller one than it has seen takes
//!   nothing from a late leader, whatever clocks and networks do.
//! - [`Leadership::check`] fails from the moment on at which the key may have run out, by a clock that nobody can set and
//!   that counts the time that the machine sleeps, also where the process was stopped in between.
//! - Nobody leads by a list that could not be read, or that does not show its own key first.
//! - Candidates lead in the order in which they came; one that gives up leaves no key for longer than its ttl.
//! - [`Observe`] shows no older leader behind a newer one, and says where it has missed some.
//!
//! # What is not
//! **That two processes never both believe to lead.** The servers end a key by clocks of their own: see [`SkewProbe`] and
//! [`Timing`] for how far those may differ. And a process can be stopped between [`check`](Leadership::check) and what it
//! does next. Where that must do no harm hand the [`token`](Leadership::token) to what the leader changes.
//!
//! **After a loss stop first, then campaign again**: a lost [`Leadership`] has to be dropped before the next campaign of
//! its candidate, and [`Election::lead`] does so by itself.
//!
//! # Modules
//! | | |
//! | --- | --- |
//! | [`Election`] | candidates in a fair queue; the seeds' `set_leader`, `get_leader`, `delete_leader` |
//! | [`TwoStep`], [`vote`] | the old `leader` program's way: on one key, and the fitter candidate is preferred |
//! | [`Leadership`], [`Lost`], [`State`], [`LossReason`] | leading, and how it ends |
//! | [`Observe`], [`LeaderChange`], [`Leader`] | who leads, as it changes |
//! | [`Error`], [`ErrorKind`] | what went wrong |
//!
//! # Features
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `tls` | yes | TLS in the client |
//! | `blocking` | no | [`blocking`]: waiting in programs without async |
#![forbid(unsafe_code)]

#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking;
mod election;
mod error;
mod error_kind;
mod leader;
mod leadership;
mod observe;
mod one_shot;
mod reigns;
mod settings;
mod two_step;
pub mod vote;

pub use election::Election;
pub use error::{Error, Result};
pub use error_kind::ErrorKind;
pub use etcd_client::v2::{ResyncCause, WatchState};
pub use etcd_recipe::{
    Clock, Contender, LossReason, Lost, SkewProbe, SkewReport, Sleep, State, SystemClock, Timestamp, Timing,
    Token, TokioClock,
};
pub use leader::Leader;
pub use leadership::Leadership;
pub use observe::{LeaderChange, Observe};
pub use two_step::TwoStep;
