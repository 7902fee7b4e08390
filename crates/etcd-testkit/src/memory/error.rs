//! Why a server in memory could not be started or steered.

use std::error::Error as StdError;
use std::fmt;

/// Why a server in memory could not be started or steered.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kind of failure an [`Error`] is.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A setting cannot be used, such as a cluster of no members.
    Config,
    /// A port could not be had.
    Listen,
    /// A change names a member that the cluster does not have, or no longer has. Nothing was changed.
    NoMember,
    /// A change names a key that does not exist, or the root. Nothing was changed.
    NoKey,
}

impl Error {
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// A place that no member has or had.
    pub(crate) fn no_member(member: usize) -> Self {
        Self::new(ErrorKind::NoMember, format!("there is no member {member}"))
    }

    /// A place whose member was removed from the cluster, which is for good.
    pub(crate) fn removed_member(member: usize) -> Self {
        Self::new(ErrorKind::NoMember, format!("member {member} was removed from the cluster"))
    }

    /// A key that does not exist.
    pub(crate) fn no_key(key: &str) -> Self {
        Self::new(ErrorKind::NoKey, format!("there is no key `{key}`"))
    }

    /// The root, which etcd never removes.
    pub(crate) fn root() -> Self {
        Self::new(ErrorKind::NoKey, "the root cannot expire")
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    pub(crate) fn listen(
        message: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let (message, source) = (message.into(), Some(source.into()));
        Self(Box::new(Inner { kind: ErrorKind::Listen, message, source }))
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// True if a setting cannot be used.
    #[must_use]
    pub fn is_config(&self) -> bool {
        self.kind() == ErrorKind::Config
    }

    /// True if a change names a member that the cluster does not have.
    #[must_use]
    pub fn is_no_member(&self) -> bool {
        self.kind() == ErrorKind::NoMember
    }

    /// True if a change names a key that does not exist, or the root.
    #[must_use]
    pub fn is_no_key(&self) -> bool {
        self.kind() == ErrorKind::NoKey
    }

    /// True if a port could not be had.
    #[must_use]
    pub fn is_listen(&self) -> bool {
        self.kind() == ErrorKind::Listen
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, source } = &*self.0;
        f.debug_struct("Error").field("kind", kind).field("message", message).field("source", source).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
