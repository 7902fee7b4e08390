//! What ends the wait for the key before ours.

use super::AfterList;

/// What the wait ended by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wake {
    /// An event of the key: deleted, run out, changed.
    Event,
    /// The wait failed, was cut, or took its time.
    Nothing,
}

/// What follows from what ended a wait: always another list. Of an event it is not known whether it was the end of the
/// key, whether that key had given up and others are still before ours, and whether ours is still there.
#[must_use]
pub fn after_wake(wake: Wake) -> AfterList {
    match wake {
        Wake::Event | Wake::Nothing => AfterList::Again,
    }
}
