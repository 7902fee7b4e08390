//! Writing and deleting on a condition.

use bytes::Bytes;
use http::{Method, Request};

use super::KeysCall;
use crate::v2::encode::{Form, RequestBuilder};
use crate::v2::{Compare, Key, Ttl};
use crate::{Error, Idempotence};

/// Writes a value if the key holds what `compare` says; else error 101.
///
/// The created index stays. Without `ttl` a time to live that the key has is removed. Never applies to
/// directories (error 102). Error 100 where there is no key: "if it does not exist" is
/// [`Create`](super::Create).
///
/// # Examples
/// By index, a copy that comes late does nothing, and a lost answer can be cleared up by sending it again:
/// ```
/// use etcd_proto::v2::keys::CompareAndSwap;
/// use etcd_proto::v2::{Compare, ErrorCode, Key, Operation};
/// use http::{HeaderMap, StatusCode};
///
/// let condition = Compare::index(7).build()?;
/// let swap = Operation::from(CompareAndSwap::new(Key::new("/config")?, "on", condition));
/// assert_eq!(swap.encode()?.body(), "value=on&prevIndex=7");
///
/// let body = br#"{"errorCode":101,"message":"Compare failed","cause":"[7 != 9]","index":9}"#;
/// let error = swap.decode(StatusCode::PRECONDITION_FAILED, &HeaderMap::new(), body).unwrap_err();
/// // Somebody wrote in between, or it was our own first copy: read the key to tell.
/// assert_eq!(error.api().and_then(|api| api.code), Some(ErrorCode::CompareFailed));
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CompareAndSwap {
    /// Where to write.
    pub key: Key,
    /// What to write.
    pub value: String,
    /// What the key must hold.
    pub compare: Compare,
    /// How long the key lives from now on; `None` for ever.
    pub ttl: Option<Ttl>,
    /// Leave the node out of the answer (3.1 and later; ignored before).
    pub no_value_on_success: bool,
}

/// Deletes a key if it holds what `compare` says; else error 101.
///
/// Never applies to directories (error 102). etcd 0.3 is the first to know it. Error 100 where there is no
/// key.
///
/// By index it is the safe deletion to repeat: 100 or 101 on the repeat say that what was meant to
/// go is no longer there as it was. A value stands in the request's URI, where proxies log it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CompareAndDelete {
    /// What to delete.
    pub key: Key,
    /// What the key must hold.
    pub compare: Compare,
}

impl CompareAndSwap {
    /// Sets `key` to `value`, for ever, if it holds what `compare` says.
    pub fn new(key: Key, value: impl Into<String>, compare: Compare) -> Self {
        Self { key, value: value.into(), compare, ttl: None, no_value_on_success: false }
    }
}

impl CompareAndDelete {
    /// Deletes `key` if it holds what `compare` says.
    #[must_use]
    pub fn new(key: Key, compare: Compare) -> Self {
        Self { key, compare }
    }
}

// === impl KeysCall ===

/// An index never comes back, so the first copy that lands shuts out all others; a value can (ABA).
fn idempotence(compare: &Compare) -> Idempotence {
    match compare.prev_index() {
        Some(_) => Idempotence::Guarded,
        None => Idempotence::Once,
    }
}

impl KeysCall for CompareAndSwap {
    const NAME: &'static str = "compare and swap";

    fn idempotence(&self) -> Idempotence {
        idempotence(&self.compare)
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        let form = Form::new()
            .pair("value", &self.value)
            .compare(Some(&self.compare))
            .pair_if("ttl", self.ttl.map(Ttl::as_secs))
            .flag("noValueOnSuccess", self.no_value_on_success);
        RequestBuilder::new(Method::PUT, self.key.request_path()).form(form).build()
    }

    fn leaves_out_node(&self) -> bool {
        self.no_value_on_success
    }
}

impl KeysCall for CompareAndDelete {
    const NAME: &'static str = "compare and delete";

    fn idempotence(&self) -> Idempotence {
        idempotence(&self.compare)
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        // A DELETE's body is never read: a condition in it would make an unconditional delete.
        let query = Form::new().compare(Some(&self.compare));
        RequestBuilder::new(Method::DELETE, self.key.request_path()).query(query).build()
    }
}
