//! Writing values: set, create, update, refresh.

use bytes::Bytes;
use http::{Method, Request};

use super::KeysCall;
use crate::v2::encode::{Form, RequestBuilder};
use crate::v2::{Compare, Key, Ttl};
use crate::{Error, Idempotence};

/// Writes a value, whatever was there before.
///
/// The node is replaced: its created index is new, and without `ttl` it lives for ever. The answer's previous
/// node is what was overwritten. A directory is error 102.
///
/// A copy that was held up on the way may still be applied seconds later, over what others wrote since. Where
/// that matters, use [`CompareAndSwap`](super::CompareAndSwap) with an index.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Set {
    /// Where to write.
    pub key: Key,
    /// What to write.
    pub value: String,
    /// How long the key lives; `None` for ever.
    pub ttl: Option<Ttl>,
    /// Leave the node out of the answer (3.1 and later; ignored before).
    pub no_value_on_success: bool,
}

/// Writes a value where no key is yet (`prevExist=false`); error 105 for a key or directory of that name.
///
/// Of several callers one succeeds, which makes it the usual way to take a lock, with a `ttl` to lose it
/// again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Create {
    /// Where to write.
    pub key: Key,
    /// What to write.
    pub value: String,
    /// How long the key lives; `None` for ever.
    pub ttl: Option<Ttl>,
    /// Leave the node out of the answer (3.1 and later; ignored before).
    pub no_value_on_success: bool,
}

/// Writes a value where a key is already (`prevExist=true`).
///
/// The created index stays. Without `ttl` a time to live that the key has is removed. Error 100 where there
/// is no key, 102 for a directory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Update {
    /// Where to write.
    pub key: Key,
    /// What to write.
    pub value: String,
    /// How long the key lives from now on; `None` for ever.
    pub ttl: Option<Ttl>,
    /// Leave the node out of the answer (3.1 and later; ignored before).
    pub no_value_on_success: bool,
}

/// Prolongs the life of a key and leaves its value alone (`refresh=true`; 2.3 and later).
///
/// The created index stays, the modified index moves, and no watcher is woken, not even one that comes later
/// with an older index. On a directory it works with 3.4 and never with 3.5.
///
/// Error 100 where the key has expired meanwhile, 101 where the condition does not hold.
///
/// # Examples
/// The owner of a lock prolongs it, but not somebody else's. Since each refresh moves the modified index, the
/// condition for the next one comes from the answer to this one; the owner's value does as well, if it is
/// unlike all others:
/// ```
/// use etcd_proto::v2::keys::Refresh;
/// use etcd_proto::v2::{Compare, Key, Operation, Ttl};
///
/// let mut prolong = Refresh::new(Key::new("/lock")?, Ttl::from_secs(30)?);
/// prolong.compare = Some(Compare::value("host-7:4711").build()?);
/// let request = Operation::from(prolong).encode()?;
/// assert_eq!(request.body(), "refresh=true&prevExist=true&prevValue=host-7%3A4711&ttl=30");
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refresh {
    /// The key to prolong.
    pub key: Key,
    /// How long it lives from now on.
    pub ttl: Ttl,
    /// What the key must hold for it; `None`: it must exist.
    pub compare: Option<Compare>,
    /// Leave the node out of the answer (3.1 and later; ignored before).
    pub no_value_on_success: bool,
}

impl Set {
    /// Sets `key` to `value`, for ever.
    pub fn new(key: Key, value: impl Into<String>) -> Self {
        Self { key, value: value.into(), ttl: None, no_value_on_success: false }
    }
}

impl Create {
    /// Creates `key` with `value`, for ever.
    pub fn new(key: Key, value: impl Into<String>) -> Self {
        Self { key, value: value.into(), ttl: None, no_value_on_success: false }
    }
}

impl Update {
    /// Updates `key` to `value` and removes a ttl that it has.
    pub fn new(key: Key, value: impl Into<String>) -> Self {
        Self { key, value: value.into(), ttl: None, no_value_on_success: false }
    }
}

impl Refresh {
    /// Lets an existing `key` live for `ttl` from now on.
    #[must_use]
    pub fn new(key: Key, ttl: Ttl) -> Self {
        Self { key, ttl, compare: None, no_value_on_success: false }
    }
}

// === impl KeysCall ===

/// A PUT with a value, a ttl and what makes it another operation than a plain set.
fn put(key: &Key, form: Form, ttl: Option<Ttl>, no_value_on_success: bool) -> Result<Request<Bytes>, Error> {
    let form = form.pair_if("ttl", ttl.map(Ttl::as_secs)).flag("noValueOnSuccess", no_value_on_success);
    RequestBuilder::new(Method::PUT, key.request_path()).form(form).build()
}

impl KeysCall for Set {
    const NAME: &'static str = "set";

    fn idempotence(&self) -> Idempotence {
        Idempotence::Once
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        put(&self.key, Form::new().pair("value", &self.value), self.ttl, self.no_value_on_success)
    }

    fn leaves_out_node(&self) -> bool {
        self.no_value_on_success
    }
}

impl KeysCall for Create {
    const NAME: &'static str = "create";

    fn idempotence(&self) -> Idempotence {
        Idempotence::Guarded
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        let form = Form::new().pair("value", &self.value).pair("prevExist", "false");
        put(&self.key, form, self.ttl, self.no_value_on_success)
    }

    fn leaves_out_node(&self) -> bool {
        self.no_value_on_success
    }
}

impl KeysCall for Update {
    const NAME: &'static str = "update";

    fn idempotence(&self) -> Idempotence {
        Idempotence::Once
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        let form = Form::new().pair("value", &self.value).pair("prevExist", "true");
        put(&self.key, form, self.ttl, self.no_value_on_success)
    }

    fn leaves_out_node(&self) -> bool {
        self.no_value_on_success
    }
}

impl KeysCall for Refresh {
    const NAME: &'static str = "refresh";

    fn idempotence(&self) -> Idempotence {
        match self.compare.as_ref().and_then(Compare::prev_index) {
            Some(_) => Idempotence::Guarded,
            None => Idempotence::Once,
        }
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        // Without prevExist or a condition etcd would make the node anew, with another created index.
        let form =
            Form::new().pair("refresh", "true").pair("prevExist", "true").compare(self.compare.as_ref());
        put(&self.key, form, Some(self.ttl), self.no_value_on_success)
    }

    fn leaves_out_node(&self) -> bool {
        self.no_value_on_success
    }
}
