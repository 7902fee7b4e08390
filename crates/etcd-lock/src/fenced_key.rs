//! A key that an older holder cannot overwrite.

use std::future::IntoFuture;
use std::time::Duration;

use etcd_client::v2::{Client, Compare, IntoKey, Key, KeysResponse};
use etcd_recipe::protocol::{Fence, fence};
use futures_util::future::BoxFuture;

use crate::{Error, ErrorKind, Fenced, Result, Token, name};

/// A key in etcd that remembers the greatest token it was written with, and takes no write with a smaller one.
///
/// A lock alone does not keep two from writing: a holder that was stopped, or whose request was long on its way, may
/// write after its time. This key does, under any interleaving: a write reads the key by quorum, compares the tokens,
/// and swaps only what it has read. So behind a write with token 12 none with token 11 is ever seen, whatever clocks and
/// networks do. Writes with the same token are one holder's, and the last one wins.
///
/// What is stored is text that other programs can read and follow, see [`Fenced`].
///
/// It has no time to live, and it must not be deleted while an old holder may still be about: with the key goes the
/// memory of the greatest token. Tokens of different clusters cannot be compared: whose was written first is taken, all
/// others are refused. After a cluster was restored from a backup its id is another one; make sure that no
/// holder from before is left, then delete the key.
///
/// Cheap to clone.
///
/// # Examples
/// ```no_run
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_lock::Error> {
/// use etcd_lock::{FencedKey, Lock};
///
/// let state = FencedKey::new(&client, "/state");
/// let guard = Lock::new(&client, "mylock").acquire().await?;
/// state.write(guard.token(), "v2").await?;
/// if let Some(stored) = state.read().await? {
///     println!("{} by the holder with token {}", stored.value, stored.token);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fenced key does nothing by itself"]
pub struct FencedKey {
    client: Client,
    key: Result<Key, String>,
    timeout: Option<Duration>,
}

impl FencedKey {
    /// The key `key`, a path such as `/state`. Nothing is sent; a key that etcd cannot hold is an error of the calls.
    pub fn new(client: &Client, key: impl IntoKey) -> Self {
        Self { client: client.clone(), key: name::checked(key), timeout: None }
    }

    /// Limits each request of the calls, in place of the client's limit. A write takes two requests, and two more for
    /// each time that somebody else has written in between.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Writes `value` with this token, when it is awaited.
    ///
    /// It does not ask whether the lock is still held: [`check`](crate::LockGuard::check) or
    /// [`run`](crate::LockGuard::run) does, and spares the try.
    ///
    /// # Errors
    /// [`ErrorKind::Fenced`] if a greater token is stored, [`ErrorKind::ForeignToken`] for one of another cluster,
    /// [`ErrorKind::NotFenced`] for a directory or a value that was not written with a token: nothing was
    /// written. [`ErrorKind::Conflict`] if somebody else was faster 64 times. [`ErrorKind::Client`] if a
    /// request failed; the write may have happened then, as [`Error::outcome`] says.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn write(&self, token: &Token, value: impl Into<String>) -> FencedWrite {
        let fenced = Fenced::new(token.clone(), value);
        FencedWrite { key: self.clone(), fenced }
    }

    /// Reads the value and its token by quorum, when it is awaited; `None` if there is no key.
    ///
    /// # Errors
    /// [`ErrorKind::NotFenced`] for a directory or a value that was not written with a token;
    /// [`ErrorKind::Client`] if the request failed.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn read(&self) -> FencedRead {
        FencedRead { key: self.clone() }
    }

    async fn stored(&self, key: &Key) -> Result<Option<Stored>> {
        let mut get = self.client.get(key).quorum(true);
        if let Some(timeout) = self.timeout {
            get = get.timeout(timeout);
        }
        match get.await {
            Ok(read) if read.node.dir => Err(about(key, ErrorKind::NotFenced, "is a directory")),
            Ok(read) => {
                let fenced = Fenced::parse(read.node.text());
                let fenced = fenced.map_err(|error| about(key, error, "holds another text"))?;
                Ok(Some(Stored { fenced, index: read.node.modified_index.get() }))
            }
            Err(error) if error.is_key_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores it if nobody has changed what was read.
    async fn swap(
        &self,
        key: &Key,
        stored: Option<&Stored>,
        fenced: &Fenced,
    ) -> Result<KeysResponse, etcd_client::Error> {
        let text = fenced.to_string();
        // Resolved: whoever else writes this same text at this same index is the same holder, and has done the same.
        match stored {
            Some(stored) => {
                let swap =
                    self.client.compare_and_swap(key, text, Compare::index(stored.index)).resolve(true);
                match self.timeout {
                    Some(timeout) => swap.timeout(timeout).await,
                    None => swap.await,
                }
            }
            None => {
                let create = self.client.create(key, text).resolve(true);
                match self.timeout {
                    Some(timeout) => create.timeout(timeout).await,
                    None => create.await,
                }
            }
        }
    }
}

/// What is stored, and since when.
#[derive(Debug)]
struct Stored {
    fenced: Fenced,
    index: u64,
}

/// A write with a token, which is made when it is awaited: see [`FencedKey::write`].
#[derive(Clone, Debug)]
#[must_use = "a write does nothing unless it is awaited"]
pub struct FencedWrite {
    key: FencedKey,
    fenced: Fenced,
}

impl FencedWrite {
    async fn run(self) -> Result<()> {
        let (key, token) = (name::taken(&self.key.key)?, &self.fenced.token);
        for _ in 0..ROUNDS {
            let stored = self.key.stored(&key).await?;
            if let Some(Stored { fenced: Fenced { token: other, .. }, .. }) = &stored {
                may_write(token, other).map_err(|kind| {
                    about(&key, kind, &format!("was written with token {other}, this is {token}"))
                })?;
            }
            match self.key.swap(&key, stored.as_ref(), &self.fenced).await {
                Ok(_) => return Ok(()),
                // Only the body of the answer is lost, and nothing in it is wanted.
                Err(error) if error.outcome().is_applied() => return Ok(()),
                Err(error) if lost_the_race(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(about(&key, ErrorKind::Conflict, "is written by others"))
    }
}

impl IntoFuture for FencedWrite {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// A read of a value and its token, which is made when it is awaited: see [`FencedKey::read`].
#[derive(Clone, Debug)]
#[must_use = "a read does nothing unless it is awaited"]
pub struct FencedRead {
    key: FencedKey,
}

impl IntoFuture for FencedRead {
    type Output = Result<Option<Fenced>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let key = name::taken(&self.key.key)?;
            Ok(self.key.stored(&key).await?.map(|stored| stored.fenced))
        })
    }
}

fn about(key: &Key, error: impl Into<Error>, what: &str) -> Error {
    error.into().with_detail(format!("{} {what}", key.as_str().escape_debug()))
}

/// Whether a holder with this token may write over what was written with the stored one.
fn may_write(token: &Token, stored: &Token) -> Result<(), ErrorKind> {
    if stored.cluster_id() != token.cluster_id() {
        return Err(ErrorKind::ForeignToken);
    }
    match fence(Some(stored.index()), token.index()) {
        Fence::Pass => Ok(()),
        Fence::Refuse => Err(ErrorKind::Fenced),
    }
}

/// Whether somebody else wrote between the read and the swap: only where it is proved that no copy of ours was
/// applied.
fn lost_the_race(error: &etcd_client::Error) -> bool {
    let lost = error.is_compare_failed() || error.is_key_exists() || error.is_key_not_found();
    lost && error.outcome().is_not_applied()
}

/// As `modify` of the client.
const ROUNDS: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_that_is_not_smaller_may_write() {
        let may = |token: &str, stored: &str| may_write(&token.parse().unwrap(), &stored.parse().unwrap());
        assert_eq!(may("7@a", "7@a"), Ok(()));
        assert_eq!(may("8@a", "7@a"), Ok(()));
        assert_eq!(may("7@a", "8@a"), Err(ErrorKind::Fenced));
        for stored in ["1@b", "9@b", "1"] {
            assert_eq!(may("8@a", stored), Err(ErrorKind::ForeignToken));
        }
        assert_eq!(may("8", "7@a"), Err(ErrorKind::ForeignToken));
    }
}
