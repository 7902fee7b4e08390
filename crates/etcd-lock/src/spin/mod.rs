//! A lock on a single key.

mod by_token;
mod holder;
mod wait;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::{Client, Key};
use etcd_recipe::SingleKey;

pub use self::holder::Holder;
use crate::name::Name;
use crate::setters::setters;
use crate::{Clock, ErrorKind, LockGuard, Result, SystemClock, Token};

/// A lock that is one key, `/locks/NAME`: who makes the key where there is none holds it.
///
/// For two or three contenders, and where other programs look at the key or take the same lock by
/// `PUT /v2/keys/locks/NAME?prevExist=false&ttl=…`. All who wait are woken by each release and try at once, and who is
/// first has it: there is no order. Guard, token and promises are those of [`Lock`](crate::Lock), as long as all others
/// make the key only where there is none, and delete only their own.
///
/// The key holds the [owner](Self::owner), a space, and 16 hexadecimal digits that no other holder has.
///
/// A name is the one or the other: where a [`Lock`](crate::Lock) has it, whose key is a directory, nothing but errors
/// come of it.
///
/// # Examples
/// ```no_run
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_lock::Error> {
/// use etcd_lock::Spin;
///
/// match Spin::new(&client, "nightly").owner("worker-7").try_acquire().await? {
///     Some(guard) => guard.release().await?,
///     None => println!("somebody else does it"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a lock does nothing until it is asked for"]
pub struct Spin {
    client: Client,
    name: Name,
    /// Of no key yet: see `at()`.
    single: SingleKey,
    owner: Option<String>,
    clock: Arc<dyn Clock>,
    rewrites: bool,
}

impl Spin {
    /// The lock with this name. Nothing is sent.
    pub fn new(client: &Client, name: impl Into<String>) -> Self {
        Self {
            client: client.clone(),
            name: Name::new(name.into()),
            single: SingleKey::new(client, Key::root()),
            owner: None,
            clock: Arc::new(SystemClock),
            rewrites: false,
        }
    }

    setters!(single);

    /// What the key shows as the holder. By default nothing but the random digits.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// The clock by which a holding ends; the [`SystemClock`] by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Arc::clone(&clock);
        self.single = self.single.clock(clock);
        self
    }

    /// Renews by writing the value again, for etcd before 2.3, which cannot renew silently. Off by default.
    pub fn renew_by_rewriting(mut self, rewrites: bool) -> Self {
        self.rewrites = rewrites;
        self.single = self.single.renew_by_rewriting(rewrites);
        self
    }

    /// Takes the lock if nobody has it; else `None`, at once: one request.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] for the name, [`ErrorKind::InvalidTtl`]: nothing was sent. [`ErrorKind::Client`] for a
    /// refusal, and for failures that last as long as the ttl.
    ///
    /// # Cancel safety
    /// May be dropped at any time: what was made is deleted in the background, by one task for 14 s at most, and else
    /// by its ttl.
    pub fn try_acquire(&self) -> impl Future<Output = Result<Option<LockGuard>>> + Send + use<> {
        let (single, value) = (self.at(), self.value());
        async move { Ok(single?.try_hold(value).await?.map(LockGuard::new)) }
    }

    /// Tries until the lock is held, whenever the key is gone.
    ///
    /// # Errors
    /// As [`try_acquire`](Self::try_acquire); [`ErrorKind::Client`] also if the key could not be read for a minute.
    ///
    /// # Cancel safety
    /// As [`try_acquire`](Self::try_acquire).
    pub fn acquire(&self) -> impl Future<Output = Result<LockGuard>> + Send + use<> {
        let spin = self.clone();
        async move {
            let key = spin.name.key()?;
            loop {
                if let Some(guard) = spin.try_acquire().await? {
                    return Ok(guard);
                }
                wait::until_gone(&spin.client, &key).await?;
            }
        }
    }

    /// Tries for so long at most, by the lock's clock.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`]. Else as [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    /// As [`try_acquire`](Self::try_acquire).
    pub fn acquire_timeout(&self, time: Duration) -> impl Future<Output = Result<LockGuard>> + Send + use<> {
        let (acquire, clock) = (self.acquire(), Arc::clone(&self.clock));
        async move {
            let late = clock.sleep_until(clock.now() + time);
            tokio::select! {
                biased;
                acquired = acquire => acquired,
                () = late => Err(ErrorKind::TimedOut.into()),
            }
        }
    }

    /// Who holds the lock, by quorum; `None` if nobody does.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] for the name, and where its key is a directory; [`ErrorKind::Client`] if the key could
    /// not be read.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    #[doc(alias = "lock_retrieve")]
    pub fn holder(&self) -> impl Future<Output = Result<Option<Holder>>> + Send + use<> {
        let spin = self.clone();
        async move { holder::read(&spin.client, &spin.name.key()?).await }
    }

    /// Has the holding with this token live for `ttl` from now on, from any process.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownToken`] if it has ended. Else as [`holder`](Self::holder).
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "lock_renew")]
    pub fn renew_by(&self, token: &Token, ttl: Duration) -> impl Future<Output = Result<()>> + Send + use<> {
        let (spin, token) = (self.clone(), token.clone());
        async move { by_token::renew(&spin, &token, ttl).await }
    }

    /// Ends the holding with this token, from any process. A newer holder is never touched.
    ///
    /// # Errors
    /// As [`renew_by`](Self::renew_by).
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "lock_release")]
    pub fn release_by(&self, token: &Token) -> impl Future<Output = Result<()>> + Send + use<> {
        let (spin, token) = (self.clone(), token.clone());
        async move { by_token::release(&spin, &token).await }
    }

    /// The key of this name.
    fn at(&self) -> Result<SingleKey> {
        Ok(self.single.clone().at(self.name.key()?))
    }

    /// What the key is to hold: unlike anybody else's, so that it is known for ours where an answer was lost.
    fn value(&self) -> String {
        let unique = fastrand::u64(..);
        match &self.owner {
            Some(owner) => format!("{owner} {unique:016x}"),
            None => format!("{unique:016x}"),
        }
    }
}

const _: () = {
    const fn shared<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<Spin>();
    shared::<Holder>();
};
