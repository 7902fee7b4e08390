//! Adding to a directory in order.

use bytes::Bytes;
use http::{Method, Request};

use super::KeysCall;
use crate::v2::encode::{Form, RequestBuilder};
use crate::v2::{Key, Ttl};
use crate::{Error, Idempotence};

/// Adds a value under a new key of a directory, named by the index of the write (POST).
///
/// The name has 20 digits from etcd 2.2 on and is unpadded before: compare names as numbers, or better the
/// created indexes. The directory is made where there is none. A second copy makes a second entry, so the
/// call is never repeated once it may have been sent.
///
/// Error 104 where the directory is a file. After an unknown outcome only the reader can sort out a double:
/// put something into the value by which it knows one.
///
/// # Examples
/// The key of the new entry is in the answer, and sorted listings give entries in the order of their writes:
/// ```
/// use etcd_proto::v2::keys::CreateInOrder;
/// use etcd_proto::v2::{Call, Key, Operation};
/// use http::{HeaderMap, StatusCode};
///
/// let push = Operation::from(CreateInOrder::new(Key::new("/queue")?, "job 1"));
/// assert_eq!(push.encode()?.method(), "POST");
///
/// let body = br#"{"action":"create","node":{"key":"/queue/00000000000000000042",
///     "value":"job 1","modifiedIndex":42,"createdIndex":42}}"#;
/// let pushed = CreateInOrder::response(push.decode(StatusCode::CREATED, &HeaderMap::new(), body)?)?;
/// assert_eq!(pushed.node.key.name(), format!("{:020}", pushed.node.created_index.get()));
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreateInOrder {
    /// The directory to add to.
    pub key: Key,
    /// What to write.
    pub value: String,
    /// How long the entry lives; `None` for ever.
    pub ttl: Option<Ttl>,
    /// Leave the node out of the answer (3.1 and later; ignored before). The name of the new key is then made
    /// from the index in the answer's head.
    pub no_value_on_success: bool,
}

/// Adds a directory under a new key of a directory, named by the index of the write (POST).
///
/// As [`CreateInOrder`], with a directory in place of a value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreateDirInOrder {
    /// The directory to add to.
    pub key: Key,
    /// How long the entry lives, with all in it; `None` for ever.
    pub ttl: Option<Ttl>,
    /// Leave the node out of the answer (3.1 and later; ignored before).
    pub no_value_on_success: bool,
}

impl CreateInOrder {
    /// Adds `value` to the directory `key`, for ever.
    pub fn new(key: Key, value: impl Into<String>) -> Self {
        Self { key, value: value.into(), ttl: None, no_value_on_success: false }
    }
}

impl CreateDirInOrder {
    /// Adds a directory to the directory `key`, for ever.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, ttl: None, no_value_on_success: false }
    }
}

// === impl KeysCall ===

fn post(key: &Key, form: Form, ttl: Option<Ttl>, no_value: bool) -> Result<Request<Bytes>, Error> {
    let form = form.pair_if("ttl", ttl.map(Ttl::as_secs)).flag("noValueOnSuccess", no_value);
    RequestBuilder::new(Method::POST, key.request_path()).form(form).build()
}

impl KeysCall for CreateInOrder {
    const NAME: &'static str = "create in order";

    fn idempotence(&self) -> Idempotence {
        Idempotence::Once
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        post(&self.key, Form::new().pair("value", &self.value), self.ttl, self.no_value_on_success)
    }

    fn leaves_out_node(&self) -> bool {
        self.no_value_on_success
    }
}

impl KeysCall for CreateDirInOrder {
    const NAME: &'static str = "create dir in order";

    fn idempotence(&self) -> Idempotence {
        Idempotence::Once
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        post(&self.key, Form::new().pair("dir", "true"), self.ttl, self.no_value_on_success)
    }

    fn leaves_out_node(&self) -> bool {
        self.no_value_on_success
    }
}
