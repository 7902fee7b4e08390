//! The news of a loss.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::validity::Validity;
use crate::LossReason;

/// Ready when a key is held no more, with why. It can be cloned and awaited anywhere, also when what it is of was
/// dropped; made by [`HeldKey::lost`](super::HeldKey::lost).
///
/// A process that was stopped, or whose runtime is busy, hears of it late: before each thing that needs what is held
/// ask [`check`](super::HeldKey::check), or let [`run`](super::HeldKey::run) do it.
///
/// # Cancel safety
/// May be dropped at any time.
#[must_use = "futures do nothing unless polled"]
pub struct Lost {
    validity: Validity,
    /// `None` before it is polled.
    wait: Option<Pin<Box<dyn Future<Output = LossReason> + Send>>>,
}

impl Lost {
    pub(super) fn new(validity: Validity) -> Self {
        Self { validity, wait: None }
    }
}

impl Future for Lost {
    type Output = LossReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LossReason> {
        let validity = self.validity.clone();
        let wait = self.wait.get_or_insert_with(|| Box::pin(async move { validity.ended().await }));
        wait.as_mut().poll(cx)
    }
}

impl Clone for Lost {
    fn clone(&self) -> Self {
        Self::new(self.validity.clone())
    }
}

impl fmt::Debug for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lost").field("state", &self.validity.state()).finish()
    }
}
