//! Why a server could not be had, started or steered.

use std::error::Error as StdError;
use std::fmt;

/// The result of this module's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a server could not be found, started or steered.
///
/// The text is one sentence that says what failed and, where there is a way out, what to do. A failed start
/// adds the last lines of the server's log.
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
    /// No etcd of the wanted series is on this machine.
    BinaryNotFound,
    /// A file was named as etcd but does not run or does not say its version.
    BinaryUnusable,
    /// A setting cannot be used, such as a cluster of no members.
    Config,
    /// The server could not be started, or ended by itself while it started.
    Start,
    /// The server runs but did not answer as a healthy one within the limit.
    NotReady,
    /// The server refused to switch authentication on.
    Auth,
    /// A signal could not be sent, or a process did not end after it.
    Signal,
    /// The member is not running, so it can be neither stopped nor resumed.
    NotRunning,
    /// The server's lifetime is over, so it is not started again.
    Expired,
}

// === impl Error ===

impl Error {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    pub(super) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// True if no etcd of the wanted series is on this machine.
    #[must_use]
    pub fn is_binary_not_found(&self) -> bool {
        self.kind() == ErrorKind::BinaryNotFound
    }

    /// True if a file was named as etcd but does not run or does not say its version.
    #[must_use]
    pub fn is_binary_unusable(&self) -> bool {
        self.kind() == ErrorKind::BinaryUnusable
    }

    /// True if a setting cannot be used.
    #[must_use]
    pub fn is_config(&self) -> bool {
        self.kind() == ErrorKind::Config
    }

    /// True if the server could not be started or ended by itself while it started.
    #[must_use]
    pub fn is_start(&self) -> bool {
        self.kind() == ErrorKind::Start
    }

    /// True if the server runs but did not answer as a healthy one within the limit.
    #[must_use]
    pub fn is_not_ready(&self) -> bool {
        self.kind() == ErrorKind::NotReady
    }

    /// True if the server refused to switch authentication on.
    #[must_use]
    pub fn is_auth(&self) -> bool {
        self.kind() == ErrorKind::Auth
    }

    /// True if a signal could not be sent or a process did not end after it.
    #[must_use]
    pub fn is_signal(&self) -> bool {
        self.kind() == ErrorKind::Signal
    }

    /// True if the member is not running.
    #[must_use]
    pub fn is_not_running(&self) -> bool {
        self.kind() == ErrorKind::NotRunning
    }

    /// True if the server's lifetime is over.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.kind() == ErrorKind::Expired
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_its_own_line_only_and_the_source_is_apart() {
        let error =
            Error::new(ErrorKind::Start, "etcd did not start").with_source(std::io::Error::other("no disk"));
        assert_eq!(error.to_string(), "etcd did not start");
        assert_eq!(error.source().unwrap().to_string(), "no disk");
        assert!(error.is_start() && !error.is_not_ready());
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
