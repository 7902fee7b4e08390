//! A watch that ends by itself.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::Stream;

use super::{WatchItem, WatchStream};
use crate::Result;

/// A watch that ends behind the item for which its predicate is true, which it yields too. Made by
/// [`Watch::until`](super::Watch::until).
///
/// # Cancel safety
/// As [`WatchStream`].
#[must_use = "a watch does nothing unless it is polled"]
pub struct WatchUntil<P> {
    /// `None` when it has ended.
    stream: Option<WatchStream>,
    predicate: P,
}

impl<P> WatchUntil<P> {
    pub(super) fn new(stream: WatchStream, predicate: P) -> Self {
        Self { stream: Some(stream), predicate }
    }
}

impl<P> Stream for WatchUntil<P>
where
    P: FnMut(&WatchItem) -> bool + Unpin,
{
    type Item = Result<WatchItem>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        let item = ready!(Pin::new(stream).poll_next(cx));
        let ends = match &item {
            Some(Ok(item)) => (self.predicate)(item),
            Some(Err(_)) | None => true,
        };
        if ends {
            self.stream = None;
        }
        Poll::Ready(item)
    }
}

impl<P> fmt::Debug for WatchUntil<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchUntil").field("stream", &self.stream).finish_non_exhaustive()
    }
}
