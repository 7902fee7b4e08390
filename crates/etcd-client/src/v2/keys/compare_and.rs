//! Writing and deleting on a condition.

use etcd_proto::v2::{Compare, Ttl, keys};

use super::{IntoKey, common_setters};
use crate::v2::{Call, Client};

/// A write that is sent when it is awaited, see [`Client::compare_and_swap`].
pub type CompareAndSwap = Call<keys::CompareAndSwap>;
/// A deletion that is sent when it is awaited, see [`Client::compare_and_delete`].
pub type CompareAndDelete = Call<keys::CompareAndDelete>;

impl Client {
    /// Writes a value if the key holds what `compare` says. Its created index stays.
    ///
    /// Compare with the modified index where you can: a value can come back in between, an index cannot.
    /// [`Client::modify`] does this in a loop.
    ///
    /// # Errors
    /// [`ErrorKind::CompareFailed`](crate::ErrorKind::CompareFailed) if it does not hold,
    /// [`ErrorKind::KeyNotFound`](crate::ErrorKind::KeyNotFound) if there is no key,
    /// [`ErrorKind::NotAFile`](crate::ErrorKind::NotAFile) for a directory; else as for every call.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    ///
    /// # Examples
    /// ```
    /// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
    /// use etcd_client::v2::Compare;
    ///
    /// let read = client.get("/config").quorum(true).await?;
    /// let changed = format!("{},new", read.text());
    /// match client.compare_and_swap("/config", changed, Compare::index(read.index())).await {
    ///     Ok(swapped) => println!("written at {}", swapped.index()),
    ///     Err(error) if error.is_compare_failed() => println!("somebody else was faster"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "test_and_set")]
    #[doc(alias = "cas")]
    pub fn compare_and_swap(
        &self,
        key: impl IntoKey,
        value: impl Into<String>,
        compare: impl TryInto<Compare, Error: Into<etcd_proto::Error>>,
    ) -> CompareAndSwap {
        Call::about(self, super::key(key), |key| {
            let compare = compare.try_into().map_err(Into::into)?;
            Ok(keys::CompareAndSwap::new(key, value, compare))
        })
    }

    /// Deletes a key if it holds what `compare` says.
    ///
    /// A value to compare with goes into the request's URI, where etcd reads it from, and where layers that log
    /// URIs show it; an index says less and is the sharper tool.
    ///
    /// # Errors
    /// As [`Client::compare_and_swap`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "cad")]
    pub fn compare_and_delete(
        &self,
        key: impl IntoKey,
        compare: impl TryInto<Compare, Error: Into<etcd_proto::Error>>,
    ) -> CompareAndDelete {
        Call::about(self, super::key(key), |key| {
            let compare = compare.try_into().map_err(Into::into)?;
            Ok(keys::CompareAndDelete::new(key, compare))
        })
    }
}

common_setters!(CompareAndSwap);
