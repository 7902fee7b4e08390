//! Adding to a directory in order.

use etcd_proto::v2::{Ttl, keys};

use super::{IntoKey, common_setters};
use crate::v2::{Call, Client};

/// An addition that is sent when it is awaited, see [`Client::create_in_order`].
pub type CreateInOrder = Call<keys::CreateInOrder>;
/// An addition that is sent when it is awaited, see [`Client::create_dir_in_order`].
pub type CreateDirInOrder = Call<keys::CreateDirInOrder>;

impl Client {
    /// Adds a value to a directory under a new key, named by the index of the write: a queue.
    ///
    /// The call is never sent twice once it may have left, since a second copy would make a second entry.
    ///
    /// # Errors
    /// [`ErrorKind::NotADirectory`](crate::ErrorKind::NotADirectory) if `dir` is a file; else as
    /// [`Client::set`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    ///
    /// # Examples
    /// ```
    /// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
    /// let pushed = client.create_in_order("/queue", "job 1").await?;
    /// println!("waits as {}", pushed.node.key);
    /// // The oldest first.
    /// let queue = client.get("/queue").sorted(true).quorum(true).await?;
    /// let next = queue.node.nodes.first();
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "add_child")]
    #[doc(alias = "push")]
    pub fn create_in_order(&self, dir: impl IntoKey, value: impl Into<String>) -> CreateInOrder {
        Call::about(self, super::key(dir), |dir| Ok(keys::CreateInOrder::new(dir, value)))
    }

    /// Adds a directory to a directory under a new key, named by the index of the write.
    ///
    /// # Errors
    /// As [`Client::create_in_order`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "add_child_dir")]
    #[doc(alias = "create_in_order_dir")]
    #[doc(alias = "push_dir")]
    pub fn create_dir_in_order(&self, dir: impl IntoKey) -> CreateDirInOrder {
        Call::about(self, super::key(dir), |key| Ok(keys::CreateDirInOrder::new(key)))
    }
}

common_setters!(CreateInOrder, CreateDirInOrder);
