//! What is kept of an attempt that failed.
//!
//! The cause is kept as it came, shared by the record and by the error of the call; it may be asked for more
//! than its text (`downcast_ref`), but nothing here decides by it.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use etcd_proto::Outcome;

use crate::error::Cause;
use crate::{Endpoint, Error, ErrorKind};

/// How far an attempt had come when it failed.
///
/// The order is that of an attempt's life. Whether the write was applied is another question, see
/// [`Attempt::outcome`]: a request that was cut in phase `Request` may have been applied or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// There was no connection: nothing was sent.
    Connect,
    /// Something may have been sent; no head of an answer has come.
    Request,
    /// The head of an answer has come.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Request => "waiting for an answer",
            Self::Body => "reading the answer",
        })
    }
}

/// One attempt that failed: where, how far it came, how long it took, what it proves, and why.
///
/// Display gives one line for a list, with the innermost cause at its end:
///
/// ```text
/// http://10.0.0.7:2379: connect while connecting, 2 ms: Connection refused (os error 111)
/// ```
#[derive(Clone, Debug)]
pub struct Attempt {
    endpoint: Endpoint,
    phase: Phase,
    elapsed: Duration,
    outcome: Outcome,
    kind: ErrorKind,
    cause: Option<Cause>,
}

impl Attempt {
    /// Takes down how an attempt at this endpoint failed.
    pub(crate) fn new(endpoint: Endpoint, elapsed: Duration, error: &Error) -> Self {
        Self {
            endpoint,
            phase: error.phase(),
            elapsed,
            outcome: error.outcome(),
            kind: error.kind(),
            cause: error.cause(),
        }
    }

    /// The server that was asked.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How far it came.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// From the choice of the endpoint to the failure, on tokio's clock.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// What became of this copy of the request; `NotApplied` for reads, as in [`Error::outcome`].
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// How it failed; `Deadline` for one that was in flight when its call ended.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The cause below, shared with the error of the call; `None` for what has no cause but time.
    #[must_use]
    pub fn source(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.cause.as_deref()
    }
}

impl fmt::Display for Attempt {
    /// One line with the innermost cause, for lists of attempts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, phase, elapsed, kind, .. } = self;
        write!(f, "{endpoint}: {} while {phase}, {} ms", kind.name(), elapsed.as_millis())?;
        let Some(cause) = self.source() else { return Ok(()) };
        let mut innermost: &dyn StdError = cause;
        while let Some(next) = innermost.source() {
            innermost = next;
        }
        write!(f, ": {innermost}")
    }
}

/// The attempts that one call made: how many, which of them failed how, and what they leave open. Cloning
/// costs a reference count.
///
/// It stands in each error, and in the extensions of each final response (there with what failed before).
///
/// ```
/// use etcd_transport::{Attempts, RespBody};
///
/// fn report(response: &http::Response<RespBody>) {
///     let Some(attempts) = response.extensions().get::<Attempts>() else { return };
///     println!("answered by attempt {}", attempts.made());
///     for failed in attempts {
///         println!("before that {failed}");
///     }
/// }
/// # report(&http::Response::new(RespBody::default()));
/// ```
#[derive(Clone)]
pub struct Attempts {
    /// `None` for none, which is the rule.
    failed: Option<Arc<[Attempt]>>,
    made: usize,
    outcome: Outcome,
    budget_empty: bool,
}

impl Attempts {
    /// So many attempts, of which these failed.
    pub(crate) fn new(failed: Vec<Attempt>, made: usize) -> Self {
        // Nearly every call ends here with nothing to keep: no allocation for those.
        let failed = (!failed.is_empty()).then(|| failed.into());
        Self { failed, made, outcome: Outcome::NotApplied, budget_empty: false }
    }

    /// Sets whether the budget has ended them.
    pub(crate) fn with_budget(mut self, empty: bool) -> Self {
        self.budget_empty = empty;
        self
    }

    /// Sets what is left to fear of them.
    pub(crate) fn leaving(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// How many attempts were begun, the last and successful one included.
    #[must_use]
    pub fn made(&self) -> usize {
        self.made
    }

    /// What is left to fear of all copies of the request but the one whose answer this stands beside: the
    /// worst of what they prove. In an [`Error`] it is over all.
    ///
    /// An answer that refuses a write proves nothing about an earlier copy. So what became of the write is
    /// the worst of what the answer proves and of this:
    ///
    /// | an earlier attempt | counts as |
    /// | --- | --- |
    /// | failed | [`Attempt::outcome`] |
    /// | was answered, and something went on | what that proves; for a success with an index `Applied` |
    /// | was dropped by some layer, or is still open | `Unknown` |
    /// | left no trace, since some layer lost the request's extensions | `Unknown` |
    ///
    /// For reads it is always `NotApplied`.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Whether another attempt was due, and the retry budget was empty, see [`Budget`](crate::retry::Budget).
    #[must_use]
    pub fn is_budget_empty(&self) -> bool {
        self.budget_empty
    }

    /// Those that failed, in the order in which they were begun; of a call of more than 64 attempts not the
    /// oldest.
    #[must_use]
    pub fn as_slice(&self) -> &[Attempt] {
        self.failed.as_deref().unwrap_or_default()
    }

    /// Those that failed, in the order in which they were begun.
    pub fn iter(&self) -> std::slice::Iter<'_, Attempt> {
        self.as_slice().iter()
    }

    /// How many failed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether none failed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}

impl Default for Attempts {
    /// None.
    fn default() -> Self {
        Self::new(Vec::new(), 0)
    }
}

impl<'a> IntoIterator for &'a Attempts {
    type Item = &'a Attempt;
    type IntoIter = std::slice::Iter<'a, Attempt>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempts")
            .field("made", &self.made)
            .field("outcome", &self.outcome)
            .field("budget_empty", &self.budget_empty)
            .field("failed", &self.as_slice())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> Attempt {
        let cause = std::io::Error::other("no route");
        let error = Error::new(ErrorKind::Connect).caused_by(cause);
        Attempt::new("http://a:1".parse().unwrap(), Duration::from_millis(7), &error)
    }

    #[test]
    fn an_attempt_prints_endpoint_phase_time_and_innermost_cause() {
        assert_eq!(attempt().to_string(), "http://a:1: connect while connecting, 7 ms: no route");
    }

    #[test]
    fn no_failure_needs_no_list() {
        let attempts = Attempts::new(Vec::new(), 1);
        assert!(attempts.is_empty() && attempts.failed.is_none());
        assert_eq!(attempts.made(), 1);
    }

    #[test]
    fn a_clone_shares_the_list() {
        let attempts = Attempts::new(vec![attempt()], 2);
        let copy = attempts.clone();
        assert!(std::ptr::eq(attempts.as_slice(), copy.as_slice()));
        assert_eq!((copy.len(), copy.made()), (1, 2));
    }
}
