//! Writing values: set, create, update, refresh.

use etcd_proto::v2::{Compare, Ttl, keys};

use super::{IntoKey, common_setters};
use crate::v2::{Call, Client};

/// A write that is sent when it is awaited, see [`Client::set`].
pub type Set = Call<keys::Set>;
/// A write that is sent when it is awaited, see [`Client::create`].
pub type Create = Call<keys::Create>;
/// A write that is sent when it is awaited, see [`Client::update`].
pub type Update = Call<keys::Update>;
/// A renewal that is sent when it is awaited, see [`Client::refresh`].
pub type Refresh = Call<keys::Refresh>;

impl Client {
    /// Writes a value, whatever was there before, and makes the directories above it.
    ///
    /// The node is replaced: its created index is new.
    ///
    /// # Errors
    /// [`ErrorKind::NotAFile`](crate::ErrorKind::NotAFile) for a directory,
    /// [`ErrorKind::NotADirectory`](crate::ErrorKind::NotADirectory) if the path goes through a file; else as
    /// for every call. [`Error::outcome`](crate::Error::outcome) says what became of the write.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "etcd_set")]
    #[doc(alias = "put")]
    pub fn set(&self, key: impl IntoKey, value: impl Into<String>) -> Set {
        Call::about(self, super::key(key), |key| Ok(keys::Set::new(key, value)))
    }

    /// Writes a value where no key is yet.
    ///
    /// # Errors
    /// [`ErrorKind::KeyExists`](crate::ErrorKind::KeyExists) for a key or directory of that name; else as
    /// [`Client::set`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "mk")]
    pub fn create(&self, key: impl IntoKey, value: impl Into<String>) -> Create {
        Call::about(self, super::key(key), |key| Ok(keys::Create::new(key, value)))
    }

    /// Writes a value where a key is already. Its created index stays.
    ///
    /// # Errors
    /// [`ErrorKind::KeyNotFound`](crate::ErrorKind::KeyNotFound) if there is none; else as [`Client::set`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn update(&self, key: impl IntoKey, value: impl Into<String>) -> Update {
        Call::about(self, super::key(key), |key| Ok(keys::Update::new(key, value)))
    }

    /// Prolongs the life of a key, leaves its value alone and wakes no watcher (etcd 2.3 and later).
    ///
    /// # Errors
    /// [`ErrorKind::KeyNotFound`](crate::ErrorKind::KeyNotFound) if there is none,
    /// [`ErrorKind::CompareFailed`](crate::ErrorKind::CompareFailed) if a condition was given and does not hold,
    /// [`ErrorKind::DirectoryTtl`](crate::ErrorKind::DirectoryTtl) for a directory on etcd 3.5; else as for
    /// every call.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    pub fn refresh(
        &self,
        key: impl IntoKey,
        ttl: impl TryInto<Ttl, Error: Into<etcd_proto::Error>>,
    ) -> Refresh {
        Call::about(self, super::key(key), |key| {
            let ttl = ttl.try_into().map_err(Into::into)?;
            Ok(keys::Refresh::new(key, ttl))
        })
    }
}

common_setters!(Set, Create, Update);

impl Call<keys::Refresh> {
    /// Prolongs only a key that holds what `compare` says.
    pub fn compare(self, compare: impl TryInto<Compare, Error: Into<etcd_proto::Error>>) -> Self {
        self.try_with(compare.try_into(), |refresh, compare| refresh.compare = Some(compare))
    }

    /// Lets the server leave the node out of its answer (3.1 and later).
    pub fn no_value_on_success(self, no_value: bool) -> Self {
        self.with(|refresh| refresh.no_value_on_success = no_value)
    }
}
