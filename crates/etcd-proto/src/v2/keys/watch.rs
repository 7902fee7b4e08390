//! One poll or one stream of a watch.

use std::num::NonZeroU64;

use bytes::Bytes;
use http::{Method, Request};

use crate::v2::encode::{Form, RequestBuilder};
use crate::v2::{Call, Key, Operation, Response, WatchResponse};
use crate::{Error, Idempotence};

/// Waits for the next event of a key: one poll, or one stream.
///
/// What servers from 2.3 to 3.5 do with it has traps, which a watch that resumes has to know:
/// - A stream opened with an index that finds an event in the history sends that one and then nothing for ever.
/// - A stream whose reader falls 100 events behind is dropped without a word.
/// - Events from the history come with hidden keys and with directory deletions of sibling prefixes in them.
/// - An index more than 1000 events of the whole store ago is error 401.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Watch {
    /// The key to watch; it need not exist.
    pub key: Key,
    /// Watch all below it as well.
    pub recursive: bool,
    /// The first index wanted; `None` for what comes from now on.
    pub wait_index: Option<NonZeroU64>,
    /// Leave the answer open and send all events, not one.
    pub stream: bool,
}

impl Watch {
    /// Waits for the next event on `key` from now on.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, recursive: false, wait_index: None, stream: false }
    }

    pub(in crate::v2) fn idempotence(&self) -> Idempotence {
        Idempotence::Read
    }

    pub(in crate::v2) fn encode(&self) -> Result<Request<Bytes>, Error> {
        let query = Form::new()
            .flag("wait", true)
            .flag("recursive", self.recursive)
            .flag("stream", self.stream)
            .pair_if("waitIndex", self.wait_index);
        RequestBuilder::new(Method::GET, self.key.request_path()).query(query).build()
    }
}

impl From<Watch> for Operation {
    fn from(call: Watch) -> Self {
        Self::Watch(call)
    }
}

impl Call for Watch {
    const NAME: &'static str = "watch";

    type Response = WatchResponse;

    fn response(response: Response) -> Result<WatchResponse, Error> {
        match response {
            Response::Watch(response) => Ok(response),
            other => Err(Error::unexpected_response(Self::NAME, other.name())),
        }
    }
}
