//! Whether it is still held: what the keeper of the key and all who ask share.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{Clock, Error, LossReason, State, Timestamp};

/// What is known, and the clock that it is judged by.
#[derive(Clone, Debug)]
pub(crate) struct Validity {
    known: Arc<watch::Sender<Known>>,
    clock: Arc<dyn Clock>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    valid_until: Timestamp,
    /// Whether the last renewal was answered well.
    is_sure: bool,
    /// Once it is set it stays.
    lost: Option<LossReason>,
}

impl Validity {
    pub(crate) fn new(valid_until: Timestamp, clock: Arc<dyn Clock>) -> Self {
        let known = Known { valid_until, is_sure: true, lost: None };
        Self { known: Arc::new(watch::Sender::new(known)), clock }
    }

    /// Computed from the clock, so that it is true also where no task had a chance to run: a process that was stopped
    /// hears of its loss at its first question.
    pub(crate) fn state(&self) -> State {
        let known = *self.known.borrow();
        match known {
            Known { lost: Some(reason), .. } => State::Lost { reason },
            Known { valid_until, .. } if self.clock.now() >= valid_until => {
                self.expire();
                // Somebody may have said something else a moment before.
                let reason = self.known.borrow().lost.unwrap_or(LossReason::Expired);
                State::Lost { reason }
            }
            Known { is_sure: true, .. } => State::Held,
            Known { valid_until, .. } => State::Unsure { until: valid_until },
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.state() {
            State::Held | State::Unsure { .. } => Ok(()),
            State::Lost { reason } => Err(Error::lost(reason)),
        }
    }

    pub(crate) fn valid_until(&self) -> Timestamp {
        self.known.borrow().valid_until
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// A renewal was answered well, **if it is not too late**: what has ended stays ended, whatever a late answer says.
    pub(crate) fn prolong(&self, until: Timestamp) {
        self.change(|known| {
            known.valid_until = until;
            known.is_sure = true;
        });
    }

    /// A renewal was not answered well.
    pub(crate) fn doubt(&self) {
        self.change(|known| known.is_sure = false);
    }

    /// It is over. The first reason counts; `false` if there was one.
    pub(crate) fn end(&self, reason: LossReason) -> bool {
        self.change(|known| known.lost = Some(reason))
    }

    fn expire(&self) {
        self.change(|_| {});
    }

    /// Changes what is known while it is held; where the time is up that is what becomes known.
    fn change(&self, change: impl FnOnce(&mut Known)) -> bool {
        let mut changed = false;
        self.known.send_if_modified(|known| {
            if known.lost.is_some() {
                return false;
            }
            // Asked within: between the question and the change no other may see it held.
            if self.clock.now() >= known.valid_until {
                known.lost = Some(LossReason::Expired);
            } else {
                change(known);
                changed = true;
            }
            true
        });
        changed
    }

    /// Waits until it is over.
    pub(crate) async fn ended(&self) -> LossReason {
        let mut changes = self.known.subscribe();
        loop {
            changes.mark_unchanged();
            if let State::Lost { reason } = self.state() {
                return reason;
            }
            let until = self.valid_until();
            tokio::select! {
                // The sender is in `self`, so there is always one.
                _ = changes.changed() => {}
                () = self.clock.sleep_until(until) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::TokioClock;

    fn validity() -> Validity {
        let clock = Arc::new(TokioClock::new());
        Validity::new(clock.now() + Duration::from_secs(10), clock)
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_renewal_does_not_bring_back_what_has_ended() {
        let validity = validity();
        tokio::time::sleep(Duration::from_secs(10)).await;
        validity.prolong(validity.clock().now() + Duration::from_secs(10));
        assert_eq!(validity.state(), State::Lost { reason: LossReason::Expired });
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_reason_stays() {
        let validity = validity();
        assert!(validity.end(LossReason::Released));
        assert!(!validity.end(LossReason::Gone));
        validity.doubt();
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(validity.state(), State::Lost { reason: LossReason::Released });
        assert_eq!(validity.ended().await, LossReason::Released);
    }

    #[tokio::test(start_paused = true)]
    async fn doubt_lasts_until_a_renewal_is_answered() {
        let validity = validity();
        let until = validity.valid_until();
        validity.doubt();
        assert_eq!(validity.state(), State::Unsure { until });
        validity.prolong(until + Duration::from_secs(5));
        assert_eq!(validity.state(), State::Held);
        assert_eq!(validity.ended().await, LossReason::Expired);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_question_behind_the_deadline_hears_of_it() {
        let validity = validity();
        tokio::time::advance(Duration::from_secs(10)).await;
        // No task of ours has run, as none runs in a process that is stopped.
        assert!(validity.check().is_err());
    }
}
