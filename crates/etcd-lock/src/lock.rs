//! A fair lock.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::{Client, Key};
use etcd_recipe::Queue;

use crate::name::Name;
use crate::setters::setters;
use crate::{Clock, Contender, LockGuard, Result, Token};

/// A lock of a name, that one holder at a time has, in the order in which they came.
///
/// Each contender has a key of its own in the directory `/locks/NAME`; who made the first one holds the lock, and
/// each waiter watches the key before its own alone. See the [crate](crate) for what is promised.
///
/// It is a description, not a holding: cheap to clone, made without I/O, and used as often as wanted. **It is not
/// re-entrant**: a second [`acquire`](Self::acquire) waits for the first to end, also in the same process and by the
/// same [`owner`](Self::owner). To hold a lock in several places share its [`LockGuard`].
///
/// A name is a key path such as `nightly` or `jobs/nightly`. A bad one is told by whatever is awaited first, as
/// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey), before anything is sent.
///
/// # Examples
/// ```no_run
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_lock::Error> {
/// use std::time::Duration;
/// use etcd_lock::Lock;
///
/// let lock = Lock::new(&client, "mylock").ttl(Duration::from_secs(30)).owner("worker-7");
/// let guard = lock.acquire().await?;
/// guard.check()?;
/// guard.release().await?;
/// for contender in lock.contenders().await? {
///     println!("{} by {}", contender.token, contender.value);
/// }
/// # Ok(())
/// # }
/// ```
#[doc(alias = "mutex")]
#[derive(Clone, Debug)]
#[must_use = "a lock does nothing until it is asked for"]
pub struct Lock {
    name: Name,
    /// Of no directory yet: see `queue()`.
    queue: Queue,
}

impl Lock {
    /// The lock with this name. Nothing is sent.
    pub fn new(client: &Client, name: impl Into<String>) -> Self {
        Self { name: Name::new(name.into()), queue: Queue::new(client, Key::root()) }
    }

    setters!(queue);

    /// What others see as the holder: a host, a process, what it is doing. By default a random name. It says nothing
    /// of who holds: two contenders with the same owner are two.
    ///
    /// An empty one is [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue).
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.queue = self.queue.value(owner);
        self
    }

    /// The clock by which a holding ends; the [`SystemClock`](crate::SystemClock) by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.queue = self.queue.clock(clock);
        self
    }

    /// Whether a contender that has lost its place while waiting queues up again, at the end; else it is
    /// [`ErrorKind::PlaceLost`](crate::ErrorKind::PlaceLost). On by default.
    pub fn requeue(mut self, requeue: bool) -> Self {
        self.queue = self.queue.requeue(requeue);
        self
    }

    /// Renews by writing the owner again, for etcd before 2.3, which cannot renew silently. Off by default.
    pub fn renew_by_rewriting(mut self, rewrites: bool) -> Self {
        self.queue = self.queue.renew_by_rewriting(rewrites);
        self
    }

    /// Waits in line until the lock is held. Failures that may pass are waited out, but for those of the first
    /// request: that is repeated for as long as the ttl.
    ///
    /// Without anybody else it is two requests, and one for the release; the look at the servers' clocks adds up to
    /// two in each raft term.
    ///
    /// The future may be spawned. It has to be polled: one that is not renews its place in the queue no more.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) for the name,
    /// [`ErrorKind::InvalidTtl`](crate::ErrorKind::InvalidTtl),
    /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) for the owner: nothing was sent.
    /// [`ErrorKind::Client`](crate::ErrorKind::Client) for a refusal, and where no place in the queue was had for as
    /// long as the ttl. [`ErrorKind::PlaceLost`](crate::ErrorKind::PlaceLost) without [`requeue`](Self::requeue).
    ///
    /// # Cancel safety
    /// May be dropped at any time: the place in the queue is given up in the background, by one task for 14 s at most,
    /// and else by its ttl.
    #[doc(alias = "lock_acquire")]
    #[doc(alias = "etcd_lock")]
    pub fn acquire(&self) -> impl Future<Output = Result<LockGuard>> + Send + use<> {
        let queue = self.queue();
        async move { queue?.acquire().await.map(LockGuard::new) }
    }

    /// Takes the lock if nobody else has it or waits for it; else `None`, at once.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), but that no failure is waited out for longer than the ttl.
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    pub fn try_acquire(&self) -> impl Future<Output = Result<Option<LockGuard>>> + Send + use<> {
        let queue = self.queue();
        async move { Ok(queue?.try_acquire().await?.map(LockGuard::new)) }
    }

    /// Waits in line for so long at most, by the lock's clock.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut): the place in the queue is given up in the background. Else
    /// as [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    pub fn acquire_timeout(&self, time: Duration) -> impl Future<Output = Result<LockGuard>> + Send + use<> {
        let queue = self.queue();
        async move { queue?.acquire_timeout(time).await.map(LockGuard::new) }
    }

    /// Who holds the lock, as the servers know; `None` if nobody does. Whether the holder still believes so only
    /// itself can tell.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) for the name;
    /// [`ErrorKind::Client`](crate::ErrorKind::Client) if the queue could not be read.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    #[doc(alias = "lock_retrieve")]
    pub fn holder(&self) -> impl Future<Output = Result<Option<Contender>>> + Send + use<> {
        let queue = self.queue();
        async move { queue?.holder().await }
    }

    /// The holder and all who wait, in their order.
    ///
    /// # Errors
    /// As [`holder`](Self::holder).
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn contenders(&self) -> impl Future<Output = Result<Vec<Contender>>> + Send + use<> {
        let queue = self.queue();
        async move { queue?.contenders().await }
    }

    /// Has the holder, or waiter, with this token live for `ttl` from now on, from any process: for a holding that was
    /// [detached](LockGuard::detach). 1 s or more, fractions rounded up.
    ///
    /// A process that has a [`LockGuard`] has no need of it, and its guard's deadline is not moved by it.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownToken`](crate::ErrorKind::UnknownToken) if there is no such contender, or no more: the
    /// holding has ended. Else as [`holder`](Self::holder).
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "lock_renew")]
    pub fn renew_by(&self, token: &Token, ttl: Duration) -> impl Future<Output = Result<()>> + Send + use<> {
        let (queue, token) = (self.queue(), token.clone());
        async move { queue?.renew_by(&token, ttl).await }
    }

    /// Ends the holding, or the wait, with this token, from any process. A newer holder is never touched. A process
    /// that still believes in that holding hears of its end at its next renewal.
    ///
    /// # Errors
    /// As [`renew_by`](Self::renew_by).
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "lock_release")]
    #[doc(alias = "etcd_unlock")]
    pub fn release_by(&self, token: &Token) -> impl Future<Output = Result<()>> + Send + use<> {
        let (queue, token) = (self.queue(), token.clone());
        async move { queue?.release_by(&token).await }
    }

    /// The queue in the directory of this name.
    fn queue(&self) -> Result<Queue> {
        Ok(self.queue.clone().directory(self.name.key()?))
    }
}

const _: () = {
    const fn shared<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<Lock>();
};
