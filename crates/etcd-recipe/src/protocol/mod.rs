//! What is decided, without I/O and without a clock: from what a server answered to what follows from it.
//!
//! The drivers of this crate send requests and carry out what these functions say; the model check of the crate's
//! tests carries out the same functions against every order of losses, delays, expiries and rivals. So a rule is
//! written once, here, and a rule that is broken here is found there.
//!
//! A contender makes a key of its own in the directory of the queue, by a name that nobody else uses and only where no
//! such key is yet. Order is by created index, which the server gives. The rules:
//!
//! - what is not known is never taken for good news: an unreadable list grants nothing ([`after_list`]);
//! - a key is ours by name **and** created index ([`Place`]): a key of our name that was made anew is another place;
//! - what wakes a waiter is a hint, the list is the truth ([`after_wake`]);
//! - a renewal counts from when it was first sent, and only if the server said so ([`after_renewal`]);
//! - what must not be written by two is guarded by the token, and not by a clock ([`fence()`]).

mod create;
mod fence;
mod list;
mod release;
mod renew;
mod wake;

pub use self::create::{AfterCreate, CreateAnswer, after_create, after_creator_read};
pub use self::fence::{Fence, fence};
pub use self::list::{AfterList, Listed, after_list};
pub use self::release::{AfterRelease, ReleaseAnswer, after_release, after_release_read};
pub use self::renew::{AfterRenewal, RenewAnswer, after_renewal, after_renewal_read};
pub use self::wake::{Wake, after_wake};

/// Our key in the queue, as the server last told of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The last element of the key: a name that nobody else uses.
    pub name: String,
    /// The index of its creation: its order in the queue and the token of who holds it. It stays the same for the
    /// life of the key, whatever is written to it.
    pub created: u64,
    /// The index of its last change: what the next renewal compares with.
    pub modified: u64,
}

/// What a quorum read of our key showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OwnKey {
    /// There is a key of that name.
    Found {
        /// The index of its creation.
        created: u64,
        /// The index of its last change.
        modified: u64,
        /// Whether it holds the value that we wrote.
        is_ours: bool,
    },
    /// There is no key of that name.
    Missing,
    /// The read failed: nothing is known.
    Unknown,
}

/// Why a place is no longer ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// The key is gone: it ran out at the server, or was deleted by another.
    Gone,
    /// There is a key of that name with another created index.
    Replaced,
}
