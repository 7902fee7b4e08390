//! How the program ends: what a script can tell apart. The table stands in `docs/command-line.md` too.

use std::process::ExitCode;

use etcd_client::{Error, ErrorKind, Outcome};

macro_rules! exits {
    ($($(#[doc = $doc:literal])* $exit:ident = $code:literal;)*) => {
        /// An exit code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Exit {
            $($(#[doc = $doc])* $exit,)*
            /// What the program that was run under a lock or a leadership has ended with.
            OfProgram(u8),
        }

        impl Exit {
            /// Every code there is, with what it means.
            pub(crate) const ALL: &'static [(u8, &'static str)] = &[$(($code, concat!($($doc),*))),*];

            /// The number.
            fn code(self) -> u8 {
                match self {
                    $(Self::$exit => $code,)*
                    Self::OfProgram(code) => code,
                }
            }
        }
    };
}

exits! {
    /// done; for `exists`: it does
    Done = 0;
    /// any other failure
    Failed = 1;
    /// wrong use: an option, a key, a value or a setting that cannot be; nothing was sent
    Usage = 2;
    /// no such key, user, role or member
    NotFound = 3;
    /// the key does not hold what the condition says
    CompareFailed = 4;
    /// the key exists already
    Exists = 5;
    /// no, wrong or insufficient credentials
    Unauthorized = 6;
    /// no member could be reached; nothing was sent
    Unreachable = 7;
    /// nobody knows whether the write has happened, or may happen yet
    Unknown = 8;
    /// the cluster or a member did not answer in time, or has no leader; nothing was written
    Unavailable = 9;
    /// a directory where a value was wanted, a value where a directory was wanted, or a directory that is not empty
    WrongType = 10;
    /// what answers is no etcd, or one with the v2 API off
    NotEtcd = 11;
    /// the write has happened, but its answer was lost
    Applied = 12;
    /// `cluster-health`: a member is not well
    Unhealthy = 13;
    /// the events that were asked for are lost: the server no longer has them
    EventsLost = 14;
    /// a lock or a leadership was lost while it was held, or the place in its queue
    Lost = 15;
    /// nobody holds or waits by this token or name, or nobody at all
    NotHeld = 16;
    /// ended by SIGHUP: the terminal has gone
    HungUp = 129;
    /// ended by SIGINT (Ctrl-C)
    Interrupted = 130;
    /// whoever read the output has gone
    BrokenPipe = 141;
    /// ended by SIGTERM
    Terminated = 143;
}

impl Exit {
    /// The code for a call that has failed: first what became of its write, then why.
    pub(crate) fn of(error: &Error) -> Self {
        match error.outcome() {
            Outcome::Unknown => Self::Unknown,
            Outcome::Applied => Self::Applied,
            Outcome::NotApplied => Self::of_kind(error),
        }
    }

    /// The code for what has failed about a lock: a loss first, then as for a call.
    pub(crate) fn of_lock(error: &etcd_lock::Error) -> Self {
        use etcd_lock::ErrorKind as Kind;
        match error.kind() {
            Kind::Lost | Kind::PlaceLost => Self::Lost,
            _ if error.outcome() == Outcome::Unknown => Self::Unknown,
            _ if error.outcome() == Outcome::Applied => Self::Applied,
            Kind::InvalidKey | Kind::InvalidTtl | Kind::InvalidValue | Kind::InvalidToken => Self::Usage,
            Kind::UnknownToken => Self::NotHeld,
            Kind::TimedOut => Self::Unavailable,
            _ => error.client().map_or(Self::Failed, Self::of_kind),
        }
    }

    /// The code for what has failed about an election.
    pub(crate) fn of_leader(error: &etcd_leader::Error) -> Self {
        use etcd_leader::ErrorKind as Kind;
        match error.kind() {
            Kind::Lost | Kind::PlaceLost => Self::Lost,
            _ if error.outcome() == Outcome::Unknown => Self::Unknown,
            _ if error.outcome() == Outcome::Applied => Self::Applied,
            Kind::InvalidName | Kind::InvalidTtl | Kind::InvalidValue => Self::Usage,
            Kind::NotQueued => Self::NotHeld,
            Kind::TimedOut => Self::Unavailable,
            _ => error.client().map_or(Self::Failed, Self::of_kind),
        }
    }

    fn of_kind(error: &Error) -> Self {
        use ErrorKind as Kind;
        match error.kind() {
            Kind::InvalidKey
            | Kind::InvalidTtl
            | Kind::InvalidIndex
            | Kind::InvalidCompare
            | Kind::InvalidName
            | Kind::InvalidValue
            | Kind::RequestTooLong
            | Kind::InvalidConfig
            | Kind::TlsUnavailable
            | Kind::InsecureAuth => Self::Usage,
            Kind::KeyNotFound => Self::NotFound,
            Kind::CompareFailed | Kind::Conflict => Self::CompareFailed,
            Kind::KeyExists => Self::Exists,
            Kind::NotAFile | Kind::NotADirectory | Kind::DirectoryNotEmpty | Kind::RootReadOnly => {
                Self::WrongType
            }
            Kind::Unauthorized => Self::Unauthorized,
            Kind::EventIndexCleared => Self::EventsLost,
            Kind::Connect | Kind::Tls => Self::Unreachable,
            Kind::ClusterUnavailable
            | Kind::NotLeader
            | Kind::Interrupted
            | Kind::AttemptTimeout
            | Kind::Deadline
            | Kind::BodyInterrupted
            | Kind::IndexWentBack => Self::Unavailable,
            Kind::V2NotEnabled | Kind::NotEtcd => Self::NotEtcd,
            // Members, users and roles have no error codes of their own, only HTTP's.
            _ => match error.http_status().map(|status| status.as_u16()) {
                Some(404) => Self::NotFound,
                Some(409) => Self::Exists,
                _ => Self::Failed,
            },
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_exits_share_a_code() {
        let mut codes: Vec<_> = Exit::ALL.iter().map(|(code, _)| code).collect();
        codes.dedup();
        assert_eq!(codes.len(), Exit::ALL.len());
        assert!(codes.is_sorted());
    }

    #[test]
    fn the_table_of_the_documentation_is_this_one() {
        let guide = include_str!("../../../docs/command-line.md");
        for (code, meaning) in Exit::ALL {
            let row = format!("| {code} | {} |", meaning.trim());
            assert!(guide.contains(&row), "docs/command-line.md lacks: {row}");
        }
    }
}
