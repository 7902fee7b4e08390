//! Why it did not work.

use std::error::Error as StdError;
use std::fmt;

use etcd_client::Outcome;
use etcd_client::v2::Key;
use etcd_recipe::LossReason;

use crate::ErrorKind;
use crate::vote::InvalidVote;

/// Why something did not work, and what became of the write that it tried.
///
/// Display is one line; where a request failed, the client's error follows in [`source`](StdError::source). No stored
/// value is in either, but for the name that a caller gave, and the field of a vote that is no vote's.
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    outcome: Outcome,
    loss: Option<LossReason>,
    detail: Option<String>,
    cause: Option<Cause>,
}

#[derive(Debug)]
enum Cause {
    Recipe(etcd_recipe::Error),
    Client(etcd_client::Error),
    Vote(InvalidVote),
}

/// A result with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self::caused(kind, Outcome::NotApplied, None)
    }

    fn caused(kind: ErrorKind, outcome: Outcome, cause: Option<Cause>) -> Self {
        Self(Box::new(Inner { kind, outcome, loss: None, detail: None, cause }))
    }

    /// The key holds what is no vote.
    pub(crate) fn malformed(key: &Key, invalid: InvalidVote) -> Self {
        let cause = Some(Cause::Vote(invalid));
        Self::caused(ErrorKind::MalformedVote, Outcome::NotApplied, cause).with_detail(key.to_string())
    }

    /// The name of a candidate is one that a vote cannot hold.
    pub(crate) fn invalid_candidate(invalid: InvalidVote) -> Self {
        Self::caused(ErrorKind::InvalidValue, Outcome::NotApplied, Some(Cause::Vote(invalid)))
    }

    /// Says more, in a few words.
    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
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

    /// Why the leadership, or the place in the queue, ended.
    #[must_use]
    pub fn loss(&self) -> Option<LossReason> {
        self.0.loss
    }

    /// The error of the request that failed last.
    #[must_use]
    pub fn client(&self) -> Option<&etcd_client::Error> {
        match self.0.cause.as_ref()? {
            Cause::Recipe(recipe) => recipe.client(),
            Cause::Client(client) => Some(client),
            Cause::Vote(_) => None,
        }
    }

    /// What is wrong with a vote that was read, or with a candidate's name.
    #[must_use]
    pub fn vote(&self) -> Option<&InvalidVote> {
        match self.0.cause.as_ref()? {
            Cause::Vote(invalid) => Some(invalid),
            Cause::Recipe(_) | Cause::Client(_) => None,
        }
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
            .field("cause", &inner.cause)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self.0.cause.as_ref()? {
            // Its own line says nothing more, unless it is about a setting: then it names the thing.
            Cause::Recipe(recipe) => match recipe.client() {
                Some(client) => Some(client),
                None if self.0.kind.is_of_a_setting() => Some(recipe),
                None => None,
            },
            Cause::Client(client) => Some(client),
            Cause::Vote(invalid) => Some(invalid),
        }
    }
}

impl From<etcd_recipe::Error> for Error {
    fn from(error: etcd_recipe::Error) -> Self {
        use etcd_recipe::ErrorKind as Recipe;
        let kind = match error.kind() {
            Recipe::InvalidKey => ErrorKind::InvalidName,
            Recipe::InvalidTtl => ErrorKind::InvalidTtl,
            Recipe::InvalidValue => ErrorKind::InvalidValue,
            Recipe::Lost => ErrorKind::Lost,
            Recipe::PlaceLost => ErrorKind::PlaceLost,
            Recipe::TimedOut => ErrorKind::TimedOut,
            Recipe::UnknownToken => ErrorKind::NotQueued,
            Recipe::NoRuntime => ErrorKind::NoRuntime,
            // Of tokens and keys that nobody gives us, and kinds that a later etcd-recipe may add: the crates are
            // released together, so there are none.
            _ => ErrorKind::Client,
        };
        let loss = error.loss();
        let mut own = Self::caused(kind, error.outcome(), Some(Cause::Recipe(error)));
        own.0.loss = loss;
        own
    }
}

impl From<etcd_client::Error> for Error {
    fn from(error: etcd_client::Error) -> Self {
        let kind = if error.is_no_runtime() { ErrorKind::NoRuntime } else { ErrorKind::Client };
        Self::caused(kind, error.outcome(), Some(Cause::Client(error)))
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
    fn a_bad_setting_is_named_by_the_source() {
        let short = etcd_recipe::Timing::new(std::time::Duration::from_secs(3), std::time::Duration::ZERO);
        let error = Error::from(short.unwrap_err());
        assert!(error.is_invalid_ttl());
        assert!(error.source().unwrap().to_string().contains("3s"), "{error:?}");
    }

    #[test]
    fn a_bad_token_is_of_no_kind_of_ours() {
        let error = Error::from("x".parse::<etcd_recipe::Token>().unwrap_err());
        assert!(error.is_client() && error.outcome() == Outcome::NotApplied);
    }
}
