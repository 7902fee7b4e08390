//! A lock that is held.

use std::future::Future;
use std::time::Duration;

use etcd_client::v2::Key;
use etcd_recipe::HeldKey;

use crate::{Lost, Result, State, Timestamp, Token};

/// A lock that is held: renewed by a task of its own until it is released, dropped, or lost.
///
/// **A lock can be lost at any time**: the network is cut, the process is stopped, a clock jumps. So before each thing
/// that needs the lock ask [`check`](Self::check), or give the work to [`run`](Self::run); and hand the
/// [`token`](Self::token) to whatever the lock protects, since nothing on this side can keep a process from being
/// stopped between a check and what follows.
///
/// # Sharing
/// The lock is not re-entrant. What is to be done under the same holding, in other tasks or deeper down, is given the
/// guard by reference or in an [`Arc`](std::sync::Arc): all but [`release`](Self::release) and
/// [`detach`](Self::detach) take `&self`. The last one out releases it:
/// ```no_run
/// # async fn example(lock: etcd_lock::Lock) -> Result<(), etcd_lock::Error> {
/// use std::sync::Arc;
///
/// let guard = Arc::new(lock.acquire().await?);
/// let shared = Arc::clone(&guard);
/// let deeper = tokio::spawn(async move { shared.check() });
/// // ...
/// # drop(deeper);
/// if let Some(guard) = Arc::into_inner(guard) {
///     guard.release().await?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Drop
/// A guard that is dropped is released in the background, **as well as that goes**: its task deletes the key, for 14 s
/// at most, if the tokio runtime that it was acquired in lives that long. Otherwise the key ends by its ttl. Dropping
/// it outside of any runtime is no error. Only [`release`](Self::release) says how it went.
#[derive(Debug)]
#[must_use = "dropped at once it is released at once"]
pub struct LockGuard(HeldKey);

impl LockGuard {
    pub(crate) fn new(held: HeldKey) -> Self {
        Self(held)
    }

    /// The fencing token: greater than that of every holder before.
    #[must_use]
    pub fn token(&self) -> &Token {
        self.0.token()
    }

    /// The key that says that the lock is held.
    #[must_use]
    pub fn key(&self) -> &Key {
        self.0.key()
    }

    /// Whether the lock is still held, computed from the clock at this call: a process that was stopped for longer
    /// than the ttl hears of it at its first call.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`](crate::ErrorKind::Lost), with the reason in [`Error::loss`](crate::Error::loss).
    pub fn check(&self) -> Result<()> {
        self.0.check()
    }

    /// Until when it is held if it is not renewed, by the lock's clock: a margin before others can have it.
    #[must_use]
    pub fn valid_until(&self) -> Timestamp {
        self.0.valid_until()
    }

    /// How long it is held if it is not renewed; zero if it is lost.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.remaining()
    }

    /// What is known of it now, by the clock.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.state()
    }

    /// Ready when the lock is held no more, with why. The future can be cloned, and awaited elsewhere.
    #[doc(alias = "expired")]
    pub fn lost(&self) -> Lost {
        self.0.lost()
    }

    /// Does work for as long as the lock is held: on a loss the work is dropped where it stands.
    ///
    /// The clock is asked whenever the work goes on. `Ok` says that the lock was held from the first to the last moment
    /// of the work.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`](crate::ErrorKind::Lost); some of the work may have been done.
    ///
    /// # Cancel safety
    /// As the work.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(guard: etcd_lock::LockGuard) -> Result<(), etcd_lock::Error> {
    /// let report = guard.run(async { "the work" }).await?;
    /// println!("{report}");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run<F: Future>(&self, work: F) -> Result<F::Output> {
        self.0.run(work).await
    }

    /// Renews now, besides the renewals every third of the ttl. Failures that may pass are repeated until it is lost.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`](crate::ErrorKind::Lost); [`ErrorKind::Client`](crate::ErrorKind::Client) for a refusal that
    /// repeats would not change; [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime) if the runtime that it was
    /// acquired in has ended.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub async fn renew(&self) -> Result<()> {
        self.0.renew().await
    }

    /// Gives the lock back. It is held no more from the call on, whatever is answered. Takes 14 s at most.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`](crate::ErrorKind::Lost) if it had been lost before: others may have held it meanwhile.
    /// [`ErrorKind::Client`](crate::ErrorKind::Client) if the servers could not be asked, or not in time: the key ends
    /// by its ttl.
    ///
    /// # Cancel safety
    /// After a drop it is released in the background, as by [a drop](#drop) of the guard.
    pub async fn release(self) -> Result<()> {
        self.0.release().await
    }

    /// Leaves the lock held without a holder: it is renewed no more and not released, and ends by its ttl. With the
    /// token any process can [renew](crate::Lock::renew_by) or [release](crate::Lock::release_by) it.
    #[must_use = "the token is all that is left of it"]
    pub fn detach(self) -> Token {
        self.0.detach()
    }
}

const _: () = {
    const fn shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<LockGuard>();
};
