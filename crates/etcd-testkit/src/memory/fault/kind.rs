//! What can go wrong.

use std::time::Duration;

use http::StatusCode;

use super::StalledWrites;

/// What a request meets in place of a plain answer.
///
/// "Applied" says whether the request was carried out: a write that was and whose answer is lost is what a
/// client has to cope with most.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No connection. Not applied.
    ///
    /// In process the call fails with [`ConnectRefused`](crate::memory::ConnectRefused), before the body of the
    /// request is read.
    ///
    /// Over sockets **only a rule without conditions, or with the member's number alone, refuses truly**: as long as
    /// it is in the plan nobody listens, and connecting fails at once. (Connections that are open by then stay,
    /// and their requests are met as below.) With any other condition, a turn such as
    /// [`nth`](super::Rule::nth) included, the server has to read the head of a request to know that it is meant:
    /// connecting works, and the connection is reset as by [`ResetBeforeHead`](Self::ResetBeforeHead), which a
    /// client must not take for "nothing was sent". To refuse for a while add such a rule and
    /// [`clear`](super::Faults::clear) it later, or kill the member.
    Refuse,
    /// The request is taken and never answered; the connection stays open. Not applied.
    Hang,
    /// The connection is reset before any byte of an answer. Not applied.
    ResetBeforeHead,
    /// Head out, then the connection is reset. Applied; what was a watch has seen nothing.
    ResetAfterHead,
    /// The connection is closed after so many bytes of the body; its head promised more. Applied.
    ///
    /// A body that is not longer is answered in whole.
    CutBody(usize),
    /// Nothing comes after so many bytes of the body, and the connection stays open: a peer that has lost its power,
    /// or that something on the way has forgotten. Applied; what was a watch hears nothing more.
    ///
    /// A body that is not longer is answered in whole. The death of the member ends it.
    StallBody(usize),
    /// The connection is closed without an answer. Applied.
    DropAnswer,
    /// Status 500 with error 300 and this cause. **Not** applied.
    ErrorBefore {
        /// Such as `etcdserver: request timed out`.
        cause: String,
    },
    /// Status 500 with error 300 and this cause. Applied.
    ErrorAfter {
        /// Such as `etcdserver: request timed out, possibly due to previous leader failure`.
        cause: String,
    },
    /// Status 503 in plain text. Not applied.
    Unavailable,
    /// The request is on its way for so long, before any server reads it; then it is applied and answered.
    ///
    /// If the client gives up meanwhile it is **not** applied, as if it had never come. For a server that is slow
    /// itself, and applies what it has read whoever waits, see [`ApplyLater`](Self::ApplyLater).
    Delay(Duration),
    /// The server has read the request and gets to it after so long: then it is applied, **whether or not the
    /// client still waits**, and answered if it does. What a client has to fear that gives up on a slow write.
    ///
    /// It is applied in the cluster as it is then, and a time to live counts from then. If the member is killed
    /// before, it is not applied. A watch whose client has left is closed at once.
    ///
    /// At most 10,000 such requests wait at a time, with 64 MiB in all; one more is answered 503 in plain text
    /// and not applied. In process nothing is spawned for it: without anybody who waits the request is applied
    /// before the next look at the cluster, as of its own time.
    ApplyLater(Duration),
    /// The request is applied at once, its answer comes later.
    DelayAnswer(Duration),
    /// The body comes in pieces of so many bytes (0 counts as 1), with a pause before each. Applied.
    Dribble {
        /// Bytes of a piece.
        bytes: usize,
        /// The pause.
        every: Duration,
    },
    /// A page of a proxy: HTML with this status. Not applied: the proxy has reached no server.
    Html(StatusCode),
    /// The same page, from a proxy that has passed the request on and did not wait for the answer or lost it, as
    /// by 504 or 502. Applied; what was a watch is closed.
    HtmlAfter(StatusCode),
    /// Status 307 to this URL. Not applied.
    Redirect(String),
    /// Something happens to the cluster just before the request, which is answered as it is then.
    ///
    /// Where the change names a member or key that does not exist, the request is answered 500 in plain text
    /// that says so. Not applied then.
    Change(Change),
}

/// What can happen to a cluster. [`Faults::apply`](super::Faults::apply) has it happen at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// No leader for so long, counted anew if there is none already; 0 ends it. Writes and reads by consensus are
    /// answered after 7 s with error 300; watches are silent; nothing expires. Then the leader of before leads
    /// again, in a new term; so also where [`Store::set_leader`](crate::memory::Store::set_leader) has taken it away.
    ///
    /// Whether the writes are carried out once there is a leader is said by
    /// [`StalledWrites`](Self::StalledWrites); unless told otherwise they are **not**.
    NoLeader(Duration),
    /// What becomes of writes that find no leader from now on; [`StalledWrites::Lost`] at the start.
    StalledWrites(StalledWrites),
    /// The member answers local reads and watches from its present state for so long, then catches up at once.
    /// One that lags already stays at the state that it has, for so long from now; 0 ends it.
    Lag {
        /// Its number, from 0.
        member: usize,
        /// How long.
        lasts: Duration,
    },
    /// A member is gone, as by SIGKILL: nothing connects, connections are reset. Its state is not lost.
    Kill(usize),
    /// A killed member is there again.
    Restart(usize),
    /// All events are forgotten: a watch from any index up to the present one is refused with error 401.
    ClearHistory,
    /// Another cluster id from now on.
    ClusterId(u64),
    /// The index becomes this one, usually a smaller one; keys stay, the history is cleared.
    Index(u64),
    /// The server's clock jumps forward. What ends in between expires.
    ClockForward(Duration),
    /// The server's clock jumps back: all keys live longer by that.
    ClockBack(Duration),
    /// The key or directory expires now, whether or not it has a time to live. The slash in front may be missing.
    Expire(String),
    /// All that has a time to live expires now.
    ExpireAll,
}

impl Change {
    /// The member that it names.
    pub(crate) fn member(&self) -> Option<usize> {
        match self {
            Self::Lag { member, .. } | Self::Kill(member) | Self::Restart(member) => Some(*member),
            Self::NoLeader(_)
            | Self::StalledWrites(_)
            | Self::ClearHistory
            | Self::ClusterId(_)
            | Self::Index(_)
            | Self::ClockForward(_)
            | Self::ClockBack(_)
            | Self::Expire(_)
            | Self::ExpireAll => None,
        }
    }
}
