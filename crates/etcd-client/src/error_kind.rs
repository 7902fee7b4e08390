//! What went wrong.

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $kind:ident, $predicate:ident, $text:literal;)*) => {
        /// What went wrong with a call, see [`Error::kind`](crate::Error::kind).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl ErrorKind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The kind in a few words.
            pub(crate) fn text(self) -> &'static str {
                match self {
                    $(Self::$kind => $text,)*
                }
            }
        }

        impl crate::Error {
            $(
                #[doc = concat!("Whether the kind is [`ErrorKind::", stringify!($kind), "`].")]
                #[must_use]
                pub fn $predicate(&self) -> bool {
                    self.kind() == ErrorKind::$kind
                }
            )*
        }
    };
}

error_kinds! {
    /// A key that etcd cannot hold. Nothing was sent, or the server did nothing (301).
    InvalidKey, is_invalid_key, "invalid key";
    /// A ttl of 0 or above 6,000,000,000 s. Nothing was sent.
    InvalidTtl, is_invalid_ttl, "invalid ttl";
    /// Index 0 where an index is sent. Nothing was sent.
    InvalidIndex, is_invalid_index, "invalid index";
    /// A condition that etcd would ignore. Nothing was sent.
    InvalidCompare, is_invalid_compare, "invalid condition";
    /// A name, member id or URL that cannot be written into a request. Nothing was sent.
    InvalidName, is_invalid_name, "invalid name";
    /// A value that cannot be stored as text, or a stored one that is not what the caller wants to read.
    InvalidValue, is_invalid_value, "invalid value";
    /// A request longer than etcd takes. Nothing was sent.
    RequestTooLong, is_request_too_long, "request too long";
    /// A setting of the client, or an environment variable, that cannot be used. Nothing was sent.
    InvalidConfig, is_invalid_config, "invalid configuration";

    /// The key does not exist (error 100).
    KeyNotFound, is_key_not_found, "key not found";
    /// The key does not hold what the condition says (error 101).
    CompareFailed, is_compare_failed, "compare failed";
    /// The key is a directory and a file was wanted (error 102).
    NotAFile, is_not_a_file, "not a file";
    /// The path goes through a file, or a file is where a directory was wanted (error 104).
    NotADirectory, is_not_a_directory, "not a directory";
    /// The key exists already (error 105).
    KeyExists, is_key_exists, "key already exists";
    /// The root directory cannot be written (error 107).
    RootReadOnly, is_root_read_only, "root is read only";
    /// The directory has children, hidden ones included (error 108).
    DirectoryNotEmpty, is_directory_not_empty, "directory not empty";
    /// No, wrong or insufficient credentials: etcd does not tell which (error 110, or HTTP status 401).
    Unauthorized, is_unauthorized, "unauthorized";
    /// The history no longer reaches back to the wanted index (error 401): events were lost.
    EventIndexCleared, is_event_index_cleared, "the wanted events are no longer in the history";
    /// The member could not get the cluster's consent: no leader, no quorum, or it is stopping (errors 300 and
    /// 301, or status 500 and 503 of etcd). A write may have happened.
    ClusterUnavailable, is_cluster_unavailable, "the cluster did not agree in time";
    /// Only the leader answers this, and no member that was asked is it.
    NotLeader, is_not_leader, "not the leader";
    /// Any other error of etcd, see [`Error::api`](crate::Error::api).
    Api, is_api, "etcd refused";
    /// The server cannot change a directory's ttl: a defect of every etcd 3.5. Nothing was done.
    DirectoryTtl, is_directory_ttl, "the server cannot change a directory's ttl";
    /// The v2 API is off: etcd 3.4 and 3.5 need `--enable-v2`, 3.6 has none any more.
    V2NotEnabled, is_v2_not_enabled, "the v2 API is not enabled";
    /// What answers is not etcd.
    NotEtcd, is_not_etcd, "not etcd";
    /// An HTTP status without anything of etcd in the body.
    Status, is_status, "unexpected status";
    /// A redirect that was not followed.
    Redirect, is_redirect, "redirected";
    /// A member answered for another cluster than the expected or the first seen. The outcome of a write is
    /// what that answer proves; `Applied` means written, in the other cluster.
    ClusterChanged, is_cluster_changed, "another cluster";
    /// Every member that was asked answered from an older state than one that had been seen.
    IndexWentBack, is_index_went_back, "answer from the past";
    /// The head of an answer is no HTTP, or larger than the limit (64 KiB, 100 headers). A write may have happened.
    InvalidHead, is_invalid_head, "head of the answer unreadable";
    /// A success whose body cannot be read.
    Unreadable, is_unreadable, "unreadable answer";
    /// A layer has mixed up answers.
    UnexpectedResponse, is_unexpected_response, "answer of another sort";

    /// No member could be connected to. Nothing was sent.
    Connect, is_connect, "cannot connect";
    /// There is no trust between client and member: a certificate of an unknown CA, for another name, expired, or
    /// ours refused. Nothing was sent, but see [`Error::outcome`](crate::Error::outcome): with TLS 1.3 ours is
    /// refused late.
    Tls, is_tls, "no TLS";
    /// The connection broke before an answer came.
    Interrupted, is_interrupted, "connection interrupted";
    /// An attempt took longer than its limit.
    AttemptTimeout, is_attempt_timeout, "attempt timed out";
    /// The call took longer than its limit.
    Deadline, is_deadline, "call timed out";
    /// The answer is larger than the limit.
    BodyTooLarge, is_body_too_large, "answer too large";
    /// The connection broke inside the answer.
    BodyInterrupted, is_body_interrupted, "answer interrupted";
    /// An endpoint needs TLS, which this client was built without. Nothing was sent.
    TlsUnavailable, is_tls_unavailable, "TLS is not built in";
    /// Credentials would have gone over an open network in plain text. Nothing was sent.
    InsecureAuth, is_insecure_auth, "credentials over plain text";

    /// A call was awaited outside a tokio runtime. Nothing was sent.
    NoRuntime, is_no_runtime, "no tokio runtime here";

    /// A read-and-swap loop found the key changed in every round. Nothing was written.
    Conflict, is_conflict, "the key changed in every round";
    /// A layer of the user's, or a service that stands in for etcd, failed in its own way.
    Layer, is_layer, "a layer failed";
}

impl ErrorKind {
    /// Whether the same call may well succeed a little later or at another member.
    pub(crate) fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Connect
                | Self::Interrupted
                | Self::AttemptTimeout
                | Self::Deadline
                | Self::BodyInterrupted
                | Self::IndexWentBack
                | Self::InvalidHead
                | Self::ClusterUnavailable
                | Self::NotLeader
                | Self::Conflict
        )
    }
}
