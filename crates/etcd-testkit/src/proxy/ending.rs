//! How a connection to a client ends, and whether all was written before.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// How the connection to a client ends, as those who work on it have agreed.
#[derive(Debug, Default)]
pub(super) struct Ending {
    is_reset: AtomicBool,
    flushes: AtomicU64,
    waits_for_flush: Mutex<Option<Waker>>,
}

/// The connection ends here, because a fault wants it or because the server's has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken;

/// hyper's side of a connection. It tells when all that hyper has had to write is on its way: an error of a body
/// makes hyper drop what it still holds, and what was to be sent before a cut would be lost.
#[derive(Debug)]
pub(super) struct FarEnd {
    stream: DuplexStream,
    ending: Arc<Ending>,
}

// === impl Ending ===

impl Ending {
    /// From now on the connection will be reset where it would have been closed.
    pub(super) fn reset(&self) -> Broken {
        self.is_reset.store(true, Ordering::Release);
        Broken
    }

    pub(super) fn is_reset(&self) -> bool {
        self.is_reset.load(Ordering::Acquire)
    }

    pub(super) fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Acquire)
    }

    /// Ready when all was flushed since there were so many flushes.
    pub(super) fn poll_flushed_since(&self, flushes: u64, context: &Context<'_>) -> Poll<()> {
        *self.waits_for_flush.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        if self.flushes() > flushes { Poll::Ready(()) } else { Poll::Pending }
    }

    fn flushed(&self) {
        self.flushes.fetch_add(1, Ordering::AcqRel);
        if let Some(waker) = self.waits_for_flush.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waker.wake();
        }
    }
}

// === impl Broken ===

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the proxy ends the connection here")
    }
}

impl std::error::Error for Broken {}

// === impl FarEnd ===

impl FarEnd {
    pub(super) fn new(stream: DuplexStream, ending: Arc<Ending>) -> Self {
        Self { stream, ending }
    }
}

impl AsyncRead for FarEnd {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for FarEnd {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        self.ending.flushed();
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
