//! The error codes of the keys API.

use std::fmt;

use http::StatusCode;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $message:literal;)*) => {
        /// etcd's `errorCode`, as the keys API answers it.
        ///
        /// The texts are those of etcd 2.0 to 3.5; 0.x says the same in its own words for some. A code that is
        /// not in etcd's table is kept in [`ErrorCode::Other`].
        ///
        /// | codes | about | HTTP status |
        /// | --- | --- | --- |
        /// | 100 to 109 | the key: the call was understood and refused | 400, 403, 404, 412 |
        /// | 110 | the user | 401 |
        /// | 200 to 212 | the form of the request | 400 |
        /// | 300, 301 | the cluster: no leader, no quorum | 500 |
        /// | 400 to 404, 500 | watches, and 0.4's standbys | 400 |
        ///
        /// Code 401 is no HTTP 401: it comes with status 400, and HTTP 401 with code 110.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
            /// A code that no etcd from 0.3 to 3.5 is known to send.
            Other(u16),
        }

        impl ErrorCode {
            /// Every code of etcd's table, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number on the wire.
            #[must_use]
            pub const fn get(self) -> u16 {
                match self {
                    $(Self::$name => $code,)*
                    Self::Other(code) => code,
                }
            }

            /// The server's own text for the code; `None` for [`ErrorCode::Other`].
            #[must_use]
            pub const fn message(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($message),)*
                    Self::Other(_) => None,
                }
            }
        }

        impl From<u16> for ErrorCode {
            fn from(code: u16) -> Self {
                match code {
                    $($code => Self::$name,)*
                    other => Self::Other(other),
                }
            }
        }
    };
}

error_codes! {
    /// The key does not exist; the cause is the first missing path element.
    KeyNotFound = 100, "Key not found";
    /// A compare-and-swap or compare-and-delete did not match; the cause holds both sides.
    CompareFailed = 101, "Compare failed";
    /// A file was wanted and the key is a directory.
    NotAFile = 102, "Not a file";
    /// The cluster takes no more peers (0.x).
    NoMorePeers = 103, "Reached the max number of peers in the cluster";
    /// The path goes through a file, or a directory was wanted.
    NotADirectory = 104, "Not a directory";
    /// A create found the key.
    KeyExists = 105, "Key already exists";
    /// The key lies below a prefix that the server keeps for itself (0.x).
    KeyIsPreserved = 106, "The prefix of given key is a keyword in etcd";
    /// The root cannot be written.
    RootReadOnly = 107, "Root is read only";
    /// A directory to delete has children.
    DirectoryNotEmpty = 108, "Directory not empty";
    /// A peer with this address exists (0.x).
    PeerAddressExists = 109, "Peer address has existed";
    /// No, wrong or insufficient credentials (2.1 and later); sent with HTTP status 401.
    Unauthorized = 110, "The request requires user authentication";
    /// A value is missing (0.x).
    ValueRequired = 200, "Value is Required in POST form";
    /// `prevValue` is empty.
    PrevValueRequired = 201, "PrevValue is Required in POST form";
    /// `ttl` is not a number of seconds.
    TtlNotANumber = 202, "The given TTL in POST form is not a number";
    /// `prevIndex` or `waitIndex` is not a number.
    IndexNotANumber = 203, "The given index in POST form is not a number";
    /// An update carries neither value nor ttl (0.x).
    ValueOrTtlRequired = 204, "Value or TTL is required in POST form";
    /// A timeout is not a number (0.x).
    TimeoutNotANumber = 205, "The given timeout in POST form is not a number";
    /// A name is missing (0.x).
    NameRequired = 206, "Name is required in POST form";
    /// Neither index nor value is given (0.x).
    IndexOrValueRequired = 207, "Index or value is required";
    /// Both index and value are given (0.x).
    IndexValueMutex = 208, "Index and value cannot both be specified";
    /// A parameter has a value that the server does not take.
    InvalidField = 209, "Invalid field";
    /// The form cannot be parsed, or is larger than 10 MiB.
    InvalidForm = 210, "Invalid POST form";
    /// A refresh carries a value (2.3 and later).
    RefreshValue = 211, "Value provided on refresh";
    /// A refresh carries no ttl (2.3 and later).
    RefreshTtlRequired = 212, "A TTL must be provided on refresh";
    /// Something failed behind the API; the cause says what. A write may have happened.
    RaftInternal = 300, "Raft Internal Error";
    /// There is no leader just now (0.4).
    LeaderElection = 301, "During Leader Election";
    /// A watcher was dropped when the server recovered (never sent by 3.4 and 3.5).
    WatcherCleared = 400, "watcher is cleared due to etcd recovery";
    /// The history no longer reaches back to the wanted index; sent with HTTP status 400.
    EventIndexCleared = 401, "The event in requested index is outdated and cleared";
    /// A standby failed (0.4).
    StandbyInternal = 402, "Standby Internal Error";
    /// The configured active size is out of range (0.4).
    InvalidActiveSize = 403, "Invalid active size";
    /// The configured remove delay is out of range (0.4).
    InvalidRemoveDelay = 404, "Standby remove delay";
    /// The server's own client failed (0.4).
    ClientInternal = 500, "Client Internal Error";
}

impl ErrorCode {
    /// Whether an answer with this code proves that nothing was written.
    ///
    /// True for 100 to 108, 110, 200 to 212 and 401: the server checks before it proposes or applies nothing.
    /// The others leave the answer to the HTTP status and the cause.
    #[must_use]
    pub const fn proves_not_applied(self) -> bool {
        matches!(self.get(), 100..=108 | 110 | 200..=212 | 401)
    }
}

impl ErrorCode {
    /// The HTTP status that etcd 2.0 to 3.5 sends the code with; 400 for a code that is not in its table.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self.get() {
            100 => StatusCode::NOT_FOUND,
            101 | 105 => StatusCode::PRECONDITION_FAILED,
            102 | 108 => StatusCode::FORBIDDEN,
            110 => StatusCode::UNAUTHORIZED,
            300 | 301 => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_table_survives_the_way_to_a_number_and_back() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from(code.get()), *code);
            assert!(code.message().is_some());
        }
        assert_eq!(ErrorCode::ALL.len(), 11 + 13 + 2 + 5 + 1);
    }

    #[test]
    fn an_unknown_code_keeps_its_number() {
        assert_eq!(ErrorCode::from(999), ErrorCode::Other(999));
        assert_eq!(ErrorCode::Other(999).get(), 999);
        assert_eq!(ErrorCode::Other(999).message(), None);
    }

    #[test]
    fn only_refusals_prove_that_nothing_was_written() {
        for code in [100, 101, 105, 108, 110, 200, 212, 401] {
            assert!(ErrorCode::from(code).proves_not_applied(), "{code}");
        }
        for code in [300, 301, 400, 402, 500, 999] {
            assert!(!ErrorCode::from(code).proves_not_applied(), "{code}");
        }
    }
}
