//! Making directories and changing how long they live.

use etcd_proto::v2::{Ttl, keys};

use super::{IntoKey, common_setters};
use crate::v2::{Call, Client};

/// A directory that is made when it is awaited, see [`Client::set_dir`].
pub type SetDir = Call<keys::SetDir>;
/// A directory that is made when it is awaited, see [`Client::create_dir`].
pub type CreateDir = Call<keys::CreateDir>;
/// A change that is sent when it is awaited, see [`Client::update_dir`].
pub type UpdateDir = Call<keys::UpdateDir>;

impl Client {
    /// Makes a directory. **A file of that name is replaced** and its value lost.
    ///
    /// # Errors
    /// [`ErrorKind::NotAFile`](crate::ErrorKind::NotAFile) if the directory exists; else as [`Client::set`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "setdir")]
    pub fn set_dir(&self, key: impl IntoKey) -> SetDir {
        Call::about(self, super::key(key), |key| Ok(keys::SetDir::new(key)))
    }

    /// Makes a directory where no key is yet. [`Client::ensure_dir`] is content with one that exists.
    ///
    /// # Errors
    /// [`ErrorKind::KeyExists`](crate::ErrorKind::KeyExists) for a key or directory of that name; else as
    /// [`Client::set`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "createdir")]
    #[doc(alias = "mkdir")]
    pub fn create_dir(&self, key: impl IntoKey) -> CreateDir {
        Call::about(self, super::key(key), |key| Ok(keys::CreateDir::new(key)))
    }

    /// Changes how long a directory lives; without [`ttl`](Call::ttl) it lives for ever.
    ///
    /// Not on etcd 3.5, where a directory's ttl can be given only when it is made. On a file etcd stores the
    /// empty string.
    ///
    /// # Errors
    /// [`ErrorKind::DirectoryTtl`](crate::ErrorKind::DirectoryTtl) on etcd 3.5, and nothing is done;
    /// [`ErrorKind::KeyNotFound`](crate::ErrorKind::KeyNotFound) if there is none; else as for every call.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "updatedir")]
    pub fn update_dir(&self, key: impl IntoKey) -> UpdateDir {
        Call::about(self, super::key(key), |key| Ok(keys::UpdateDir::new(key)))
    }
}

common_setters!(SetDir, CreateDir, UpdateDir);
