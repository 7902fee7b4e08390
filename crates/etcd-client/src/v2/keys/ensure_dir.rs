//! Making a directory unless there is one.

use std::future::IntoFuture;

use etcd_proto::v2::{Ttl, keys};
use futures_util::future::BoxFuture;

use super::{CreateDir, IntoKey};
use crate::v2::Client;
use crate::v2::call::limit_setters;
use crate::{Error, ErrorKind, Result};

/// A directory that is made unless there is one, when it is awaited, see [`Client::ensure_dir`].
#[derive(Clone, Debug)]
#[must_use = "a call does nothing unless it is awaited"]
pub struct EnsureDir(CreateDir);

impl Client {
    /// Makes a directory unless there is one; one that exists is left as it is, its ttl included.
    ///
    /// # Errors
    /// [`ErrorKind::NotADirectory`](crate::ErrorKind::NotADirectory) if there is a file of that name, which is
    /// left alone; [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if it comes and goes all the time; else as
    /// [`Client::create_dir`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown; making the call again settles it.
    pub fn ensure_dir(&self, key: impl IntoKey) -> EnsureDir {
        EnsureDir(self.create_dir(key))
    }
}

impl EnsureDir {
    /// How long a directory lives that is made by this call.
    pub fn ttl(self, ttl: impl TryInto<Ttl, Error: Into<etcd_proto::Error>>) -> Self {
        Self(self.0.ttl(ttl))
    }

    limit_setters!(0);
}

impl IntoFuture for EnsureDir {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let create = self.0;
            let key = create.checked()?.key.clone();
            for _ in 0..ROUNDS {
                match create.clone().await {
                    Ok(_) => return Ok(()),
                    // The root of the store is a directory that nobody makes.
                    Err(error) if error.is_root_read_only() => return Ok(()),
                    Err(error) if error.is_key_exists() => {}
                    Err(error) => return Err(error),
                }
                let mut get = keys::Get::new(key.clone());
                get.quorum = true;
                match create.again(get).await {
                    Ok(found) if found.node.dir => return Ok(()),
                    Ok(_) => {
                        return Err(Error::new(ErrorKind::NotADirectory).with_call("ensure dir", Some(&key)));
                    }
                    // It has gone in between, so it can be made.
                    Err(error) if error.is_key_not_found() => {}
                    Err(error) => return Err(error),
                }
            }
            Err(Error::new(ErrorKind::Conflict).with_call("ensure dir", Some(&key)))
        })
    }
}

/// How often it may come and go in between.
const ROUNDS: u32 = 8;
