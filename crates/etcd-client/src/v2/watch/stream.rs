//! What the consumer of a watch polls.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use futures_util::future::BoxFuture;

use super::outbox::Outbox;
use super::{Position, WatchItem, WatchState};
use crate::Result;

/// A watch under way: every event once and in order, or a [`Resync`](WatchItem::Resync) that says that some are
/// lost. Made by [`Watch::start`](super::Watch::start).
///
/// It has no task of its own: it does what it does when it is polled. A consumer that is slow is not overrun: the
/// watch stops reading, keeps as many items as [`buffer`](super::Watch::buffer) says, and goes on by the history
/// of the server, which holds 1000 events of the whole store.
///
/// It ends only with an error that would come again at any member (unauthorized, another cluster, the v2 API is
/// off): that is the last item. Lost connections, dead members and elections are its own affair.
///
/// # Errors
/// The last item, see above. Besides: [`ErrorKind::EventIndexCleared`](crate::ErrorKind::EventIndexCleared) where
/// [`OnHistoryLost::Fail`](super::OnHistoryLost::Fail) was asked for, bad input, the last failure where
/// [`reconnect_for`](super::Watch::reconnect_for) sets an end, and
/// [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime) if it is first polled outside a tokio runtime.
///
/// # Cancel safety
/// Waiting for an item may be given up and taken up again at any time: no item is lost by it. Dropping the stream, on
/// any thread and without a runtime too, ends its polls and streams: over HTTP/1.1 their connections are closed, over
/// HTTP/2 their streams are reset and the connection goes on.
///
/// # Panics
/// If it is polled outside the context of a tokio runtime with timers, having been polled inside one before.
///
/// # Examples
/// ```
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
/// use futures_util::TryStreamExt;
///
/// let mut items = client.watch("/jobs").recursive(true).start();
/// while let Some(item) = items.try_next().await? {
///     println!("{item:?}; another watch can go on at {}", items.position());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a watch does nothing unless it is polled"]
pub struct WatchStream {
    driver: Option<BoxFuture<'static, ()>>,
    outbox: Outbox,
}

impl WatchStream {
    pub(super) fn new(driver: BoxFuture<'static, ()>, outbox: Outbox) -> Self {
        Self { driver: Some(driver), outbox }
    }

    /// Where it is, as of the last time that it was polled.
    #[must_use]
    pub fn state(&self) -> WatchState {
        self.outbox.state()
    }

    /// Where another watch can take up what this one has not delivered, see
    /// [`Watch::resume`](super::Watch::resume).
    ///
    /// It may be stored once the item before it is dealt with: the next watch begins behind that item.
    #[must_use]
    pub fn position(&self) -> Position {
        Position::new(self.outbox.undelivered(), self.outbox.cluster_id())
    }
}

impl Stream for WatchStream {
    type Item = Result<WatchItem>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            // Reading goes on while the consumer has not caught up: a stream that nobody reads is dropped.
            if self.outbox.has_room()
                && let Some(driver) = &mut self.driver
                && driver.as_mut().poll(cx).is_ready()
            {
                self.driver = None;
            }
            if let Some(item) = self.outbox.take() {
                return Poll::Ready(Some(item));
            }
            if self.driver.is_none() {
                return Poll::Ready(None);
            }
            if self.outbox.is_empty() {
                return Poll::Pending;
            }
        }
    }
}

impl fmt::Debug for WatchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchStream")
            .field("state", &self.state())
            .field("position", &self.position())
            .finish()
    }
}

const _: () = {
    const fn usable<T: Stream + Send + Unpin + fmt::Debug + 'static>() {}
    usable::<WatchStream>();
};
