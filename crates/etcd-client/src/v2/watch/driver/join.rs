//! From polls to a stream, without a hole between them.

use std::future::poll_fn;
use std::task::Poll;

use tokio::time::{Instant, sleep_until};

use super::pace::QUIET;
use super::walk::Walk;
use super::{Driver, Step};
use crate::Result;
use crate::v2::ResyncCause;

impl Driver {
    /// Opens a stream, which is complete behind the index S of its head, and reads what is between N and S out of
    /// the history. Nothing of the stream is delivered before that.
    pub(super) async fn join(&mut self) -> Result<Step> {
        let mut stream = self.source.stream().await?;
        if stream.opened_at < self.next {
            if stream.opened_at.next() < self.next && self.has_gone_back().await? {
                return Ok(Step::Resync(ResyncCause::IndexWentBack));
            }
            return Ok(Step::Live(Box::new(stream), None));
        }
        let mut walk = Walk::new(&self.source, self.next, stream.opened_at);
        let mut seen = 0;
        let mut over = Box::pin(sleep_until(Instant::now() + QUIET));
        let filled = poll_fn(|cx| {
            // An event on the stream has every poll that waits in the gap answer, so both are read.
            let _ = stream.poll_ahead(cx);
            if let Poll::Ready(walked) = walk.poll(cx) {
                return Poll::Ready(walked.map(|()| true));
            }
            if walk.is_full() {
                return Poll::Ready(Ok(false));
            }
            let now_seen = walk.found() + stream.ahead();
            if now_seen > seen {
                seen = now_seen;
                over.as_mut().reset(Instant::now() + QUIET);
            }
            over.as_mut().poll(cx).map(|()| Ok(false))
        })
        .await?;
        let opened_at = stream.opened_at;
        let (found, waiting) = walk.into_found();
        for event in found {
            self.deliver(event).await;
        }
        match waiting {
            // Silent for long, or more than can be held: all before the index of the first poll that still waits
            // is found.
            Some((at, poll)) if !filled => {
                if at > self.next {
                    self.want(at);
                }
                Ok(Step::Idle((at == self.next).then_some(poll)))
            }
            Some(_) | None => {
                if opened_at >= self.next {
                    self.want(opened_at.next());
                }
                Ok(Step::Live(Box::new(stream), None))
            }
        }
    }
}
