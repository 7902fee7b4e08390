//! The body of an answer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::watch::Watch;
use crate::memory::disconnect::Disconnected;

/// The body of an answer: whole, or events as they come.
///
/// Dropping that of a watch closes the watch. It fails with [`Disconnected`] where a fault says so, and when the
/// member is killed.
#[derive(Debug)]
#[must_use = "dropping the body of a watch closes it"]
pub struct Body {
    source: Source,
    shape: Shape,
    /// Whether an error was its end.
    is_failed: bool,
}

#[derive(Debug)]
enum Source {
    Whole(Option<Bytes>),
    Watch(Watch),
}

/// What becomes of a body on its way.
#[derive(Debug)]
pub(crate) enum Shape {
    Plain,
    /// It ends with an error after so many bytes.
    Cut {
        left: usize,
        how: Disconnected,
        yields: u8,
    },
    /// Nothing comes after so many bytes, and it does not end.
    Stall {
        left: usize,
        death: Death,
    },
    /// It comes in pieces.
    Dribble {
        bytes: usize,
        every: Duration,
        rest: Bytes,
        pause: Option<Pin<Box<Sleep>>>,
        death: Death,
    },
}

type Polled = Poll<Option<Result<Bytes, Disconnected>>>;

impl Shape {
    /// The next bytes of what is left of the source.
    fn poll(&mut self, source: &mut Source, context: &mut Context<'_>) -> Polled {
        match self {
            Self::Plain => source.poll_bytes(context),
            Self::Cut { left: 0, how, yields } => {
                // A server writes out what it has when a body pends, and drops it when a body fails.
                if *yields < 2 {
                    *yields += 1;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Some(Err(*how)))
            }
            Self::Cut { .. } => self.poll_part(source, context),
            Self::Stall { left, death } => {
                if death.0.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Some(Err(Disconnected::RESET)));
                }
                if *left == 0 { Poll::Pending } else { self.poll_part(source, context) }
            }
            Self::Dribble { bytes, every, rest, pause, death } => {
                let is_whole = rest.is_empty() && source.is_ended();
                if !is_whole && death.0.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Some(Err(Disconnected::RESET)));
                }
                if rest.is_empty() {
                    match ready!(source.poll_bytes(context)) {
                        Some(Ok(bytes)) => *rest = bytes,
                        end => return Poll::Ready(end),
                    }
                }
                let timer = pause.get_or_insert_with(|| Box::pin(sleep(*every)));
                ready!(timer.as_mut().poll(context));
                *pause = None;
                Poll::Ready(Some(Ok(rest.split_to(rest.len().min(*bytes)))))
            }
        }
    }

    /// As much of the source as may still pass.
    fn poll_part(&mut self, source: &mut Source, context: &mut Context<'_>) -> Polled {
        let mut bytes = ready!(source.poll_bytes(context));
        if let (Self::Cut { left, .. } | Self::Stall { left, .. }, Some(Ok(bytes))) = (&mut *self, &mut bytes)
        {
            let is_whole = bytes.len() <= *left;
            bytes.truncate(*left);
            *left -= bytes.len();
            if is_whole && source.is_ended() {
                // The answer to a poll that is not longer.
                *self = Self::Plain;
            }
        }
        Poll::Ready(bytes)
    }
}

/// Ready when the member that answers is killed. A whole body does not hear of it by itself.
pub(crate) struct Death(Pin<Box<dyn Future<Output = ()> + Send + Sync>>);

impl Body {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::plain(Source::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }

    pub(crate) fn watch(watch: Watch) -> Self {
        Self::plain(Source::Watch(watch))
    }

    fn plain(source: Source) -> Self {
        Self { source, shape: Shape::Plain, is_failed: false }
    }

    /// Whether it is that of a watch.
    pub(crate) fn is_watch(&self) -> bool {
        matches!(self.source, Source::Watch(_))
    }

    /// The same content, as a fault shows it.
    pub(crate) fn shaped(mut self, shape: Shape) -> Self {
        let is_shorter = |left: usize| match &self.source {
            Source::Whole(bytes) => bytes.as_ref().map_or(0, Bytes::len) <= left && left > 0,
            Source::Watch(_) => false,
        };
        let is_whole = match &shape {
            Shape::Cut { left, .. } => is_shorter(*left),
            Shape::Stall { left, .. } => is_shorter(*left) || matches!(self.source, Source::Whole(None)),
            Shape::Plain | Shape::Dribble { .. } => false,
        };
        if !is_whole {
            self.shape = shape;
        }
        self
    }

    /// Whether the connection is to be reset after a head that has no body. A server does not poll what it
    /// need not send, so it would not hear of it.
    pub(crate) fn is_reset_without_content(&self) -> bool {
        let is_reset = matches!(self.shape, Shape::Cut { left: 0, how, .. } if how.is_reset());
        is_reset && matches!(self.source, Source::Whole(None))
    }
}

impl Source {
    /// Whether nothing comes any more.
    fn is_ended(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Watch(watch) => watch.is_ended(),
        }
    }

    fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Disconnected>>> {
        match self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(Ok)),
            Self::Watch(watch) => watch.poll_event(context),
        }
    }
}

impl Shape {
    pub(crate) fn cut(after: usize, how: Disconnected) -> Self {
        Self::Cut { left: after, how, yields: 0 }
    }

    pub(crate) fn stall(after: usize, death: Pin<Box<dyn Future<Output = ()> + Send + Sync>>) -> Self {
        Self::Stall { left: after, death: Death(death) }
    }

    pub(crate) fn dribble(
        bytes: usize,
        every: Duration,
        death: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    ) -> Self {
        let death = Death(death);
        Self::Dribble { bytes: bytes.max(1), every, rest: Bytes::new(), pause: None, death }
    }
}

impl fmt::Debug for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Death").finish_non_exhaustive()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Disconnected;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Disconnected>>> {
        let body = self.get_mut();
        if body.is_failed {
            return Poll::Ready(None);
        }
        let bytes = ready!(body.shape.poll(&mut body.source, context));
        body.is_failed = matches!(bytes, Some(Err(_)));
        Poll::Ready(bytes.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match (&self.source, &self.shape) {
            _ if self.is_failed => true,
            (Source::Whole(None), Shape::Plain) => true,
            (Source::Whole(None), Shape::Dribble { rest, .. }) => rest.is_empty(),
            (Source::Whole(_) | Source::Watch(_), _) => false,
        }
    }

    /// What a head would promise: a body that will be cut is not shorter by it.
    fn size_hint(&self) -> SizeHint {
        let rest = match &self.shape {
            Shape::Dribble { rest, .. } => rest.len(),
            Shape::Plain | Shape::Cut { .. } | Shape::Stall { .. } => 0,
        };
        match &self.source {
            Source::Whole(bytes) => {
                SizeHint::with_exact((bytes.as_ref().map_or(0, Bytes::len) + rest) as u64)
            }
            Source::Watch(_) => SizeHint::default(),
        }
    }
}
