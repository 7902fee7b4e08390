//! Reading what is stored, and going on from there without a hole.

use std::future::poll_fn;
use std::time::Duration;

use tokio::time::sleep;

use super::source::{Stored, StreamFeed};
use super::{Driver, Step};
use crate::v2::{OnHistoryLost, ResyncCause, WatchItem};
use crate::{Error, ErrorKind, Result};

impl Driver {
    /// Begins with what is stored now: as an item, or silently where only what happens from now on is wanted.
    pub(super) async fn start(&mut self) -> Result<Step> {
        if self.plan.one_event && !self.source.has_late_heads() {
            let (opened_at, poll) = self.source.poll_from_now_on().await?;
            self.want(opened_at.next());
            return Ok(Step::Idle(Some(poll)));
        }
        let (stored, stream) = self.read_under_stream().await?;
        self.want(stored.index.next());
        if self.plan.snapshot {
            self.put_resync(stored, ResyncCause::Started).await;
        }
        Ok(stream.map_or(Step::Idle(None), |stream| Step::Live(Box::new(stream), None)))
    }

    /// Events are lost, or so it seems: tells so with what is stored now.
    pub(super) async fn resync(&mut self, cause: ResyncCause) -> Result<Step> {
        self.due = Some(cause);
        let (stored, stream) = self.read_under_stream().await?;
        self.due = None;
        let lost = self.lost.take();
        let next = stored.index.next();
        if self.was_quiet(&stored, cause) {
            self.want(next);
        } else if self.plan.on_history_lost == OnHistoryLost::Fail {
            let error = lost.unwrap_or_else(|| {
                let error =
                    Error::new(ErrorKind::EventIndexCleared).with_call("watch", Some(&self.scope.key));
                error.with_source(cause.to_string())
            });
            return Ok(Step::End(error));
        } else {
            self.want(next);
            self.put_resync(stored, cause).await;
        }
        self.backoff.reset();
        let Some(stream) = stream else { return Ok(Step::Idle(None)) };
        // In a store that takes more than 1000 writes while a stream is silent for a moment, a poll that is opened
        // then finds N gone: that would be a resync over nothing, and another one behind that, without end.
        let beside = self.source.elsewhere().poll(self.next);
        Ok(Step::Live(Box::new(stream), Some(beside)))
    }

    /// Whether nothing can have happened to a single key since N: it is there, and its last write was before.
    fn was_quiet(&self, stored: &Stored, cause: ResyncCause) -> bool {
        let written = stored.node.as_ref().map(|node| node.modified_index);
        cause == ResyncCause::HistoryCleared
            && !self.scope.recursive
            && written.is_some_and(|written| written < self.next)
    }

    async fn put_resync(&mut self, stored: Stored, cause: ResyncCause) {
        let Stored { node: snapshot, index } = stored;
        self.outbox.put(WatchItem::Resync { snapshot, index, cause }).await;
    }

    /// Opens a stream, then reads by quorum until what is read is not older than the stream: so the stream is
    /// complete from the read on, and there is no gap to fill.
    async fn read_under_stream(&mut self) -> Result<(Stored, Option<StreamFeed>)> {
        if self.plan.polls_only || self.plan.one_event || self.source.has_late_heads() {
            return Ok((self.read_once().await?, None));
        }
        let mut stream = self.source.stream().await?;
        if !self.may_join() {
            let mut stored = self.read_once().await?;
            if self.next.is_none() && !self.plan.snapshot {
                // The head may have come with the first event, which is one "from now on".
                stored.index = stored.index.min(stream.opened_at);
            }
            return Ok((stored, None));
        }
        for _ in 0..READS {
            let stored = {
                let mut read = Box::pin(self.read_once());
                poll_fn(|cx| {
                    // Whatever its end: it shows again when the stream is asked for its next event.
                    let _ = stream.poll_ahead(cx);
                    read.as_mut().poll(cx)
                })
                .await?
            };
            if stored.index >= stream.opened_at {
                return Ok((stored, Some(stream)));
            }
            // The read was answered by a member that lags: another one.
            self.source.turn();
            sleep(BETWEEN_READS).await;
        }
        Err(Error::new(ErrorKind::ClusterUnavailable))
    }

    async fn read_once(&self) -> Result<Stored> {
        let stored = self.source.read().await?;
        if stored.index.is_none() {
            // Without an index there is nowhere to go on from.
            return Err(Error::new(ErrorKind::NotEtcd).with_call("watch", Some(&self.scope.key)));
        }
        Ok(stored)
    }
}

const READS: u32 = 8;
const BETWEEN_READS: Duration = Duration::from_millis(20);
