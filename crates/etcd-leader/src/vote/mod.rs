//! The election with fitness, in two steps on one key: what is decided, without I/O and without a clock.
//!
//! A candidate **nominates** itself by a vote that is tentative, lets it settle, so that others have time to see it, and
//! **confirms** it. A fitter candidate takes over a tentative vote; a confirmed one is nobody else's for as long as its
//! key lives. The rules:
//!
//! - every write is a creation or compares with the modified index that was read or answered: who was slower has written
//!   nothing, and a first nomination cannot overwrite a confirmed vote;
//! - so in the life of one key there is one leader at most, and the key's created index is the token of that leader, as
//!   with a [lock](etcd_recipe::protocol);
//! - who leads is known from one's own confirmation, and not from a name: a confirmed vote of one's own name that one
//!   has not written is somebody else's, and be it of an earlier life of the same program;
//! - a leader leads until its own clock says that the key may have run out, counted from when the confirmation, or the
//!   last renewal, was first sent; it renews by [`after_renewal`](etcd_recipe::protocol::after_renewal).
//!
//! Candidates must have different names: after a confirmation without an answer the vote that is read tells nothing
//! more of who has written it.

mod step;
mod text;

pub use self::step::{Answer, Ballot, Read, Step, after_confirmation, after_nomination, after_read};
pub use self::text::{Candidate, InvalidVote, State, Vote};
