//! Where a watch is.

use std::fmt;

/// Where a watch is, for logs and health checks; see [`WatchStream::state`](super::WatchStream::state).
///
/// ```text
/// Starting ──> Live ──silent──> Idle ──burst──> Joining ──> Live
///     any ──connection lost──> Reconnecting ──answered──> Idle
///     any ──events lost──> Resyncing ──> Live
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WatchState {
    /// Nothing has been asked yet, or the first answer is awaited: a watch does nothing until it is polled.
    Starting,
    /// One long poll waits at the next index: exact, and cheap while little happens. It is renewed every 30 to
    /// 45 s at the next member.
    Idle,
    /// A burst: a stream has been opened, and what happened before it is read from the history.
    Joining,
    /// Events come from a stream; where it is silent, a poll beside it makes sure that it was not dropped.
    Live,
    /// Events were lost: what is stored now is being read.
    Resyncing,
    /// The connection is lost, and no member has answered since; they are asked one after the other, with pauses
    /// of up to a second if that is not the first time.
    Reconnecting,
    /// It has ended with an error, which is its last item.
    Ended,
}

impl fmt::Display for WatchState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Joining => "joining",
            Self::Live => "live",
            Self::Resyncing => "resyncing",
            Self::Reconnecting => "reconnecting",
            Self::Ended => "ended",
        })
    }
}
