//! Leading.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use etcd_client::v2::Key;
use etcd_recipe::{HeldKey, Lost, State, Timestamp, Token};

use crate::Result;
use crate::reigns::Reign;

/// One who leads: by [`Election::campaign`](crate::Election::campaign), or by
/// [`TwoStep::campaign`](crate::TwoStep::campaign).
///
/// A task of its own renews it every third of the ttl. **Before each thing that only the leader may do ask
/// [`check`](Self::check)**, or give the work to [`run`](Self::run); and hand the [`token`](Self::token) along to
/// whatever the work changes, which alone can refuse a leader that was stopped in the middle.
///
/// # Its end
/// It leads for the ttl less a margin from when the last renewal that went well was **first sent**; at that time it is
/// over, whatever the network says, and stays so.
///
/// # After a loss
/// **Stop what only the leader may do, drop this value, and then campaign again.** The value stands for that work: while
/// a lost one is still there, the next campaign of its election is an error
/// ([`ErrorKind::NotStopped`](crate::ErrorKind::NotStopped)). [`Election::lead`](crate::Election::lead) does it in the
/// right order by itself.
///
/// # Drop
/// Dropped, it resigns in the background, as well as that goes, for 14 s at most; outside of a tokio runtime, and where
/// the one that it was made in has ended, the ttl ends it. [`resign`](Self::resign) says how it went.
#[must_use = "dropped at once it resigns at once"]
pub struct Leadership {
    held: HeldKey,
    /// Its place among those of its candidate; dropped with the rest.
    reign: Reign,
}

impl Leadership {
    pub(crate) fn new(held: HeldKey, reign: Reign) -> Self {
        Self { held, reign }
    }

    /// The fencing token: greater than that of every leader before.
    #[must_use]
    pub fn token(&self) -> &Token {
        self.held.token()
    }

    /// The key that it leads by.
    #[must_use]
    pub fn key(&self) -> &Key {
        self.held.key()
    }

    /// Whether it still leads, by the clock, now.
    ///
    /// Computed at the call and not looked up: a process that was stopped for longer than the ttl hears of it at its
    /// first call. What is done behind it is covered by the margin only.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`](crate::ErrorKind::Lost), with the reason in [`Error::loss`](crate::Error::loss).
    pub fn check(&self) -> Result<()> {
        Ok(self.held.check()?)
    }

    /// Until when it leads if it is not renewed, by its clock.
    #[must_use]
    pub fn valid_until(&self) -> Timestamp {
        self.held.valid_until()
    }

    /// How long it leads if it is not renewed; zero if it is lost.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.held.remaining()
    }

    /// What is known of it, by the clock, now.
    #[must_use]
    pub fn state(&self) -> State {
        self.held.state()
    }

    /// Ready when it leads no more: the seed's call on a loss. The future can be cloned, and awaited elsewhere, also
    /// when this value was dropped.
    pub fn lost(&self) -> Lost {
        self.held.lost()
    }

    /// Does work for as long as it leads: it is [checked](Self::check) whenever the work goes on, and on a loss the work
    /// is dropped where it stands.
    ///
    /// `Ok` is for: led from the first to the last moment of the work, by the clock.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`](crate::ErrorKind::Lost); some of the work may have been done.
    ///
    /// # Cancel safety
    /// As the work.
    ///
    /// # Examples
    /// ```
    /// # async fn publish(_: u64) {}
    /// # async fn example(leadership: etcd_leader::Leadership) -> Result<(), etcd_leader::Error> {
    /// let fence = leadership.token().index();
    /// match leadership.run(publish(fence)).await {
    ///     Ok(()) => leadership.resign().await?,
    ///     // The work was dropped; dropping the leadership says that it has stopped.
    ///     Err(error) if error.is_lost() => drop(leadership),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run<F: Future>(&self, work: F) -> Result<F::Output> {
        Ok(self.held.run(work).await?)
    }

    /// Renews now, besides the renewals that happen every third of the ttl. Failures that may pass are repeated until it
    /// is lost.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`](crate::ErrorKind::Lost); [`ErrorKind::Client`](crate::ErrorKind::Client) for a refusal that
    /// repeats would not change; [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime) if the runtime that it was made
    /// in has ended.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub async fn renew(&self) -> Result<()> {
        Ok(self.held.renew().await?)
    }

    /// Says something else as the leader: another value for all to see. The token stays, and it is renewed as well.
    ///
    /// Of a [`TwoStep`](crate::TwoStep) the value is a vote, and another text there is an error to all others: leave it
    /// alone.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) for an empty one; else as [`renew`](Self::renew).
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub async fn proclaim(&self, value: impl Into<String>) -> Result<()> {
        Ok(self.held.set_value(value).await?)
    }

    /// Leads no more, from the call on, whatever is answered. The candidate that waits longest is next. Stop what only the
    /// leader may do before.
    ///
    /// It takes 14 s at most, and never longer than until the key runs out by itself.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`](crate::ErrorKind::Lost) if it had been lost before: others may have led meanwhile.
    /// [`ErrorKind::Client`](crate::ErrorKind::Client) if the servers could not be asked, or not in time: the key is
    /// there until its ttl ends it.
    ///
    /// # Cancel safety
    /// After a drop it resigns in the background, as by [a drop](#drop).
    #[doc(alias = "delete_leader")]
    pub async fn resign(self) -> Result<()> {
        let Self { held, reign } = self;
        // Who resigns has stopped: the next campaign need not wait for the answer.
        drop(reign);
        Ok(held.release().await?)
    }

    /// Leaves the key alone: it is renewed no more and not deleted, and stands until its ttl ends it. Until then it shows
    /// this one as the leader, though nobody leads.
    #[must_use = "the token is all that is left of it"]
    pub fn detach(self) -> Token {
        self.held.detach()
    }
}

impl fmt::Debug for Leadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leadership")
            .field("key", self.key())
            .field("token", self.token())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

const _: () = {
    const fn shared<T: Send + Sync + fmt::Debug + 'static>() {}
    shared::<Leadership>();
};
