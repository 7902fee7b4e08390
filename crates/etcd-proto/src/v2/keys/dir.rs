//! Making directories and changing how long they live.

use bytes::Bytes;
use http::{Method, Request};

use super::KeysCall;
use crate::v2::encode::{Form, RequestBuilder};
use crate::v2::{Key, Ttl};
use crate::{Error, Idempotence};

/// Makes a directory; a **file of that name is replaced** and its value lost.
///
/// An existing directory is error 102, not 105. To make sure of a directory send [`CreateDir`] and be content
/// with error 105, after a look whether it is a directory that exists.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SetDir {
    /// The directory to make.
    pub key: Key,
    /// How long it lives, with all in it; `None` for ever.
    pub ttl: Option<Ttl>,
    /// Leave the node out of the answer (3.1 and later; ignored before).
    pub no_value_on_success: bool,
}

/// Makes a directory where no key is yet (`prevExist=false`); else error 105.
///
/// Seldom needed, as each write makes the directories above its key, but etcd 3.5 lets a directory have a ttl
/// only from its beginning on:
/// ```
/// use etcd_proto::v2::keys::CreateDir;
/// use etcd_proto::v2::{Key, Operation, Ttl};
///
/// let mut session = CreateDir::new(Key::new("/sessions/4711")?);
/// session.ttl = Some(Ttl::from_secs(3600)?);
/// let request = Operation::from(session).encode()?;
/// assert_eq!(request.body(), "prevExist=false&dir=true&ttl=3600");
/// # Ok::<(), etcd_proto::Error>(())
/// ```
/// When it ends, all below goes with it by one event, `expire` on the directory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreateDir {
    /// The directory to make.
    pub key: Key,
    /// How long it lives, with all in it; `None` for ever.
    pub ttl: Option<Ttl>,
    /// Leave the node out of the answer (3.1 and later; ignored before).
    pub no_value_on_success: bool,
}

/// Changes how long a directory lives (`prevExist=true`).
///
/// Works with 0.4 to 3.4. Every 3.5 answers it with [`ErrorKind::DirectoryTtl`](crate::ErrorKind::DirectoryTtl)
/// and does nothing: there a directory's ttl can be given only when it is made.
///
/// On a **file** etcd ignores `dir` and stores the empty string.
///
/// Where it works, watchers see an `update`, but the directory's own modified index stays what it was. Error
/// 100 where there is no directory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UpdateDir {
    /// The directory.
    pub key: Key,
    /// How long it lives from now on; `None` for ever.
    pub ttl: Option<Ttl>,
    /// Leave the node out of the answer (3.1 and later; ignored before).
    pub no_value_on_success: bool,
}

impl SetDir {
    /// Makes `key` a directory, for ever.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, ttl: None, no_value_on_success: false }
    }
}

impl CreateDir {
    /// Creates the directory `key`, for ever.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, ttl: None, no_value_on_success: false }
    }
}

impl UpdateDir {
    /// Lets the directory `key` live for ever.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, ttl: None, no_value_on_success: false }
    }
}

// === impl KeysCall ===

fn put(key: &Key, form: Form, ttl: Option<Ttl>, no_value: bool) -> Result<Request<Bytes>, Error> {
    let form =
        form.pair("dir", "true").pair_if("ttl", ttl.map(Ttl::as_secs)).flag("noValueOnSuccess", no_value);
    RequestBuilder::new(Method::PUT, key.request_path()).form(form).build()
}

impl KeysCall for SetDir {
    const NAME: &'static str = "set dir";

    fn idempotence(&self) -> Idempotence {
        Idempotence::Once
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        put(&self.key, Form::new(), self.ttl, self.no_value_on_success)
    }

    fn leaves_out_node(&self) -> bool {
        self.no_value_on_success
    }
}

impl KeysCall for CreateDir {
    const NAME: &'static str = "create dir";

    fn idempotence(&self) -> Idempotence {
        Idempotence::Guarded
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        put(&self.key, Form::new().pair("prevExist", "false"), self.ttl, self.no_value_on_success)
    }

    fn leaves_out_node(&self) -> bool {
        self.no_value_on_success
    }
}

impl KeysCall for UpdateDir {
    const NAME: &'static str = "update dir";

    fn idempotence(&self) -> Idempotence {
        Idempotence::Once
    }

    fn encode(&self) -> Result<Request<Bytes>, Error> {
        put(&self.key, Form::new().pair("prevExist", "true"), self.ttl, self.no_value_on_success)
    }

    fn leaves_out_node(&self) -> bool {
        self.no_value_on_success
    }
}
