//! The task that keeps a held key alive.

use std::ops::ControlFlow;

use etcd_client::Outcome;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::lease::{Lease, Step, pause};
use super::validity::Validity;
use crate::cleaner::{Leftover, PATIENCE};
use crate::protocol::{AfterRelease, ReleaseAnswer, after_release, after_release_read};
use crate::{Error, ErrorKind, LossReason, State};

/// What the keeper is asked for.
#[derive(Debug)]
pub(super) enum Command {
    /// Renew now.
    Renew(Reply),
    /// Write another value.
    Write(String, Reply),
    /// Give the key back. It is marked as given back already.
    Release(Reply),
}

/// Whom to tell the end of a command. Closed by one who does not wait any more.
pub(super) type Reply = oneshot::Sender<Result<(), Error>>;

/// Owns the key: all requests about it are made here, one after the other.
///
/// It ends when it has given the key back, or when nobody has the other end of `commands` any more; then it gives the
/// key back, for 14 s at most.
pub(super) struct Keeper {
    pub(super) lease: Lease,
    pub(super) validity: Validity,
    pub(super) commands: mpsc::Receiver<Command>,
    /// What a late copy of the creation would leave.
    pub(super) leftover: Leftover,
}

/// What was done when nobody asked for anything.
enum Progress {
    /// A step of the renewal.
    Stepped(Step),
    /// A look at the clocks of the servers; it may have shown that there is less time.
    Looked,
}

impl Keeper {
    pub(super) async fn run(mut self) {
        loop {
            let held = self.validity.state().is_held();
            let validity = self.validity.clone();
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => if self.obey(command).await.is_break() { return },
                    None => return self.let_go(None).await,
                },
                // What has ended is renewed no more; who asks for something is told.
                _reason = validity.ended(), if held => {}
                progress = Self::next(&mut self.lease), if held => match progress {
                    Progress::Stepped(step) => self.publish(&step),
                    Progress::Looked => self.validity.prolong(self.lease.valid_until()),
                },
            }
        }
    }

    /// The next step, when it is due; before it a look at the clocks where there is a new leader.
    async fn next(lease: &mut Lease) -> Progress {
        if lease.wants_look() {
            lease.look_at_skew(lease.term).await;
            return Progress::Looked;
        }
        Progress::Stepped(Self::attempt(lease, None).await)
    }

    fn publish(&self, step: &Step) {
        match step {
            Step::Renewed => self.validity.prolong(self.lease.valid_until()),
            // Somebody else has changed the key: nothing speaks against the next renewal.
            Step::Pending(None) => {}
            Step::Pending(Some(_)) => self.validity.doubt(),
            Step::Lost(reason) => {
                if self.validity.end(*reason) {
                    tracing::warn!(key = %self.lease.calls.key, %reason, "held no more");
                }
            }
        }
    }

    async fn obey(&mut self, command: Command) -> ControlFlow<()> {
        match command {
            Command::Renew(reply) => self.renew(None, reply).await,
            Command::Write(value, reply) => self.renew(Some(&value), reply).await,
            Command::Release(reply) => {
                self.let_go(Some(reply)).await;
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// Renews until it has gone well, the key is lost, or nobody waits for it any more.
    async fn renew(&mut self, value: Option<&str>, mut reply: Reply) {
        let validity = self.validity.clone();
        self.lease.hurry();
        self.lease.unanswered = false;
        let renewed = loop {
            let step = tokio::select! {
                biased;
                reason = validity.ended() => break Err(Error::lost(reason)),
                () = reply.closed() => return,
                step = Self::attempt(&mut self.lease, value) => step,
            };
            self.publish(&step);
            match step {
                Step::Renewed => break validity.check(),
                Step::Pending(Some(error)) if !crate::key_calls::may_pass(&error) => {
                    break Err(Error::from(error));
                }
                Step::Pending(_) => {}
                Step::Lost(reason) => break Err(Error::lost(reason)),
            }
        };
        // What came last says nothing of an earlier copy of the value.
        let is_open = self.lease.unanswered;
        let renewed =
            renewed.map_err(|error| if is_open { error.with_outcome(Outcome::Unknown) } else { error });
        // Nobody may be there to hear it.
        drop(reply.send(renewed));
    }

    /// One step when it is due, unless it is too late for any.
    async fn attempt(lease: &mut Lease, value: Option<&str>) -> Step {
        lease.clock.sleep_until(lease.due()).await;
        if !lease.is_valid() {
            return Step::Lost(LossReason::Expired);
        }
        match value {
            Some(value) => lease.write(value).await,
            None => lease.step().await,
        }
    }

    /// The last that is done: gives the key back, if it is not lost or left to its ttl, and tells how that went.
    async fn let_go(&mut self, reply: Option<Reply>) {
        let all = async {
            let released = match self.validity.state() {
                State::Lost { reason: LossReason::Released } => self.release_in_time().await,
                State::Lost { reason } => Err(Error::lost(reason)),
                State::Held | State::Unsure { .. } => Ok(()),
            };
            let is_left_alone = released.as_ref().is_err_and(|error| {
                matches!(error.loss(), Some(LossReason::Detached | LossReason::ClusterChanged))
            });
            if let Err(error) = &released {
                tracing::debug!(key = %self.lease.calls.key, %error, "not given back");
            }
            if let Some(reply) = reply {
                drop(reply.send(released));
            }
            // Also behind a loss: a late copy of the creation makes the key anew, and nobody renews it.
            if self.lease.uncertain && !is_left_alone {
                self.leftover.expect_late();
                self.leftover.clean().await;
            }
        };
        // Behind it the ttl ends what is left.
        let _elapsed = timeout(PATIENCE, all).await;
        self.leftover.disarm();
    }

    /// Releases, until it is too late: what is behind the deadline is the server's to end.
    async fn release_in_time(&mut self) -> Result<(), Error> {
        let clock = std::sync::Arc::clone(&self.lease.clock);
        let late = clock.sleep_until(self.lease.valid_until());
        let mut last = None;
        tokio::select! {
            biased;
            () = late => {}
            released = timeout(PATIENCE - LAST_WORD, release(&mut self.lease, &mut last)) => {
                if let Ok(released) = released {
                    return released;
                }
            }
        }
        let unknown = Error::new(ErrorKind::Client).with_detail("not given back in time, its ttl ends it");
        Err(unknown.with_outcome(Outcome::Unknown).with_source(last))
    }
}

/// Deletes the key, until it is known what became of it.
async fn release(lease: &mut Lease, last: &mut Option<etcd_client::Error>) -> Result<(), Error> {
    let mut again = false;
    for failures in 0.. {
        sleep(pause(failures)).await;
        let reply = lease.calls.release(&lease.place, again).await;
        if reply.is_cluster_changed() {
            return Err(Error::lost(LossReason::ClusterChanged));
        }
        let answer = reply.answer;
        again |= answer == ReleaseAnswer::Unknown;
        *last = reply.into_permanent().map_err(|error| refused(error, again))?.error;
        let next = match after_release(answer, &lease.place) {
            AfterRelease::Read => {
                let reply = lease.calls.read(&lease.value).await;
                let own = reply.answer;
                *last = reply.into_permanent().map_err(|error| refused(error, again))?.error;
                after_release_read(own, &lease.place)
            }
            next => next,
        };
        match next {
            AfterRelease::Released => return Ok(()),
            AfterRelease::Again(place) => lease.place = place,
            AfterRelease::Read => {}
            AfterRelease::Lost(loss) => return Err(Error::lost(loss.into())),
        }
    }
    Ok(())
}

/// A refusal that ends it; of an earlier copy without an answer it says nothing.
fn refused(error: etcd_client::Error, again: bool) -> Error {
    let error = Error::from(error);
    if again { error.with_outcome(Outcome::Unknown) } else { error }
}

/// What is left to tell the caller that the time is up.
const LAST_WORD: std::time::Duration = std::time::Duration::from_millis(100);
