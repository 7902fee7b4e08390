//! One long poll at the next index.

use tokio::time::{Instant, sleep};

use super::pace::{Burst, renewal};
use super::source::{PollFuture, Polled};
use super::{Driver, Step};
use crate::v2::ResyncCause;
use crate::{Error, ErrorKind, Result};

impl Driver {
    /// Waits at N by one poll, renewed at the next member before anything on the way forgets the connection: so a
    /// peer that is dead or cut off is left within that time too.
    pub(super) async fn idle(&mut self, kept: Option<PollFuture>) -> Result<Step> {
        let mut poll = kept.unwrap_or_else(|| self.source.poll(self.next));
        let mut burst = Burst::default();
        let mut renew = Box::pin(sleep(renewal()));
        loop {
            let polled = tokio::select! {
                // What has come counts, though the time for a renewal has come too.
                biased;
                polled = &mut poll => polled?,
                () = &mut renew => {
                    // Nothing is lost in between: the next one waits at the same index.
                    self.source.turn();
                    poll = self.source.poll(self.next);
                    renew = Box::pin(sleep(renewal()));
                    continue;
                }
            };
            match polled {
                Polled::Event { event, past } => {
                    self.deliver(event).await;
                    if burst.answered(Instant::now(), past) && self.may_join() {
                        return Ok(Step::Join);
                    }
                    poll = self.source.poll(self.next);
                    renew = Box::pin(sleep(renewal()));
                }
                // As of a server that is stopped: another one, at the same index.
                Polled::Empty => return Err(Error::new(ErrorKind::BodyInterrupted)),
                Polled::Behind(rest) => {
                    if self.has_gone_back().await? {
                        return Ok(Step::Resync(ResyncCause::IndexWentBack));
                    }
                    poll = rest;
                }
            }
        }
    }

    /// Whether the store has an index behind which N cannot be: then it was restored. Else it is the one member
    /// that lags.
    pub(super) async fn has_gone_back(&mut self) -> Result<bool> {
        let stored = self.source.read().await?;
        Ok(!stored.index.is_none() && stored.index.next() < self.next)
    }
}
