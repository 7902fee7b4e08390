//! Deleting keys and directories.

use bytes::Bytes;
use http::{Method, Request};

use super::KeysCall;
use crate::v2::Key;
use crate::v2::encode::{Form, RequestBuilder};
use crate::{Error, Idempotence};

/// Deletes a key. A directory is error 102, a key that does not exist error 100.
///
/// The answer's previous node is what was deleted. A repeat after a lost answer may find nothing (error 100,
/// its own success) or what somebody has written since: with
/// [`CompareAndDelete`](super::CompareAndDelete) it cannot.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delete {
    /// What to delete.
    pub key: Key,
}

/// Deletes a directory (`dir=true`), or a key. Error 100 where there is neither, 107 for `/`.
///
/// # Examples
/// ```
/// use etcd_proto::v2::keys::DeleteDir;
/// use etcd_proto::v2::{Key, Operation};
///
/// let mut delete = DeleteDir::new(Key::new("/sessions/4711")?);
/// assert_eq!(Operation::from(delete.clone()).encode()?.uri(), "/v2/keys/sessions/4711?dir=true");
/// delete.recursive = true;
/// let request = Operation::from(delete).encode()?;
/// assert_eq!(request.uri(), "/v2/keys/sessions/4711?dir=true&recursive=true");
/// # Ok::<(), etcd_proto::Error>(())
/// ```
/// However much goes, it is one write, one index and one event, on the directory: neither the answer nor
/// watchers are told what was in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeleteDir {
    /// What to delete.
    pub key: Key,
    /// Delete all below it too; else a directory with children, hidden ones included, is error 108.
    pub recursive: bool,
}

impl Delete {
    /// Deletes `key`.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key }
    }
}

impl DeleteDir {
    /// Deletes `key` if it is empty.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, recursive: false }
    }
}

// === impl KeysCall ===

impl KeysCall for Delete {
    const NAME: &'static str = "delete";

    fn idempotence(&self) -> Idempotence {
        Idempotence::Once
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        RequestBuilder::new(Method::DELETE, self.key.request_path()).build()
    }
}

impl KeysCall for DeleteDir {
    const NAME: &'static str = "delete dir";

    fn idempotence(&self) -> Idempotence {
        Idempotence::Once
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        let query = Form::new().pair("dir", "true").flag("recursive", self.recursive);
        RequestBuilder::new(Method::DELETE, self.key.request_path()).query(query).build()
    }
}
