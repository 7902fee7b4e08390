//! The queue of contenders in a directory.

mod by_token;
mod contender;
mod driver;
mod list;

use std::future::Future;
use std::time::Duration;

use etcd_client::v2::{Client, IntoKey, Key};

pub use self::contender::Contender;
use self::driver::{Mode, contend};
use crate::held::checked;
use crate::settings::{Settings, setters};
use crate::{Error, ErrorKind, HeldKey, Result, Token};

/// A fair queue in a directory: who comes first holds it, the others wait in the order in which they came.
///
/// Each contender makes a key of its own by a name that nobody else uses; their order is that of their created
/// indexes, which are also the fencing [tokens](Token). A waiter watches the key before its own and nothing else, so
/// that the end of one holding wakes one waiter. Only a list by quorum grants.
///
/// Cheap to clone; a clone shares the [`SkewProbe`](crate::SkewProbe). Made with a directory that etcd cannot hold, it
/// says so when it is used.
///
/// # Examples
/// ```
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_recipe::Error> {
/// use std::time::Duration;
/// use etcd_recipe::Queue;
///
/// let queue = Queue::new(&client, "/locks/mylock").ttl(Duration::from_secs(30)).value("worker-7");
/// let held = queue.acquire().await?;
/// held.check()?;
/// println!("holding by token {}", held.token());
/// held.release().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is asked for something"]
pub struct Queue {
    client: Client,
    directory: Result<Key, String>,
    settings: Settings,
    /// `None`: the contender's name.
    value: Option<String>,
    requeue: bool,
}

impl Queue {
    /// The queue in this directory. Nothing is sent; the first contender makes the directory.
    pub fn new(client: &Client, directory: impl IntoKey) -> Self {
        Self {
            client: client.clone(),
            directory: crate::key::checked(directory),
            settings: Settings::default(),
            value: None,
            requeue: true,
        }
    }

    setters!();

    /// The same in another directory, for recipes that make it of a name.
    pub fn directory(mut self, directory: impl IntoKey) -> Self {
        self.directory = crate::key::checked(directory);
        self
    }

    /// What the contender's key holds, for others to read: an owner, an address. By default the contender's own
    /// random name.
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Whether a contender that has lost its place while waiting queues up again, at the end; else it is
    /// [`ErrorKind::PlaceLost`]. On by default.
    pub fn requeue(mut self, requeue: bool) -> Self {
        self.requeue = requeue;
        self
    }

    /// Waits in the queue until it is held. Failures that may pass are waited out, but for those of the first request:
    /// they are repeated for as long as the ttl.
    ///
    /// The future may be spawned. It has to be polled: one that is not renews its place no more.
    ///
    /// # Errors
    /// Bad settings: [`ErrorKind::InvalidKey`], [`ErrorKind::InvalidTtl`], [`ErrorKind::InvalidValue`].
    /// [`ErrorKind::Client`] for a refusal, and where the key could not be made for as long as the ttl.
    /// [`ErrorKind::PlaceLost`] without [`requeue`](Self::requeue).
    ///
    /// # Cancel safety
    /// May be dropped at any time. Its key is deleted in the background, by one task for 14 s at most; outside a
    /// runtime its ttl ends it.
    pub fn acquire(&self) -> impl Future<Output = Result<HeldKey>> + Send + use<> {
        let queue = self.clone();
        async move {
            let held = contend(&queue, Mode::Wait).await?;
            // Only `Mode::Try` comes back without.
            held.ok_or_else(|| Error::new(ErrorKind::TimedOut))
        }
    }

    /// Queues up, and leaves at once if somebody else is first: then it is `None`.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), but that no failure is waited out for longer than the ttl.
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    pub fn try_acquire(&self) -> impl Future<Output = Result<Option<HeldKey>>> + Send + use<> {
        let queue = self.clone();
        async move { contend(&queue, Mode::Try).await }
    }

    /// Waits in the queue for so long at most, by the queue's clock.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`]; the key is deleted in the background, as by a drop. Else as
    /// [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    pub fn acquire_timeout(&self, time: Duration) -> impl Future<Output = Result<HeldKey>> + Send + use<> {
        let (acquire, clock) = (self.acquire(), std::sync::Arc::clone(&self.settings.clock));
        async move {
            let late = clock.sleep_until(clock.now() + time);
            tokio::select! {
                biased;
                acquired = acquire => acquired,
                () = late => Err(Error::new(ErrorKind::TimedOut)),
            }
        }
    }

    /// All contenders by quorum, the holder first. Empty where there are none. Failures that may pass are repeated for
    /// 15 s at most, and no longer than the ttl.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`], [`ErrorKind::InvalidTtl`], [`ErrorKind::Client`].
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn contenders(&self) -> impl Future<Output = Result<Vec<Contender>>> + Send + use<> {
        let queue = self.clone();
        async move { list::contenders(&queue).await }
    }

    /// The first of the [contenders](Self::contenders). That it holds is by what the servers know; whether it
    /// believes so itself only it can tell.
    ///
    /// # Errors
    /// As [`contenders`](Self::contenders).
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn holder(&self) -> impl Future<Output = Result<Option<Contender>>> + Send + use<> {
        let contenders = self.contenders();
        async move { Ok(contenders.await?.into_iter().next()) }
    }

    /// Lets the contender with this token live for `ttl` from now on, from any process; its own ttl and settings do
    /// not matter. For one that was [detached](HeldKey::detach).
    ///
    /// One that renews itself goes on with its own ttl. **A shorter ttl than it has** may end it before its own belief
    /// ends.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownToken`] if no contender has this token, and [`ErrorKind::Client`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn renew_by(&self, token: &Token, ttl: Duration) -> impl Future<Output = Result<()>> + Send + use<> {
        let (queue, token) = (self.clone(), token.clone());
        async move { by_token::renew(&queue, &token, ttl).await }
    }

    /// Deletes the key of the contender with this token, from any process. A newer holder is never touched.
    ///
    /// # Errors
    /// As [`renew_by`](Self::renew_by).
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn release_by(&self, token: &Token) -> impl Future<Output = Result<()>> + Send + use<> {
        let (queue, token) = (self.clone(), token.clone());
        async move { by_token::release(&queue, &token).await }
    }

    /// What the key of a contender with this name holds.
    fn value_of(&self, name: &str) -> Result<String> {
        checked(self.value.clone().unwrap_or_else(|| name.to_owned()))
    }
}

const _: () = {
    const fn shared<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<Queue>();
    shared::<Contender>();
};
