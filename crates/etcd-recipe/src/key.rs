//! Keys as callers give them: a bad one is kept, and told of when it is used.

use std::error::Error as _;

use etcd_client::v2::{IntoKey, Key};

use crate::{Error, ErrorKind};

/// The key, or what is wrong with it.
pub(crate) fn checked(key: impl IntoKey) -> Result<Key, String> {
    key.try_into().map_err(|error| {
        let error = etcd_client::Error::from(error.into());
        // Which key, and what is wrong with it, is in the source.
        error.source().map_or_else(|| error.to_string(), ToString::to_string)
    })
}

/// The key.
pub(crate) fn taken(key: &Result<Key, String>) -> Result<Key, Error> {
    key.clone().map_err(|text| Error::new(ErrorKind::InvalidKey).with_detail(text))
}
