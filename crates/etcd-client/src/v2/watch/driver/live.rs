//! Events from a stream, and a look beside it where it is silent.

use std::time::Duration;

use etcd_proto::v2::KeysEvent;
use tokio::time::Instant;

use super::pace::Gaps;
use super::source::{Beside, PollFuture, Polled, StreamFeed, until};
use super::{Driver, Step};
use crate::{Error, ErrorKind, Result};

/// What is open beside the stream.
#[derive(Default)]
struct Net {
    /// A poll at N at another member.
    poll: Option<PollFuture>,
    /// What it has seen and the stream has not brought yet, and when that is proof that the stream is gone.
    missing: Option<(KeysEvent, Instant)>,
    /// It failed: not again before the next event.
    failed: bool,
}

/// How often a time has come late since the last event.
#[derive(Default)]
struct Excused(u32);

/// What happened first.
enum Happened {
    Streamed(Option<Result<KeysEvent>>),
    Polled(Result<Polled>),
    Missed,
    Suspicious,
    Silent,
}

impl Driver {
    /// Delivers what the stream brings. Where it is silent for longer than its pace explains, a poll at N is opened
    /// beside it; if that sees an event which the stream does not bring, the stream was dropped.
    pub(super) async fn live(&mut self, mut stream: StreamFeed, poll: Option<PollFuture>) -> Result<Step> {
        let (mut gaps, mut net) = (Gaps::new(), Net { poll, ..Net::default() });
        let mut excused = Excused::default();
        loop {
            let suspicious = net.is_wanted().then(|| gaps.suspicious_at());
            let missed = net.missing.as_ref().map(|(_, until)| *until);
            let happened = tokio::select! {
                biased;
                event = stream.next() => Happened::Streamed(event),
                polled = Beside(&mut net.poll) => Happened::Polled(polled),
                () = until(missed) => Happened::Missed,
                () = until(suspicious) => Happened::Suspicious,
                () = until(Some(gaps.over_at())) => Happened::Silent,
            };
            match happened {
                Happened::Streamed(Some(Ok(event))) => {
                    gaps.event(Instant::now());
                    self.deliver(event).await;
                    gaps.skip_to(Instant::now());
                    net = Net::default();
                    excused = Excused::default();
                }
                Happened::Streamed(Some(Err(error))) => return Err(error),
                Happened::Streamed(None) => return Err(Error::new(ErrorKind::BodyInterrupted)),
                Happened::Polled(polled) => self.looked(polled, &mut net)?,
                // The consumer was away: what the stream has brought meanwhile is still on its way through here.
                Happened::Missed if excused.is_late(missed) => net.look_again(),
                Happened::Suspicious if excused.is_late(suspicious) => gaps.skip_to(Instant::now()),
                Happened::Silent if excused.is_late(Some(gaps.over_at())) => gaps.skip_to(Instant::now()),
                Happened::Missed => {
                    if let Some((event, _)) = net.missing.take() {
                        self.deliver(event).await;
                    }
                    // It may have been dropped, or its member is cut off from the others: not that one again.
                    self.source.turn();
                    return Ok(Step::Join);
                }
                Happened::Suspicious => net.poll = Some(self.source.elsewhere().poll(self.next)),
                // Nobody needs a stream for what does not happen: the poll alone is one connection.
                Happened::Silent if net.missing.is_none() => return Ok(Step::Idle(net.poll)),
                Happened::Silent => gaps.skip_to(Instant::now()),
            }
        }
    }

    /// What the poll beside the stream has seen.
    fn looked(&mut self, polled: Result<Polled>, net: &mut Net) -> Result<()> {
        match polled {
            Ok(Polled::Event { event, .. }) if self.scope.item(event.clone()).is_none() => {
                // The stream never brings what is not to be delivered; all before it is proved empty.
                if event.index() >= self.next {
                    self.want(event.index().next());
                }
                net.poll = Some(self.source.elsewhere().poll(self.next));
            }
            Ok(Polled::Event { event, .. }) => net.missing = Some((event, Instant::now() + GRACE)),
            Ok(Polled::Behind(rest)) => net.poll = Some(rest),
            // The history has moved past N, and nothing shows that the stream was there all the time.
            Err(error) if error.is_event_index_cleared() => return Err(error),
            Err(error) if error.is_cluster_changed() => return Err(error),
            Ok(Polled::Empty) | Err(_) => net.failed = true,
        }
        Ok(())
    }
}

impl Net {
    fn is_wanted(&self) -> bool {
        self.poll.is_none() && self.missing.is_none() && !self.failed
    }

    /// Gives the stream its time once more.
    fn look_again(&mut self) {
        if let Some((_, until)) = &mut self.missing {
            *until = Instant::now() + GRACE;
        }
    }
}

impl Excused {
    /// Whether a time is noticed long after it came: then nobody has polled the watch, and silence says nothing of
    /// the server. Not for ever, though: a consumer that always comes late would wait without end for a stream that
    /// was dropped.
    fn is_late(&mut self, due: Option<Instant>) -> bool {
        let late = due.is_some_and(|due| due.elapsed() > LATE);
        self.0 += u32::from(late);
        late && self.0 <= EXCUSES
    }
}

/// How long a stream may take to bring what a poll has brought.
const GRACE: Duration = Duration::from_millis(100);
/// More than a timer is late by itself.
const LATE: Duration = Duration::from_millis(50);
/// How often a time may come late. One absence of the consumer can make two of them so.
const EXCUSES: u32 = 4;
