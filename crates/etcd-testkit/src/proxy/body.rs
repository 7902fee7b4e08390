//! Bodies on their way through.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use super::ending::{Broken, Ending};
use super::journal::Record;

/// Reads a body to its end and keeps nothing; whether it came in whole.
pub(super) async fn drain(mut body: Incoming) -> bool {
    loop {
        match std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            Some(Ok(_)) => {}
            Some(Err(_)) => return false,
            None => return true,
        }
    }
}

/// A request's body on its way to the server, counted.
#[derive(Debug)]
pub(super) struct Upload {
    body: Incoming,
    record: Record,
}

impl Upload {
    pub(super) fn new(body: Incoming, record: Record) -> Self {
        Self { body, record }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            let count = frame.data_ref().map_or(0, |data| data.len() as u64);
            self.record.note(|entry| entry.body_bytes += count);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body on its way to the client, with what befalls it.
#[derive(Debug)]
pub(super) struct Download {
    source: Source,
    ending: Arc<Ending>,
    /// Bytes that may still pass, and whether a reset follows.
    cut: Option<(usize, bool)>,
    /// Where the byte is, counted from the next one.
    flip: Option<usize>,
    dribble: Option<Dribble>,
    /// What is left of a frame that was too long.
    rest: Bytes,
    /// The end was decided, when there had been so many flushes.
    broken: Option<u64>,
}

#[derive(Debug)]
enum Source {
    Server(Incoming),
    Page(Option<Bytes>),
}

#[derive(Debug)]
struct Dribble {
    bytes: usize,
    every: Duration,
    pause: Option<Pin<Box<Sleep>>>,
}

// === impl Download ===

impl Download {
    pub(super) fn from_server(body: Incoming, ending: Arc<Ending>) -> Self {
        Self::new(Source::Server(body), ending)
    }

    pub(super) fn page(body: Bytes, ending: Arc<Ending>) -> Self {
        Self::new(Source::Page(Some(body)), ending)
    }

    fn new(source: Source, ending: Arc<Ending>) -> Self {
        Self { source, ending, cut: None, flip: None, dribble: None, rest: Bytes::new(), broken: None }
    }

    pub(super) fn cut(mut self, after: usize, is_reset: bool) -> Self {
        self.cut = Some((after, is_reset));
        self
    }

    pub(super) fn flip(mut self, offset: usize) -> Self {
        self.flip = Some(offset);
        self
    }

    pub(super) fn dribble(mut self, bytes: usize, every: Duration) -> Self {
        self.dribble = Some(Dribble { bytes: bytes.max(1), every, pause: None });
        self
    }

    /// The next bytes, as they come.
    fn poll_source(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.rest))));
        }
        loop {
            let frame = match &mut self.source {
                Source::Server(body) => ready!(Pin::new(body).poll_frame(context)),
                Source::Page(page) => return Poll::Ready(page.take().map(Ok)),
            };
            match frame {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Poll::Ready(Some(Ok(data))),
                    // Trailers are not passed on.
                    Err(_) => {}
                },
                Some(Err(_)) => return Poll::Ready(Some(Err(Broken))),
                None => return Poll::Ready(None),
            }
        }
    }

    /// Ends the connection when all that came before is on its way.
    fn poll_broken(&mut self, context: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let since = *self.broken.get_or_insert_with(|| self.ending.flushes());
        ready!(self.ending.poll_flushed_since(since, context));
        if self.cut.is_some_and(|(_, is_reset)| is_reset) {
            self.ending.reset();
        }
        Poll::Ready(Some(Err(Broken)))
    }

    /// At most so many of these bytes; the others come next.
    fn split(&mut self, data: &mut Bytes, most: usize) {
        if data.len() > most {
            self.rest = data.split_off(most);
        }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        let is_cut = matches!(this.cut, Some((0, _))) && !this.is_end_stream();
        if this.broken.is_some() || is_cut {
            return this.poll_broken(context);
        }
        if let Some(pause) = this.dribble.as_mut().and_then(|dribble| dribble.pause.as_mut()) {
            ready!(pause.as_mut().poll(context));
        }
        let mut data = match ready!(this.poll_source(context)) {
            Some(Ok(data)) => data,
            Some(Err(Broken)) => return this.poll_broken(context),
            None => return Poll::Ready(None),
        };
        if let Some(Dribble { bytes, every, pause }) = &mut this.dribble {
            if pause.take().is_none() {
                *pause = Some(Box::pin(sleep(*every)));
                this.rest = data;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let most = *bytes;
            this.split(&mut data, most);
        }
        if let Some((left, is_reset)) = this.cut {
            // The rest is never sent. That it is there says that the body is not at its end.
            this.split(&mut data, left);
            this.cut = Some((left - data.len(), is_reset));
        }
        if let Some(offset) = this.flip.take() {
            match offset.checked_sub(data.len()) {
                Some(offset) => this.flip = Some(offset),
                None => data = inverted(&data, offset),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
            && self.broken.is_none()
            && match &self.source {
                Source::Server(body) => body.is_end_stream(),
                Source::Page(page) => page.is_none(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Server(body) => body.size_hint(),
            Source::Page(page) => SizeHint::with_exact(page.as_ref().map_or(0, |page| page.len() as u64)),
        }
    }
}

/// The same bytes, all bits of one of them inverted.
fn inverted(data: &Bytes, offset: usize) -> Bytes {
    let mut data = data.to_vec();
    if let Some(byte) = data.get_mut(offset) {
        *byte = !*byte;
    }
    data.into()
}
