//! Deleting keys and directories.

use etcd_proto::v2::keys;

use super::IntoKey;
use crate::v2::{Call, Client};

/// A deletion that is sent when it is awaited, see [`Client::delete`].
pub type Delete = Call<keys::Delete>;
/// A deletion that is sent when it is awaited, see [`Client::delete_dir`].
pub type DeleteDir = Call<keys::DeleteDir>;

impl Client {
    /// Deletes a key.
    ///
    /// # Errors
    /// [`ErrorKind::KeyNotFound`](crate::ErrorKind::KeyNotFound) if there is none,
    /// [`ErrorKind::NotAFile`](crate::ErrorKind::NotAFile) for a directory; else as for every call.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "etcd_delete")]
    #[doc(alias = "rm")]
    pub fn delete(&self, key: impl IntoKey) -> Delete {
        Call::about(self, super::key(key), |key| Ok(keys::Delete::new(key)))
    }

    /// Deletes a directory, or a key.
    ///
    /// # Errors
    /// [`ErrorKind::DirectoryNotEmpty`](crate::ErrorKind::DirectoryNotEmpty) if it has children, hidden ones
    /// included, and the call is not [`recursive`](Call::recursive); else as [`Client::delete`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "deletedir")]
    #[doc(alias = "rmdir")]
    pub fn delete_dir(&self, key: impl IntoKey) -> DeleteDir {
        Call::about(self, super::key(key), |key| Ok(keys::DeleteDir::new(key)))
    }
}

impl Call<keys::DeleteDir> {
    /// Deletes all below the directory too.
    pub fn recursive(self, recursive: bool) -> Self {
        self.with(|delete| delete.recursive = recursive)
    }
}
