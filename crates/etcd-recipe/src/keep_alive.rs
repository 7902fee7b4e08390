//! A key that says that somebody is there.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::{Client, IntoKey, Key};

use crate::{Clock, Error, ErrorKind, HeldKey, Lost, Result, SingleKey, State, Token};

/// A key that is kept alive for as long as this value lives: the registration of a service.
///
/// Others read it, and see it go when the process ends, at the latest after its ttl.
///
/// # Who was there before
/// A process that was killed leaves its key for the rest of the ttl. Its next incarnation, under the same key, is told
/// [`ErrorKind::KeyExists`] until then, since the key might as well be that of another process that lives. With
/// [`replace`](Registration::replace) it deletes what is there, and makes the key anew: for a moment there is none, and
/// whoever renewed it hears that it was [replaced](crate::LossReason::Replaced).
///
/// Where the answer to the creation is lost, a key with the same value is taken for one's own.
///
/// # Drop
/// The key is deleted in the background, as by [`HeldKey`]. A registration that is dropped before it is answered may
/// leave its key for the ttl.
///
/// # Examples
/// ```
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_recipe::Error> {
/// use std::time::Duration;
/// use etcd_recipe::KeepAlive;
///
/// let ttl = Duration::from_secs(10);
/// let here = KeepAlive::register(&client, "/services/web/1", "10.0.0.7:80", ttl).await?;
/// here.check()?;
/// here.deregister().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropped at once it is deregistered at once"]
pub struct KeepAlive(HeldKey);

impl KeepAlive {
    /// Registers: awaited it makes the key, and keeps it alive from then on.
    pub fn register(
        client: &Client,
        key: impl IntoKey,
        value: impl Into<String>,
        ttl: Duration,
    ) -> Registration {
        // The next incarnation writes the same value: what holds it must not be cleaned up behind its back.
        let single = SingleKey::new(client, key).ttl(ttl).without_skew_probe().values_may_repeat();
        Registration { single, value: value.into(), replace: false }
    }

    /// Whether the key is there, by the clock, now: see [`HeldKey::check`].
    ///
    /// # Errors
    /// [`ErrorKind::Lost`].
    pub fn check(&self) -> Result<()> {
        self.0.check()
    }

    /// Ready when the key is kept no more. Register again then.
    pub fn lost(&self) -> Lost {
        self.0.lost()
    }

    /// What is known of it, by the clock, now.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.state()
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        self.0.key()
    }

    /// The token: greater than that of every registration before, under any key.
    #[must_use]
    pub fn token(&self) -> &Token {
        self.0.token()
    }

    /// Writes another value, which renews as well.
    ///
    /// # Errors
    /// As [`HeldKey::set_value`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub async fn set_value(&self, value: impl Into<String>) -> Result<()> {
        self.0.set_value(value).await
    }

    /// Deletes the key.
    ///
    /// # Errors
    /// As [`HeldKey::release`].
    ///
    /// # Cancel safety
    /// After a drop it is deleted in the background.
    pub async fn deregister(self) -> Result<()> {
        self.0.release().await
    }
}

/// A registration in the making, see [`KeepAlive::register`]; it is sent when it is awaited.
#[derive(Clone, Debug)]
#[must_use = "a registration does nothing unless it is awaited"]
pub struct Registration {
    single: SingleKey,
    value: String,
    replace: bool,
}

impl Registration {
    /// Deletes a key that is there, whoever made it, and makes it anew. Off by default: then it is
    /// [`ErrorKind::KeyExists`].
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// The clock by which the registration ends; the [`SystemClock`](crate::SystemClock) by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.single = self.single.clock(clock);
        self
    }

    /// Renews by writing the value again, for etcd before 2.3; see [`SingleKey::renew_by_rewriting`].
    pub fn renew_by_rewriting(mut self, rewrites: bool) -> Self {
        self.single = self.single.renew_by_rewriting(rewrites);
        self
    }

    async fn send(self) -> Result<KeepAlive> {
        for _ in 0..ROUNDS {
            if let Some(held) = self.single.try_hold(&*self.value).await? {
                return Ok(KeepAlive(held));
            }
            if !self.replace {
                break;
            }
            self.single.delete_what_is_there().await?;
        }
        Err(Error::new(ErrorKind::KeyExists).with_detail(self.single.key()?.to_string()))
    }
}

impl IntoFuture for Registration {
    type Output = Result<KeepAlive>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<KeepAlive>> + Send>>;

    /// # Errors
    /// [`ErrorKind::KeyExists`]; else as [`SingleKey::try_hold`].
    ///
    /// # Cancel safety
    /// As [`SingleKey::try_hold`].
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// How often somebody else may be faster.
const ROUNDS: usize = 4;

const _: () = {
    const fn shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<KeepAlive>();
    shared::<Registration>();
};
