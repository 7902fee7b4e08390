//! Reading keys and directories.

use bytes::Bytes;
use http::{Method, Request};

use super::KeysCall;
use crate::v2::Key;
use crate::v2::encode::{Form, RequestBuilder};
use crate::{Error, Idempotence};

/// Reads a key, or lists a directory.
///
/// Without `quorum` any member answers from its own copy, which may be old: a member cut off from the others
/// goes on answering for ever.
///
/// Error 100 where there is no key; its index, too, is that of the store at the read, so that one can watch
/// for the key from there on. With `quorum`, error 300 after 7 s where no majority answers.
///
/// # Examples
/// A listing in order, with all below:
/// ```
/// use etcd_proto::v2::keys::Get;
/// use etcd_proto::v2::{Call, Key, Operation};
/// use http::{HeaderMap, StatusCode};
///
/// let mut list = Get::new(Key::new("/app")?);
/// list.recursive = true;
/// list.sorted = true;
/// let list = Operation::from(list);
/// assert_eq!(list.encode()?.uri(), "/v2/keys/app?recursive=true&sorted=true");
///
/// let body = br#"{"action":"get","node":{"key":"/app","dir":true,"nodes":[
///     {"key":"/app/a","value":"1","modifiedIndex":8,"createdIndex":8},
///     {"key":"/app/d","dir":true,"modifiedIndex":9,"createdIndex":9}],
///     "modifiedIndex":8,"createdIndex":8}}"#;
/// let app = Get::response(list.decode(StatusCode::OK, &HeaderMap::new(), body)?)?;
/// let files = app.node.walk().filter(|node| !node.dir).map(|node| node.key.as_str());
/// // An empty directory and one with hidden keys only look the same.
/// assert_eq!(files.collect::<Vec<_>>(), ["/app/a"]);
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Get {
    /// What to read.
    pub key: Key,
    /// List a directory with all below it, not one level only.
    pub recursive: bool,
    /// List the children of a directory ordered by their keys' bytes; else in a random order.
    pub sorted: bool,
    /// Read by consensus: what every earlier finished write has left. (0.4.6 and later; 0.3 ignores it.)
    pub quorum: bool,
}

impl Get {
    /// A plain read of `key`.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, recursive: false, sorted: false, quorum: false }
    }
}

impl KeysCall for Get {
    const NAME: &'static str = "get";

    fn idempotence(&self) -> Idempotence {
        Idempotence::Read
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        let query = Form::new()
            .flag("recursive", self.recursive)
            .flag("sorted", self.sorted)
            .flag("quorum", self.quorum);
        RequestBuilder::new(Method::GET, self.key.request_path()).query(query).build()
    }
}
