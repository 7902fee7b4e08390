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
