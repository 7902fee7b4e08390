//! What is known of a holding.

use std::fmt;

use crate::Timestamp;
use crate::protocol::Loss;

/// What is known of a holding now, by its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is held, and the last renewal was answered.
    Held,
    /// It is held, but the last renewal was not answered well; unless one is, it ends at `until`.
    Unsure {
        /// When it ends.
        until: Timestamp,
    },
    /// It is held no more, and never will be again.
    Lost {
        /// Why.
        reason: LossReason,
    },
}

impl State {
    /// Whether it is held.
    #[must_use]
    pub fn is_held(self) -> bool {
        match self {
            Self::Held | Self::Unsure { .. } => true,
            Self::Lost { .. } => false,
        }
    }
}

/// Why a holding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossReason {
    /// No renewal was answered in time: by this machine's clock the key may have run out.
    Expired,
    /// The key is gone: it ran out at the server, or was deleted by another.
    Gone,
    /// There is a key of that name, which was made anew.
    Replaced,
    /// Another cluster answers in place of the one that has the key.
    ClusterChanged,
    /// It was given back.
    Released,
    /// Its renewal was stopped, by `detach`.
    Detached,
}

impl From<Loss> for LossReason {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::Gone => Self::Gone,
            Loss::Replaced => Self::Replaced,
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "not renewed in time",
            Self::Gone => "the key is gone",
            Self::Replaced => "the key was made anew",
            Self::ClusterChanged => "another cluster answers",
            Self::Released => "it was given back",
            Self::Detached => "it was detached",
        })
    }
}
