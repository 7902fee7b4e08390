//! Why a call on keys was refused.

use bytes::Bytes;
use etcd_proto::v2::ErrorCode;

/// A refusal of the keys API: code, cause and the store's index at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeysError {
    /// etcd's own number, from which status and message follow.
    pub(crate) code: ErrorCode,
    /// Bytes, since causes repeat keys and values, which need not be UTF-8.
    pub(crate) cause: Bytes,
    /// 0 for errors of the request's form, missing rights and 300.
    pub(crate) index: u64,
}

impl KeysError {
    /// A refusal by the state of the store at `index`.
    pub(crate) fn new(code: ErrorCode, cause: impl Into<Bytes>, index: u64) -> Self {
        Self { code, cause: cause.into(), index }
    }

    /// A refusal before the store was asked.
    pub(crate) fn of_request(code: ErrorCode, cause: impl Into<Bytes>) -> Self {
        Self::new(code, cause, 0)
    }
}
