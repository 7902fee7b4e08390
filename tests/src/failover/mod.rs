//! Members that die, freeze or are silent, seen by a caller: how many calls fail, how many attempts each takes,
//! how long the gap is.
//!
//! The scenarios are run twice: by `cargo test` for the counts, once per version; and by `cargo xtask failover` as
//! often as wanted, for the medians of the times. All clients have the default limits: what is shown is what a user
//! gets who sets nothing.

mod calls;
mod proxied;
mod quorum;
mod refusing;
mod report;
mod silent;

pub use calls::{Calls, Seen};
pub use proxied::Proxied;
pub use quorum::{leader_killed, leader_killed_probe};
pub use refusing::{beside_a_good_one, follower_killed};
pub(crate) use refusing::{leader_of, restart};
pub use report::{Figures, median};
pub use silent::{Silent, SynHang, member_frozen};
