//! Reading keys and directories.

use std::future::IntoFuture;

use etcd_proto::v2::keys;
use futures_util::future::BoxFuture;

use super::IntoKey;
use crate::Result;
use crate::v2::call::limit_setters;
use crate::v2::{Call, Client};

/// A read that is sent when it is awaited, see [`Client::get`].
pub type Get = Call<keys::Get>;

impl Client {
    /// Reads a key, or lists a directory.
    ///
    /// Without [`quorum`](Call::quorum) the answering member reads its own copy, which may be old.
    ///
    /// Hidden keys, whose name starts with `_`, are left out of listings and can be read by their full name.
    /// There is no paging: a listing comes whole, and
    /// [`response_limit`](super::super::ClientBuilder::response_limit) bounds it.
    ///
    /// # Errors
    /// [`ErrorKind::KeyNotFound`](crate::ErrorKind::KeyNotFound) if there is none; else as for every call: bad
    /// input, no member to connect to, limits, unauthorized, the v2 API not enabled.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    ///
    /// # Examples
    /// ```
    /// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
    /// let app = client.get("/app").recursive(true).sorted(true).await?;
    /// for node in app.node.walk().filter(|node| !node.dir) {
    ///     println!("{} = {}", node.key, node.text());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "etcd_get")]
    #[doc(alias = "ls")]
    pub fn get(&self, key: impl IntoKey) -> Get {
        Call::about(self, super::key(key), |key| Ok(keys::Get::new(key)))
    }

    /// Asks whether a key exists; a directory does, too.
    ///
    /// # Errors
    /// As [`Client::get`], but for a key that is not there: only etcd's own error 100 is `false`, a member that
    /// cannot be reached is an error.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    #[doc(alias = "has_key")]
    #[doc(alias = "haskey")]
    pub fn exists(&self, key: impl IntoKey) -> Exists {
        Exists(self.get(key))
    }
}

impl Call<keys::Get> {
    /// Lists all below a directory, not one level only.
    pub fn recursive(self, recursive: bool) -> Self {
        self.with(|get| get.recursive = recursive)
    }

    /// Orders the children of a directory by their keys' bytes; else they come in a random order.
    #[doc(alias = "sort")]
    pub fn sorted(self, sorted: bool) -> Self {
        self.with(|get| get.sorted = sorted)
    }

    /// Reads by consensus: what every write has left that was finished before. Costs a round among the members.
    #[doc(alias = "consistent")]
    pub fn quorum(self, quorum: bool) -> Self {
        self.with(|get| get.quorum = quorum)
    }

    /// Refuses an answer older than what the client has seen, in place of the client's setting
    /// ([`monotonic_reads`](super::super::ClientBuilder::monotonic_reads)).
    pub fn monotonic_reads(self, on: bool) -> Self {
        self.with_monotonic_reads(on)
    }
}

/// A question whether a key exists, sent when it is awaited, see [`Client::exists`].
#[derive(Clone, Debug)]
#[must_use = "a call does nothing unless it is awaited"]
pub struct Exists(Get);

impl Exists {
    /// Reads by consensus, see [`Get::quorum`](Call::quorum).
    pub fn quorum(self, quorum: bool) -> Self {
        Self(self.0.quorum(quorum))
    }

    limit_setters!(0);
}

impl IntoFuture for Exists {
    type Output = Result<bool>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.0.await {
                Ok(_) => Ok(true),
                Err(error) if error.is_key_not_found() => Ok(false),
                Err(error) => Err(error),
            }
        })
    }
}
