//! Which etcd the server in memory behaves like.

use crate::Version;

/// Which etcd the server in memory behaves like, where their v2 answers differ.
///
/// | | 3.4 | 3.5 |
/// | --- | --- | --- |
/// | update or refresh of a directory | works | status 500, code 300, nothing done |
/// | `/health` | `{"health":"true"}` | has a `reason` as well |
/// | backspace and form feed in JSON | `\u0008`, `\u000c` | `\b`, `\f` |
/// | peer URL `unix://NAME` without a port | refused | taken |
/// | `/version` | 3.4.23 | 3.5.16 |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// etcd 3.4.23, built with Go 1.19.
    V3_4,
    /// etcd 3.5.16, built with Go 1.24; the default, since it is the last line with a v2 API.
    #[default]
    V3_5,
}

impl Profile {
    /// The version that `/version` shows for the member.
    #[must_use]
    pub fn version(self) -> Version {
        match self {
            Self::V3_4 => Version { major: 3, minor: 4, patch: 23 },
            Self::V3_5 => Version { major: 3, minor: 5, patch: 16 },
        }
    }

    /// Whether an update of a directory fails inside and changes nothing (every 3.5).
    pub(crate) fn fails_directory_updates(self) -> bool {
        match self {
            Self::V3_4 => false,
            Self::V3_5 => true,
        }
    }

    /// Whether `/health` says why.
    pub(crate) fn health_has_reason(self) -> bool {
        match self {
            Self::V3_4 => false,
            Self::V3_5 => true,
        }
    }

    /// Whether JSON has the short forms `\b` and `\f` (Go 1.22 and later).
    pub(crate) fn has_short_escapes(self) -> bool {
        match self {
            Self::V3_4 => false,
            Self::V3_5 => true,
        }
    }

    /// Whether a peer URL of a unix socket may stand without a port.
    pub(crate) fn takes_unix_urls_without_port(self) -> bool {
        match self {
            Self::V3_4 => false,
            Self::V3_5 => true,
        }
    }

    /// Content type of `/metrics`.
    pub(crate) fn metrics_content_type(self) -> &'static str {
        match self {
            Self::V3_4 => "text/plain; version=0.0.4; charset=utf-8",
            Self::V3_5 => "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
        }
    }
}
