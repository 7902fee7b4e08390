//! Which failures a watch outlives.

use crate::ErrorKind;

/// What another member, or time, may do about a failure.
pub(super) enum Hope {
    Good,
    /// It may be that of one member, or of what stands before it: a proxy's page, an answer cut in a way that
    /// looks like one, a certificate.
    Little,
    None,
}

impl Hope {
    /// What there is for failures of a kind.
    pub(super) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotEtcd
            | ErrorKind::Status
            | ErrorKind::Redirect
            | ErrorKind::Unreadable
            | ErrorKind::Tls
            | ErrorKind::Layer => Self::Little,
            ErrorKind::Connect
            | ErrorKind::Interrupted
            | ErrorKind::AttemptTimeout
            | ErrorKind::Deadline
            | ErrorKind::BodyInterrupted
            | ErrorKind::IndexWentBack
            | ErrorKind::InvalidHead
            | ErrorKind::ClusterUnavailable
            | ErrorKind::NotLeader
            | ErrorKind::Conflict => Self::Good,
            // Bad input, refusals, another cluster, a client that was built or set up wrong.
            ErrorKind::InvalidKey
            | ErrorKind::InvalidTtl
            | ErrorKind::InvalidIndex
            | ErrorKind::InvalidCompare
            | ErrorKind::InvalidName
            | ErrorKind::InvalidValue
            | ErrorKind::RequestTooLong
            | ErrorKind::InvalidConfig
            | ErrorKind::KeyNotFound
            | ErrorKind::CompareFailed
            | ErrorKind::NotAFile
            | ErrorKind::NotADirectory
            | ErrorKind::KeyExists
            | ErrorKind::RootReadOnly
            | ErrorKind::DirectoryNotEmpty
            | ErrorKind::Unauthorized
            | ErrorKind::EventIndexCleared
            | ErrorKind::Api
            | ErrorKind::DirectoryTtl
            | ErrorKind::V2NotEnabled
            | ErrorKind::ClusterChanged
            | ErrorKind::UnexpectedResponse
            | ErrorKind::BodyTooLarge
            | ErrorKind::TlsUnavailable
            | ErrorKind::InsecureAuth
            | ErrorKind::NoRuntime => Self::None,
        }
    }
}
