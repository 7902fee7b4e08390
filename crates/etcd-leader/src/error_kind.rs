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
    /// The name of an election, or the key of a vote, cannot be a key of etcd. Nothing was sent.
    InvalidName, is_invalid_name, "invalid name";
    /// A ttl below 5 s, or too short for its margin. Nothing was sent.
    InvalidTtl, is_invalid_ttl, "invalid ttl";
    /// An empty value, or one that a vote cannot hold. Nothing was sent.
    InvalidValue, is_invalid_value, "invalid value";

    /// It leads no more, see [`Error::loss`](crate::Error::loss).
    Lost, is_lost, "leads no more";
    /// The place in the queue was lost while waiting, and was not to be taken anew.
    PlaceLost, is_place_lost, "place in the queue lost";
    /// It did not lead in the time that the caller gave.
    TimedOut, is_timed_out, "not leader in time";
    /// An earlier leadership of this candidate was lost and its [`Leadership`](crate::Leadership) is still there: stop
    /// what it did, drop it, and campaign again.
    NotStopped, is_not_stopped, "the lost leadership is not dropped yet";
    /// No candidate has this name. The seeds' servers say error 100.
    NotQueued, is_not_queued, "no candidate has this name";
    /// The key of a vote holds what is no vote, see [`Error::vote`](crate::Error::vote). Somebody else uses that key.
    MalformedVote, is_malformed_vote, "the key holds no vote";

    /// A request failed: the source says how.
    Client, is_client, "request failed";
    /// There is no tokio runtime here, or the one that renewed the leadership has ended.
    NoRuntime, is_no_runtime, "no tokio runtime";
}

impl ErrorKind {
    /// Whether it is about what the caller has set.
    pub(crate) fn is_of_a_setting(self) -> bool {
        matches!(self, Self::InvalidName | Self::InvalidTtl | Self::InvalidValue)
    }
}
