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
/// - A stream sends the deletion of the watched key itself twice, with one index.
/// - The deletion of a directory above comes under that directory's key, and not at all to a watch of a key
///   that does not exist.
///
/// So a watch that must miss nothing is made of polls, each from the index after the last event. The member
/// sends the head at once and may then be silent for ever: no time limit, no sign of life, also when it has
/// lost the cluster. When it ends the body is cut, and the same index is asked for at another member.
///
/// # Examples
/// ```
/// use etcd_proto::v2::keys::Watch;
/// use etcd_proto::v2::{Index, Key, Operation};
/// use http::{HeaderMap, StatusCode};
///
/// // Read `/app` first; here its answer's head said index 41.
/// let seen = Index::from(41);
/// let mut watch = Watch::new(Key::new("/app")?);
/// watch.recursive = true;
/// watch.wait_index = Some(seen.next().to_non_zero()?);
/// let watch = Operation::from(watch);
/// assert_eq!(watch.encode()?.uri(), "/v2/keys/app?wait=true&recursive=true&waitIndex=42");
///
/// // The head of the answer is no event: its index is that of the store when the poll began, here still 41.
/// let mut headers = HeaderMap::new();
/// headers.insert("x-etcd-index", http::HeaderValue::from_static("41"));
/// let header = Operation::decode_watch_head(StatusCode::OK, &headers, b"")?;
/// assert_eq!(header.etcd_index, seen);
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Watch {
    /// The key to watch; it need not exist.
    pub key: Key,
    /// Watch all below it as well.
    pub recursive: bool,
    /// The first index wanted; `None` for what comes from now on. One in the future waits for it, so a member
    /// that lags behind does no harm.
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
