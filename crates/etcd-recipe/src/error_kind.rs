//! What went wrong.

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $kind:ident, $predicate:ident, $text:literal;)*) => {
        /// What went wrong, see [`Error::kind`](crate::Error::kind).
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
    /// A key that etcd cannot hold. Nothing was sent.
    InvalidKey, is_invalid_key, "invalid key";
    /// A ttl below 5 s, or too short for its margin. Nothing was sent.
    InvalidTtl, is_invalid_ttl, "invalid ttl";
    /// An empty value, which etcd cannot compare with. Nothing was sent.
    InvalidValue, is_invalid_value, "invalid value";
    /// A text that is no token.
    InvalidToken, is_invalid_token, "invalid token";

    /// What was held is held no more, see [`Error::loss`](crate::Error::loss).
    Lost, is_lost, "held no more";
    /// The place in the queue was lost while waiting: the key ran out, or somebody deleted it.
    PlaceLost, is_place_lost, "place in the queue lost";
    /// It was not had in the time that the caller gave.
    TimedOut, is_timed_out, "not had in time";
    /// No key has this token: it was never one of this place, or its holding has ended.
    UnknownToken, is_unknown_token, "no key has this token";
    /// The key exists, and it is not ours.
    KeyExists, is_key_exists, "key already exists";
    /// A later holder has written: the stored token is greater than the one to write with. Nothing was written.
    Fenced, is_fenced, "fenced off by a later holder";
    /// A token of another cluster than the stored one: the two cannot be compared. Nothing was written.
    ForeignToken, is_foreign_token, "token of another cluster";
    /// The key holds something that was not written with a token. Nothing was written.
    NotFenced, is_not_fenced, "not written with a token";
    /// A read-and-swap loop found the key changed in every round. Nothing was written.
    Conflict, is_conflict, "the key changed in every round";
    /// A request failed: the source says how.
    Client, is_client, "request failed";
    /// There is no tokio runtime here, or the one that renewed what is held has ended.
    NoRuntime, is_no_runtime, "no tokio runtime";
}
