#![cfg_attr(docsrs, feature(doc_cfg))]
//! Locks on etcd that end on time and carry a fencing token.
//!
//! ```no_run
//! use etcd_client::v2::Client;
//! use etcd_lock::{FencedKey, Lock};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect("10.0.0.1, 10.0.0.2, 10.0.0.3")?;
//! let guard = Lock::new(&client, "reports").owner("worker-7").acquire().await?;
//! let state = FencedKey::new(&client, "/reports/state");
//! // Dropped where it stands if the lock is lost; what it sends late all the same is fenced off.
//! guard.run(state.write(guard.token(), "done").into_future()).await??;
//! guard.release().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//! - **Tokens rise.** The token of each holder is greater than all before, for the life of a cluster. What refuses a
//!   token smaller than the greatest it has seen, as [`FencedKey`] does, takes nothing from a late holder, whatever
//!   clocks, networks and stopped processes did.
//! - **A lock ends on time.** [`LockGuard::check`] fails, and [`LockGuard::run`] drops its work, from the moment on at
//!   which others may have the lock: the ttl after the last good renewal was first sent, less a margin. That is
//!   computed from a clock that nobody can set and that counts sleep, at the call, so that it holds for a process that
//!   was stopped as well.
//! - **Nobody is granted on a guess.** A list that could not be read, or that lacks one's own key, grants nothing, and
//!   where an answer was lost it is found out what became of the request.
//! - **First come, first served**, by [`Lock`]; one release wakes one waiter.
//! - **Nothing stays behind**: who gives up waiting, or is dropped, leaves no key for longer than its ttl.
//! - **Whoever was too late hears of it**: a release after a loss, and a renewal or release by a token that has ended,
//!   are errors, and touch no later holder.
//!
//! # What is not
//! - That two processes never both *believe* to hold. etcd's v2 API ends a key by the clocks of its members: where
//!   they differ by more than the margin, a key ends early, and the next is granted while the last still believes. The
//!   [`SkewProbe`] finds out once in a raft term how far the member that took the write and the leader differ, and
//!   holdings believe less by that; what it does not see is another member that later renewals go to, and a clock that
//!   jumps in between. Tokens fence off what happens then.
//! - That work is undone. `run` drops a future; what it had sent is on its way.
//! - Anything about those who ignore the lock, or delete its keys.
//!
//! # Which one
//! | | |
//! | --- | --- |
//! | [`Lock`] | the one to use: fair, a directory of contenders |
//! | [`Spin`] | one key, in no order: for two or three, and for other programs |
//! | [`LockGuard`] | what is held, and how to share it |
//! | [`FencedKey`], [`Fenced`] | a value in etcd that only the latest holder can write |
//! | [`Token`] | the number to hand to what the lock protects |
//! | [`Contender`], [`Holder`] | those who hold and wait, as others see them |
//! | [`State`], [`LossReason`], [`Lost`] | how a holding stands and ends |
//! | [`Timing`], [`Clock`], [`SkewProbe`] | times and clocks |
//!
//! There is no semaphore and no read/write lock: the queue grants its first key and no other, and to grant more would
//! take rules of their own.
//!
//! For elections see `etcd-leader`, for a key that is just kept alive `KeepAlive` of `etcd-recipe`; both work by the
//! same protocol, which is written down in `etcd-recipe`.
//!
//! # Which ttl
//! It is how long others wait for a holder that died, and an outage shorter than it, less its margin, ends nothing. The
//! default, 15 s, survives the 2 s to 9 s that a cluster needs when its leader dies. Long ttls cost nothing: a renewal
//! every third of it.
//!
//! # Features
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `tls` | yes | TLS in the client |
//! | `blocking` | no | [`blocking`]: the same for programs without async |
#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "blocking"),
    allow(rustdoc::broken_intra_doc_links, reason = "the table names every module")
)]

#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking;
mod fenced;
mod fenced_key;
mod guard;
mod lock;
mod name;
mod setters;
mod spin;

pub use etcd_recipe::{
    Clock, Contender, Error, ErrorKind, LossReason, Lost, Result, SkewProbe, SkewReport, Sleep, State,
    SystemClock, Timestamp, Timing, Token, TokioClock,
};

pub use crate::fenced::Fenced;
pub use crate::fenced_key::{FencedKey, FencedRead, FencedWrite};
pub use crate::guard::LockGuard;
pub use crate::lock::Lock;
pub use crate::spin::{Holder, Spin};
