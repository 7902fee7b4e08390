//! The parameters of a keys request, checked in etcd's order.

use bytes::Bytes;
use etcd_proto::v2::ErrorCode;
use http::{Method, Request};

use super::form::Form;
use super::form_parse;
use crate::memory::store::KeysError;

/// The parameters of a keys request. All are checked on all methods, also where they mean nothing.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    /// What is stored; empty if absent. Bytes, since nothing makes it text.
    pub(crate) value: Bytes,
    /// What must be stored; empty for anything, since the empty text itself is refused.
    pub(crate) prev_value: Bytes,
    /// Where the key must have been changed last; 0 for anywhere, also where 0 was sent.
    pub(crate) prev_index: u64,
    /// Whether the key must exist; three states, unlike all other flags.
    pub(crate) prev_exist: Option<bool>,
    /// The first wanted index of a watch; 0 for the next one, also where 0 was sent.
    pub(crate) wait_index: u64,
    /// The whole subtree: for reads, watches and deletions, and for the check of rights of all methods.
    pub(crate) recursive: bool,
    /// Watch; only on `GET`, and `quorum` wins over it.
    pub(crate) wait: bool,
    /// Make or delete a directory.
    pub(crate) dir: bool,
    /// Read by consensus; only on `GET`.
    pub(crate) quorum: bool,
    /// Go on after the first event of a watch.
    pub(crate) stream: bool,
    /// Leave the nodes out of the answer to a write (3.1 and later).
    pub(crate) no_value_on_success: bool,
    /// Seconds to live. Without it a write makes the key permanent.
    pub(crate) ttl: Option<u64>,
    /// Keep the value and wake no watcher (2.3 and later).
    pub(crate) refresh: bool,
}

impl Parameters {
    /// Reads the parameters; the first that is wrong in etcd's order refuses the request.
    pub(crate) fn parse(request: &Request<Bytes>) -> Result<Self, KeysError> {
        let form = form_parse::parse(request).map_err(|cause| refusal(ErrorCode::InvalidForm, cause))?;
        let prev_index = index(&form, "prevIndex")?;
        let wait_index = index(&form, "waitIndex")?;
        let recursive = flag(&form, "recursive")?;
        flag(&form, "sorted")?;
        let wait = flag(&form, "wait")?;
        let dir = flag(&form, "dir")?;
        let quorum = flag(&form, "quorum")?;
        let stream = flag(&form, "stream")?;
        if wait && *request.method() != Method::GET {
            return Err(refusal(ErrorCode::InvalidField, "\"wait\" can only be used with GET requests"));
        }
        if form.get("prevValue").is_some_and(<[u8]>::is_empty) {
            return Err(refusal(ErrorCode::PrevValueRequired, "\"prevValue\" cannot be empty"));
        }
        let no_value_on_success = flag(&form, "noValueOnSuccess")?;
        let ttl = ttl(&form)?;
        let prev_exist = optional_flag(&form, "prevExist")?;
        let refresh = optional_flag(&form, "refresh")? == Some(true);
        if refresh && !form.text("value").is_empty() {
            return Err(refusal(ErrorCode::RefreshValue, "A value was provided on a refresh"));
        }
        if refresh && ttl.is_none() {
            return Err(refusal(ErrorCode::RefreshTtlRequired, "No TTL value set"));
        }
        Ok(Self {
            value: Bytes::copy_from_slice(form.text("value")),
            prev_value: Bytes::copy_from_slice(form.text("prevValue")),
            prev_index,
            prev_exist,
            wait_index,
            recursive,
            wait,
            dir,
            quorum,
            stream,
            no_value_on_success,
            ttl,
            refresh,
        })
    }

    /// Whether there is something to compare; the index 0 is nothing.
    pub(crate) fn compares(&self) -> bool {
        self.prev_index != 0 || !self.prev_value.is_empty()
    }
}

fn index(form: &Form, name: &str) -> Result<u64, KeysError> {
    form.number(name)
        .map_err(|_| refusal(ErrorCode::IndexNotANumber, format!("invalid value for \"{name}\"")))
}

fn flag(form: &Form, name: &str) -> Result<bool, KeysError> {
    form.flag(name).map_err(|_| refusal(ErrorCode::InvalidField, format!("invalid value for \"{name}\"")))
}

/// As [`flag`], with absence kept and without quotes in the cause, as in etcd.
fn optional_flag(form: &Form, name: &str) -> Result<Option<bool>, KeysError> {
    if form.get(name).is_none() {
        return Ok(None);
    }
    let flag = form.flag(name);
    flag.map(Some).map_err(|_| refusal(ErrorCode::InvalidField, format!("invalid value for {name}")))
}

/// An empty ttl is none.
fn ttl(form: &Form) -> Result<Option<u64>, KeysError> {
    if form.text("ttl").is_empty() {
        return Ok(None);
    }
    let ttl = form.number("ttl");
    ttl.map(Some).map_err(|_| refusal(ErrorCode::TtlNotANumber, "invalid value for \"ttl\""))
}

fn refusal(code: ErrorCode, cause: impl Into<Bytes>) -> KeysError {
    KeysError::of_request(code, cause)
}
