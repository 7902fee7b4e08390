//! A key of ours that is kept alive, and ends on time.

mod keeper;
mod lease;
mod lost;
mod single;
mod validity;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use etcd_client::v2::Key;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use self::keeper::{Command, Keeper};
pub(crate) use self::lease::{Lease, Step, pause};
pub use self::lost::Lost;
pub use self::single::SingleKey;
use self::validity::Validity;
use crate::cleaner::Leftover;
use crate::{Error, ErrorKind, LossReason, Result, State, Timestamp, Token};

/// A key that is ours: kept alive by a task of its own, until it is released, dropped, or lost.
///
/// It is the first key of a [`Queue`](crate::Queue), or a [`SingleKey`]. **Before each thing that needs it ask
/// [`check`](Self::check)**, or give the work to [`run`](Self::run); and hand the [`token`](Self::token) to whatever
/// it protects, which alone can keep off a holder that was stopped in the middle.
///
/// # Its end
/// It is valid for its ttl less a margin from when the last renewal that went well was **first sent**. At that time it
/// is lost, whatever the network says, and stays so.
///
/// # Drop
/// Dropped, it is given back in the background, as well as that goes: the task that renewed it deletes the key, for 14 s
/// at most. That task runs in the tokio runtime in which the key was acquired; where that has ended, or never comes to
/// it, the key ends by its ttl. Dropping it outside of any runtime is no error. [`release`](Self::release) says how it
/// went.
#[must_use = "dropped at once it is given back at once"]
pub struct HeldKey {
    key: Key,
    token: Token,
    validity: Validity,
    commands: mpsc::Sender<Command>,
}

impl HeldKey {
    /// Keeps a key alive from now on, in a task of the runtime that this runs in.
    pub(crate) fn start(lease: Lease, leftover: Leftover) -> Result<Self> {
        let Ok(runtime) = Handle::try_current() else { return Err(Error::new(ErrorKind::NoRuntime)) };
        let validity = Validity::new(lease.valid_until(), std::sync::Arc::clone(&lease.clock));
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let (key, token) = (lease.calls.key.clone(), lease.token());
        let keeper = Keeper { lease, validity: validity.clone(), commands: receiver, leftover };
        // It ends when the other end of the channel, which is here, is dropped.
        drop(runtime.spawn(keeper.run()));
        Ok(Self { key, token, validity, commands })
    }

    /// Gives back a key that was ours and is not wanted.
    pub(crate) async fn give_back(lease: Lease, leftover: Leftover) -> Result<()> {
        Self::start(lease, leftover)?.release().await
    }

    /// The fencing token: greater than that of every holder before.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Whether it is still held, by the clock, now.
    ///
    /// Computed at the call and not looked up: a process that was stopped for longer than the ttl hears of it at its
    /// first call. What is done behind it is covered by the margin only.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`], with the reason in [`Error::loss`].
    pub fn check(&self) -> Result<()> {
        self.validity.check()
    }

    /// Until when it is held if it is not renewed, by its clock.
    #[must_use]
    pub fn valid_until(&self) -> Timestamp {
        self.validity.valid_until()
    }

    /// How long it is held if it is not renewed; zero if it is lost.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        match self.state() {
            State::Held | State::Unsure { .. } => {
                self.valid_until().saturating_since(self.validity.clock().now())
            }
            State::Lost { .. } => Duration::ZERO,
        }
    }

    /// What is known of it, by the clock, now.
    #[must_use]
    pub fn state(&self) -> State {
        self.validity.state()
    }

    /// Ready when it is held no more. The future can be cloned, and awaited elsewhere.
    pub fn lost(&self) -> Lost {
        Lost::new(self.validity.clone())
    }

    /// Does work for as long as it is held: it is [checked](Self::check) whenever the work goes on, and on a loss the
    /// work is dropped where it stands.
    ///
    /// `Ok` is for: held from the first to the last moment of the work, by the clock.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]; some of the work may have been done.
    ///
    /// # Cancel safety
    /// As the work.
    pub async fn run<F: Future>(&self, work: F) -> Result<F::Output> {
        let (mut work, mut lost) = (pin!(work), self.lost());
        std::future::poll_fn(|cx| {
            // After a stop of the process all timers and wake-ups are due at once: the clock is asked first.
            self.check()?;
            if let Poll::Ready(reason) = std::pin::Pin::new(&mut lost).poll(cx) {
                return Poll::Ready(Err(Error::lost(reason)));
            }
            match work.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(self.check().map(|()| done)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Renews now, besides the renewals that happen every third of the ttl. Failures that may pass are repeated until it
    /// is lost.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]; [`ErrorKind::Client`] for a refusal that repeats would not change;
    /// [`ErrorKind::NoRuntime`] if the runtime that it was acquired in has ended.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub async fn renew(&self) -> Result<()> {
        self.ask(Command::Renew).await
    }

    /// Writes another value into the key, which renews it as well; its token stays. Failures that may pass are repeated
    /// until it is lost.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidValue`] for an empty one; else as [`renew`](Self::renew).
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub async fn set_value(&self, value: impl Into<String>) -> Result<()> {
        let value = checked(value.into())?;
        self.ask(|reply| Command::Write(value, reply)).await
    }

    /// Gives it back. It is held no more from the call on, whatever is answered.
    ///
    /// It takes 14 s at most, and never longer than until the key runs out by itself.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`] if it had been lost before: others may have held it meanwhile. [`ErrorKind::Client`] if the
    /// servers could not be asked, or not in time: the key is there until its ttl ends it.
    ///
    /// # Cancel safety
    /// After a drop it is given back in the background, as by [a drop](#drop).
    pub async fn release(self) -> Result<()> {
        self.check()?;
        if !self.validity.end(LossReason::Released) {
            return self.check();
        }
        self.tell(Command::Release).await
    }

    /// Leaves the key alone: it is renewed no more and not deleted, and lives until its ttl ends it. Other processes
    /// may renew or release it by the token that is returned.
    #[must_use = "the token is all that is left of it"]
    pub fn detach(self) -> Token {
        // The keeper sees the reason when `self` is dropped.
        self.validity.end(LossReason::Detached);
        self.token.clone()
    }

    async fn ask(&self, command: impl FnOnce(keeper::Reply) -> Command) -> Result<()> {
        self.check()?;
        self.tell(command).await
    }

    async fn tell(&self, command: impl FnOnce(keeper::Reply) -> Command) -> Result<()> {
        let ended = || Error::new(ErrorKind::NoRuntime);
        let (reply, answer) = oneshot::channel();
        // A command that comes back has the other end of `answer` in it: it has to go before that is awaited.
        self.commands.send(command(reply)).await.map_err(|_returned| ended())?;
        answer.await.map_err(|_closed| ended())?
    }
}

impl Drop for HeldKey {
    fn drop(&mut self) {
        // No effect on what is released, detached or lost. The keeper goes on from here when the channel closes.
        self.validity.end(LossReason::Released);
    }
}

impl fmt::Debug for HeldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldKey")
            .field("key", &self.key)
            .field("token", &self.token)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// A value that etcd can compare with.
pub(crate) fn checked(value: String) -> Result<String> {
    if value.is_empty() {
        return Err(Error::new(ErrorKind::InvalidValue).with_detail("it is empty"));
    }
    Ok(value)
}

/// How many callers wait in line for the keeper before the next waits for a place.
const COMMANDS: usize = 8;

const _: () = {
    const fn shared<T: Send + Sync + fmt::Debug + 'static>() {}
    shared::<HeldKey>();
    shared::<SingleKey>();
    const fn sent<T: Send + Clone + fmt::Debug + 'static>() {}
    sent::<Lost>();
};
