//! Reading what happened between two indexes out of the history.

use std::task::{Context, Poll};

use etcd_proto::v2::{Index, KeysEvent};

use super::source::{PollFuture, Polled, Source};
use crate::{Error, ErrorKind, Result};

/// Reads a gap in several ranges at once: one poll gives one event, so that one walker alone would fall behind.
///
/// It holds what it has found until all is found: some 1000 events, since the history has no more. A walker that
/// has more, from a server unlike etcd, goes no further.
pub(super) struct Walk {
    source: Source,
    walkers: Vec<Walker>,
}

/// Reads one range.
struct Walker {
    /// The next index that is not looked at.
    at: Index,
    /// The first index that is not its own.
    end: Index,
    found: Vec<KeysEvent>,
    /// `None` when the range is done.
    poll: Option<PollFuture>,
    /// Polls in a row that ended without an event.
    empty: u32,
}

impl Walk {
    /// Reads all from `from` up to `to`, both inclusive.
    pub(super) fn new(source: &Source, from: Index, to: Index) -> Self {
        let (from, end) = (from.get(), to.next().get());
        let gap = end.saturating_sub(from);
        let count = if gap > NARROW { WALKERS } else { 1 };
        // Divided first: an index is what the server says, and a product could be too large.
        let bound =
            |number: u64| Index::from(if number == count { end } else { from + gap / count * number });
        let walkers =
            (0..count).map(|number| Walker::new(source, bound(number), bound(number + 1))).collect();
        Self { source: source.clone(), walkers }
    }

    /// Goes on wherever it can; ready when all ranges are done.
    ///
    /// # Errors
    /// Of any of its polls, such as that the history no longer has an index.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let mut done = true;
        for walker in &mut self.walkers {
            match walker.poll(&self.source, cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => done = false,
            }
        }
        if done { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Whether there is more than can be held.
    pub(super) fn is_full(&self) -> bool {
        self.walkers.iter().any(Walker::is_full)
    }

    /// How many events are found.
    pub(super) fn found(&self) -> usize {
        self.walkers.iter().map(|walker| walker.found.len()).sum()
    }

    /// All that was found without a hole, in order; and the first walker that is not done, by its index and poll.
    pub(super) fn into_found(self) -> (Vec<KeysEvent>, Option<(Index, PollFuture)>) {
        let mut found = Vec::new();
        for walker in self.walkers {
            found.extend(walker.found);
            if let Some(poll) = walker.poll {
                return (found, Some((walker.at, poll)));
            }
        }
        (found, None)
    }
}

impl Walker {
    fn new(source: &Source, from: Index, end: Index) -> Self {
        let poll = (from < end).then(|| source.poll(from));
        Self { at: from, end, found: Vec::new(), poll, empty: 0 }
    }

    fn is_full(&self) -> bool {
        self.poll.is_some() && self.found.len() >= FULL
    }

    fn poll(&mut self, source: &Source, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while let Some(poll) = &mut self.poll {
            if self.found.len() >= FULL {
                // Whoever drives this sees it, and stops.
                return Poll::Pending;
            }
            let polled = match poll.as_mut().poll(cx) {
                Poll::Ready(polled) => polled?,
                Poll::Pending => return Poll::Pending,
            };
            match polled {
                Polled::Event { event, .. } if event.index() < self.end => {
                    self.at = event.index().next();
                    self.empty = 0;
                    self.found.push(event);
                    self.poll = (self.at < self.end).then(|| source.poll(self.at));
                }
                // The first match lies behind the range: the range has no more.
                Polled::Event { .. } => self.poll = None,
                Polled::Behind(rest) => self.poll = Some(rest),
                Polled::Empty => {
                    self.empty += 1;
                    if self.empty > EMPTY {
                        return Poll::Ready(Err(Error::new(ErrorKind::BodyInterrupted)));
                    }
                    self.poll = Some(source.elsewhere().poll(self.at));
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// A gap up to so many indexes is read by one walker.
const NARROW: u64 = 64;
const WALKERS: u64 = 8;
/// Events that one walker holds.
const FULL: usize = 1_024;
/// Polls that may end without an event before that counts as a failure.
const EMPTY: u32 = 3;
