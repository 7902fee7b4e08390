//! Why it did not work.

use std::error::Error as StdError;
use std::fmt;

use etcd_client::Outcome;

use crate::{ErrorKind, LossReason};

/// Why something did not work, and what became of the write that it tried.
///
/// Display is one line; where a request failed, the client's error follows in [`source`](StdError::source). No stored
/// value is in either.
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    outcome: Outcome,
    loss: Option<LossReason>,
    detail: Option<String>,
    source: Option<etcd_client::Error>,
}

/// A result with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        let outcome = Outcome::NotApplied;
        Self(Box::new(Inner { kind, outcome, loss: None, detail: None, source: None }))
    }

    /// Something is held no more.
    pub(crate) fn lost(reason: LossReason) -> Self {
        let mut error = Self::new(ErrorKind::Lost);
        error.0.loss = Some(reason);
        error
    }

    /// The place in the queue was lost.
    pub(crate) fn place_lost(reason: LossReason) -> Self {
        let mut error = Self::new(ErrorKind::PlaceLost);
        error.0.loss = Some(reason);
        error
    }

    /// Says more, in a few words without any stored value.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    pub(crate) fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    pub(crate) fn with_source(mut self, source: Option<etcd_client::Error>) -> Self {
        self.0.source = source;
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What became of the write that was tried: [`Outcome::Unknown`] where a key may have been made, changed or
    /// deleted, or still may be. What was made lives for its ttl at most.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Why the holding, or the place in the queue, ended.
    #[must_use]
    pub fn loss(&self) -> Option<LossReason> {
        self.0.loss
    }

    /// The error of the request that failed last.
    #[must_use]
    pub fn client(&self) -> Option<&etcd_client::Error> {
        self.0.source.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        f.write_str(inner.kind.text())?;
        if let Some(reason) = inner.loss {
            write!(f, ": {reason}")?;
        }
        if let Some(detail) = &inner.detail {
            write!(f, ": {detail}")?;
        }
        match inner.outcome {
            Outcome::NotApplied => Ok(()),
            Outcome::Unknown => f.write_str(" (the write may have happened)"),
            Outcome::Applied => f.write_str(" (the write has happened)"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("outcome", &inner.outcome)
            .field("loss", &inner.loss)
            .field("detail", &inner.detail)
            .field("source", &inner.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

impl From<ErrorKind> for Error {
    /// An error of this kind, for recipes of one's own. Its outcome is [`Outcome::NotApplied`].
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<etcd_client::Error> for Error {
    fn from(error: etcd_client::Error) -> Self {
        let kind = if error.is_no_runtime() { ErrorKind::NoRuntime } else { ErrorKind::Client };
        Self::new(kind).with_outcome(error.outcome()).with_source(Some(error))
    }
}

const _: () = {
    const fn shared<T: Send + Sync + 'static>() {}
    shared::<Error>();
    assert!(size_of::<Error>() == size_of::<usize>());
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_line_of_its_own() {
        let lines: std::collections::HashSet<_> =
            ErrorKind::ALL.iter().map(|kind| Error::new(*kind).to_string()).collect();
        assert_eq!(lines.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn the_line_says_why_and_what_became_of_the_write() {
        assert_eq!(Error::lost(LossReason::Expired).to_string(), "held no more: not renewed in time");
        let unknown = Error::new(ErrorKind::TimedOut).with_outcome(Outcome::Unknown);
        assert_eq!(unknown.to_string(), "not had in time (the write may have happened)");
    }
}
