//! The state machine of a watch.
//!
//! The poll is the net, the stream the accelerator. A long poll at the next wanted index N is exact, but brings
//! one event per request: at 5,000 writes a second it falls out of the history and loses most of them. A stream
//! keeps up with any rate, but tells nobody when the server drops it (its buffer holds 100 events), and opened
//! with an index in the past it sends one event and then nothing for ever. So a stream is only ever opened
//! without an index, and whenever it is silent a poll at N beside it says whether it is still there.
//!
//! ```text
//! Start ─────────────> Live     snapshot, or "from now": stream, then quorum read
//!   └─ from an index ─> Idle
//! Idle ──4 answers within 100 ms──> Joining ──gap filled──> Live
//! Joining, Live ──1 s of silence──> Idle
//! Live ──the poll sees what the stream does not bring──> Joining
//! any ──cut, reset, timeout──> Idle, on the next member
//! any ──history cleared, index went back──> Resync ──> Live
//! ```

mod hope;
mod idle;
mod join;
mod live;
mod pace;
mod resync;
mod source;
mod walk;

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use etcd_proto::v2::{Index, KeysEvent};

use self::pace::Backoff;
pub(super) use self::source::Source;
use self::source::{PollFuture, StreamFeed};
use super::filter::Scope;
use super::outbox::Outbox;
use super::{OnHistoryLost, ResyncCause, WatchState};
use crate::{Error, ErrorKind, Result};

/// What drives one watch.
pub(super) struct Driver {
    source: Source,
    scope: Scope,
    plan: Plan,
    outbox: Outbox,
    /// N, the next wanted index: all before it is delivered or filtered out.
    next: Index,
    backoff: Backoff,
    /// The server's word that the history no longer has N.
    lost: Option<Error>,
    /// What a resync that is not done yet is for.
    due: Option<ResyncCause>,
}

/// What the caller has said.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Where it begins; `None` for "from now".
    pub(super) from: Option<Index>,
    /// Whether the first item is a snapshot.
    pub(super) snapshot: bool,
    pub(super) on_history_lost: OnHistoryLost,
    /// Never a stream, and no limit for the head of a poll.
    pub(super) polls_only: bool,
    /// How long it goes on without an answer; `None` for ever.
    pub(super) reconnect_for: Option<Duration>,
    /// Whether one event is wanted and no more: then "from now on" is what the head of the first poll says.
    pub(super) one_event: bool,
}

/// What is done next, with what is open already.
enum Step {
    /// Reads the present state first.
    Start,
    /// Waits at N by one poll, which may be open already.
    Idle(Option<PollFuture>),
    /// Opens a stream and fills the gap between N and it.
    Join,
    /// Takes events from a stream that is complete from N on, with a poll at N beside it or not.
    Live(Box<StreamFeed>, Option<PollFuture>),
    /// Reads the present state, since events are lost.
    Resync(ResyncCause),
    /// Nothing more: events are lost, and the caller wants the error for that.
    End(Error),
}

impl Driver {
    pub(super) fn new(source: Source, scope: Scope, plan: Plan, outbox: Outbox) -> Self {
        let next = plan.from.unwrap_or_default();
        let backoff = Backoff::new(plan.reconnect_for);
        Self { source, scope, plan, outbox, next, backoff, lost: None, due: None }
    }

    /// Runs until an error that no other member would cure.
    pub(super) async fn run(mut self) {
        let outbox = self.outbox.clone();
        let Err(error) = self.drive().await;
        outbox.end(error);
    }

    async fn drive(&mut self) -> Result<Infallible> {
        let mut step = match (self.plan.from, self.plan.snapshot) {
            (Some(_), false) => Step::Idle(None),
            _ => Step::Start,
        };
        loop {
            self.outbox.set_state(step.state());
            let done = match step {
                Step::Start => self.start().await,
                Step::Idle(poll) => self.idle(poll).await,
                Step::Join => self.join().await,
                Step::Live(stream, poll) => self.live(*stream, poll).await,
                Step::Resync(cause) => self.resync(cause).await,
                Step::End(error) => return Err(error),
            };
            step = match done {
                Ok(step) => step,
                Err(error) => self.recover(error).await?,
            };
        }
    }

    /// What to do about a failure; the failure itself if nothing helps.
    async fn recover(&mut self, error: Error) -> Result<Step> {
        if error.is_event_index_cleared() {
            self.outbox.answered();
            if self.plan.on_history_lost == OnHistoryLost::Fail && self.scope.recursive {
                return Err(error);
            }
            // A single key may be as it was: that is looked at first, whatever the caller wants otherwise.
            self.lost = Some(error);
            return Ok(Step::Resync(ResyncCause::HistoryCleared));
        }
        if (error.is_attempt_timeout() || error.is_deadline()) && self.source.finds_late_heads().await {
            // Nothing is lost to that: it is asked once more, by a poll that may wait.
            return Ok(self.again());
        }
        self.backoff.last_answer(self.outbox.answered_at());
        if self.backoff.is_hopeless(&error) {
            return Err(error);
        }
        self.outbox.cut_off();
        self.source.turn();
        self.backoff.pause().await;
        Ok(self.again())
    }

    /// What is to be done again behind a failure.
    fn again(&self) -> Step {
        match self.due {
            // Where a store went back, later polls might no longer show it.
            Some(cause) => Step::Resync(cause),
            // Without an index there is nothing to go on from.
            None if self.next.is_none() => Step::Start,
            None => Step::Idle(None),
        }
    }

    /// Moves N behind an event and delivers it, if it is one to deliver; `false` for one that was seen before.
    async fn deliver(&mut self, event: KeysEvent) -> bool {
        let index = event.index();
        if index < self.next {
            return false;
        }
        self.backoff.reset();
        self.want(index.next());
        if let Some(item) = self.scope.item(event) {
            self.outbox.put(item).await;
        }
        true
    }

    fn want(&mut self, next: Index) {
        self.next = next;
        self.outbox.want(next);
    }

    /// Whether a stream may be joined at all: not where the caller forbids it, nor on a server before 2.0, which
    /// sends no cluster id, keeps one event for a slow reader (0.4), and may hold heads back (0.3).
    fn may_join(&self) -> bool {
        !self.plan.polls_only && !self.plan.one_event && self.outbox.cluster_id().is_some()
    }
}

impl Step {
    fn state(&self) -> WatchState {
        match self {
            Self::Start => WatchState::Starting,
            Self::Idle(_) => WatchState::Idle,
            Self::Join => WatchState::Joining,
            Self::Live(..) => WatchState::Live,
            Self::Resync(_) => WatchState::Resyncing,
            Self::End(_) => WatchState::Ended,
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("scope", &self.scope).field("next", &self.next).finish_non_exhaustive()
    }
}

/// The error for an answer of another cluster.
fn cluster_changed(known: Option<&str>, seen: Option<&str>) -> Error {
    let (known, seen) = (known.unwrap_or("none"), seen.unwrap_or("none"));
    Error::new(ErrorKind::ClusterChanged).with_source(format!("cluster {seen} answers in place of {known}"))
}
