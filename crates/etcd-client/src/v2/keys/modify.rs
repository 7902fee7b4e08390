//! Changing a value in place, whoever else does so.

use std::future::IntoFuture;

use etcd_proto::v2::{Compare, KeysResponse, Node, Ttl, keys};
use futures_util::future::BoxFuture;

use super::{CompareAndSwap, Create, Get, IntoKey};
use crate::v2::Client;
use crate::v2::call::limit_setters;
use crate::{Error, ErrorKind, Result};

/// A change of a value in place that is made when it is awaited, see [`Client::modify`].
#[must_use = "a call does nothing unless it is awaited"]
pub struct Modify<F> {
    get: Get,
    change: F,
    create: Option<String>,
    ttl: Option<Result<Ttl, etcd_proto::Error>>,
    rounds: u32,
}

impl Client {
    /// Changes a value in place: reads it, lets `change` make a new one, and swaps if nobody else wrote in
    /// between; else starts again. `None` from `change` leaves the key as it is.
    ///
    /// A time to live that the key has goes on (in whole seconds, rounded up), unless [`ttl`](Modify::ttl) says
    /// otherwise. The answer is that of the swap, or of the read where nothing was changed. Limits hold for each of
    /// its calls; for the whole there is `tokio::time::timeout`.
    ///
    /// # Errors
    /// [`ErrorKind::KeyNotFound`](crate::ErrorKind::KeyNotFound) without [`or_create`](Modify::or_create);
    /// [`ErrorKind::NotAFile`](crate::ErrorKind::NotAFile) for a directory, without a call of `change`;
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if others were faster in every round; else as
    /// [`Client::compare_and_swap`]. After an outcome that is not known the loop ends with that error, since
    /// reading on would not tell whose value is seen.
    ///
    /// # Cancel safety
    /// After a drop the outcome of the swap is unknown.
    ///
    /// # Examples
    /// ```
    /// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
    /// let counted = client
    ///     .modify("/visits", |value| value.parse::<u64>().ok().map(|visits| (visits + 1).to_string()))
    ///     .or_create("1")
    ///     .await?;
    /// println!("visit {}", counted.text());
    /// # Ok(())
    /// # }
    /// ```
    pub fn modify<F>(&self, key: impl IntoKey, change: F) -> Modify<F>
    where
        F: FnMut(&str) -> Option<String> + Send + 'static,
    {
        Modify { get: self.get(key).quorum(true), change, create: None, ttl: None, rounds: ROUNDS }
    }
}

impl<F> Modify<F> {
    /// Creates the key with this value if there is none.
    pub fn or_create(mut self, value: impl Into<String>) -> Self {
        self.create = Some(value.into());
        self
    }

    /// How long the key lives from the swap on.
    pub fn ttl(mut self, ttl: impl TryInto<Ttl, Error: Into<etcd_proto::Error>>) -> Self {
        self.ttl = Some(ttl.try_into().map_err(Into::into));
        self
    }

    /// Ends with [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) after so many rounds; 64 by default, at
    /// least 1.
    pub fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds.max(1);
        self
    }

    limit_setters!(get);
}

impl<F> Modify<F>
where
    F: FnMut(&str) -> Option<String>,
{
    async fn run(mut self) -> Result<KeysResponse> {
        let ttl = self.ttl.take().transpose()?;
        for _ in 0..self.rounds {
            let attempt = match self.get.clone().await {
                // The change would be asked about an empty value that is not there.
                Ok(read) if read.node.dir => return Err(Error::new(ErrorKind::NotAFile)),
                Ok(read) => match (self.change)(read.text()) {
                    Some(value) => self.swap(&read.node, value, ttl)?.await,
                    None => return Ok(read),
                },
                Err(error) if error.is_key_not_found() => match self.create.clone() {
                    Some(value) => self.create(value, ttl)?.await,
                    None => return Err(error),
                },
                Err(error) => return Err(error),
            };
            match attempt {
                Err(error) if lost_the_race(&error) => {}
                ended => return ended,
            }
        }
        let key = self.get.checked()?.key.clone();
        Err(Error::new(ErrorKind::Conflict).with_call("modify", Some(&key)))
    }

    fn swap(&self, node: &Node, value: String, ttl: Option<Ttl>) -> Result<CompareAndSwap> {
        let compare = Compare::index(node.modified_index).build()?;
        let mut swap = keys::CompareAndSwap::new(self.get.checked()?.key.clone(), value, compare);
        swap.ttl = match ttl {
            Some(ttl) => Some(ttl),
            None => left_of(node)?,
        };
        Ok(self.get.again(swap))
    }

    fn create(&self, value: String, ttl: Option<Ttl>) -> Result<Create> {
        let mut create = keys::Create::new(self.get.checked()?.key.clone(), value);
        create.ttl = ttl;
        Ok(self.get.again(create))
    }
}

/// What is left of a node's time to live, in the bounds that can be sent.
///
/// In its last second, and while there is no leader to say that it has expired, a node has an expiration but no
/// ttl or one below 0: it must not be made immortal.
fn left_of(node: &Node) -> Result<Option<Ttl>> {
    if node.expiration.is_none() && node.ttl.is_none() {
        return Ok(None);
    }
    let left = node.ttl.and_then(|left| u64::try_from(left).ok()).unwrap_or(0);
    Ok(Some(Ttl::from_secs(left.clamp(1, Ttl::MAX_SECS))?))
}

/// Whether somebody else wrote between the read and the swap: only where it is proved that ours was not applied.
fn lost_the_race(error: &Error) -> bool {
    let lost = error.is_compare_failed() || error.is_key_exists() || error.is_key_not_found();
    lost && error.outcome().is_not_applied()
}

impl<F> IntoFuture for Modify<F>
where
    F: FnMut(&str) -> Option<String> + Send + 'static,
{
    type Output = Result<KeysResponse>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let key = self.get.checked()?.key.clone();
            self.run().await.map_err(|error| error.with_call("modify", Some(&key)))
        })
    }
}

impl<F> std::fmt::Debug for Modify<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Modify").field("get", &self.get).field("rounds", &self.rounds).finish_non_exhaustive()
    }
}

const ROUNDS: u32 = 64;
