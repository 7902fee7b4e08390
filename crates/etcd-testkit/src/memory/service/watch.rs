//! The events of a watch.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::memory::disconnect::Disconnected;
use crate::memory::engine::{Engine, Polled, timer};
use crate::memory::{WatchMode, WatcherId};

/// An open watch; it is closed on drop.
#[derive(Debug)]
pub(crate) struct Watch {
    engine: Arc<Engine>,
    /// The member, and how often it had been killed when the watch was opened.
    life: (usize, u64),
    watcher: WatcherId,
    mode: WatchMode,
    timer: Option<Pin<Box<Sleep>>>,
    is_ended: bool,
}

impl Watch {
    pub(crate) fn new(engine: Arc<Engine>, life: (usize, u64), watcher: WatcherId, mode: WatchMode) -> Self {
        Self { engine, life, watcher, mode, timer: None, is_ended: false }
    }

    /// Whether its last event was read, or its member was killed.
    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended
    }

    pub(crate) fn poll_event(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Disconnected>>> {
        loop {
            if self.is_ended {
                return Poll::Ready(None);
            }
            match self.engine.poll_watch(self.life, self.watcher, context) {
                Polled::Event(event) => {
                    self.is_ended = self.mode == WatchMode::Poll;
                    return Poll::Ready(Some(Ok(event)));
                }
                Polled::Cut => {
                    self.is_ended = true;
                    return Poll::Ready(Some(Err(Disconnected::RESET)));
                }
                Polled::Wait(None) => {
                    self.timer = None;
                    return Poll::Pending;
                }
                Polled::Wait(Some(next)) => {
                    if self.sleep_until(next, context).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn sleep_until(&mut self, next: Instant, context: &mut Context<'_>) -> Poll<()> {
        let next = timer(next);
        let timer = match &mut self.timer {
            Some(timer) => {
                if timer.deadline() != next {
                    timer.as_mut().reset(next);
                }
                timer
            }
            none => none.insert(Box::pin(sleep_until(next))),
        };
        timer.as_mut().poll(context)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.engine.close_watch(self.watcher);
    }
}
