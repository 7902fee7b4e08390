//! Who holds a lock on a single key.

use std::fmt;
use std::time::Duration;

use etcd_client::v2::{Client, Key};

use crate::{Error, ErrorKind, Result, Token};

/// The holder of a [`Spin`](crate::Spin), as a read by quorum shows it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Its fencing token.
    pub token: Token,
    /// What the key holds: [owner](crate::Spin::owner) and random digits, or whatever another program has written.
    pub value: String,
    /// How long the key lives if it is not renewed: whole seconds, rounded up, by the clock of the member that was
    /// asked. `None` where it has run out, or never will.
    pub expires_in: Option<Duration>,
    /// The index of its last change.
    pub(super) modified: u64,
}

/// Reads the key.
pub(super) async fn read(client: &Client, key: &Key) -> Result<Option<Holder>> {
    let read = match client.get(key).quorum(true).await {
        Ok(read) => read,
        Err(error) if error.is_key_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let (node, cluster_id) = (read.node, read.header.cluster_id);
    if node.dir {
        return Err(directory(key));
    }
    Ok(Some(Holder {
        token: Token::new(node.created_index.get(), cluster_id.as_deref())?,
        expires_in: node.ttl.and_then(|ttl| u64::try_from(ttl).ok()).map(Duration::from_secs),
        modified: node.modified_index.get(),
        value: node.value.unwrap_or_default(),
    }))
}

/// The name is another lock's, whose key is a directory.
pub(super) fn directory(key: &Key) -> Error {
    let what = format!("{} is a directory, as of a lock with a queue", key.as_str().escape_debug());
    Error::from(ErrorKind::InvalidKey).with_detail(what)
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value is the holder's own affair.
        f.debug_struct("Holder")
            .field("token", &self.token)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
