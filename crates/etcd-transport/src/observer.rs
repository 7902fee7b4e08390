//! What others may see of attempts: for metrics and foreign tracing.
//!
//! Spans are for `tracing`; this is the same for whoever uses something else, with types in place of fields.

use std::sync::Arc;
use std::time::Duration;

use etcd_proto::{Idempotence, Outcome};
use http::StatusCode;

use crate::{Endpoint, ErrorKind};

/// Is told of each attempt, at its beginning and at its end.
///
/// For each `attempt_started` there is exactly one `attempt_ended`, also for an attempt that is dropped. Both
/// are called in the task of the call, outside of any lock, and must neither block nor panic. A beginning and
/// its end belong together by the value that the first returns: a start time, a foreign span.
///
/// Attempts that race for a connection ([`Builder::connect_race`](crate::Builder::connect_race)) are told as
/// one: it has the number of the first, and ends as the one that was sent. The numbers of the others are left
/// out; what became of them is in [`Attempts`](crate::Attempts).
///
/// ```
/// use etcd_transport::{AttemptEnd, AttemptStart, Endpoints, Observer, Transport};
///
/// struct Print;
///
/// impl Observer for Print {
///     type Attempt = ();
///
///     fn attempt_started(&self, start: &AttemptStart) {
///         println!("{} attempt {}", start.operation, start.number);
///     }
///
///     fn attempt_ended(&self, (): (), end: &AttemptEnd) {
///         println!("{} attempt {}: the write is {} after {:?}", end.operation, end.number, end.outcome, end.elapsed);
///     }
/// }
///
/// let transport = Transport::builder(Endpoints::parse("127.0.0.1")?).observer(Print).build()?;
/// # drop(transport);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
pub trait Observer: Send + Sync + 'static {
    /// What is kept from the beginning of an attempt to its end; `()` for nothing.
    type Attempt: Send + 'static;

    /// An attempt begins; its endpoint is not chosen yet.
    fn attempt_started(&self, start: &AttemptStart) -> Self::Attempt;

    /// It has ended: by an answer, a failure, a limit, or since nobody waits for it any more.
    fn attempt_ended(&self, attempt: Self::Attempt, end: &AttemptEnd);
}

/// The beginning of an attempt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptStart {
    /// Its number in the call, from 1.
    pub number: usize,
    /// [`CallContext::operation`](crate::CallContext::operation): `set`, `get`, …; never a key.
    pub operation: &'static str,
    /// Whether the request may be sent twice.
    pub idempotence: Idempotence,
}

/// The end of an attempt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptEnd {
    /// Its number in the call, from 1.
    pub number: usize,
    /// [`CallContext::operation`](crate::CallContext::operation).
    pub operation: &'static str,
    /// Whom it asked, after a race the winner; `None` if it was given up before it was decided.
    pub endpoint: Option<Endpoint>,
    /// What became of this copy of the write: `Applied` after a success with an index. For reads always
    /// `NotApplied`.
    pub outcome: Outcome,
    /// From its beginning, on tokio's clock.
    pub elapsed: Duration,
    /// Of the answer. A watch ends here with its head.
    pub status: Option<StatusCode>,
    /// How it failed; `None` for an answer of whatever status, and for an attempt that was dropped.
    pub kind: Option<ErrorKind>,
    /// Whether it was dropped: by its caller, or since another copy was answered first. At the limit of the
    /// call `kind` is `Deadline` besides.
    pub dropped: bool,
}

/// Any [`Observer`] behind one type, shared by its clones: to keep one in a setting, or to give one to several
/// transports.
#[derive(Clone)]
pub struct SharedObserver(Arc<dyn Erased>);

impl SharedObserver {
    /// Takes any observer.
    #[must_use]
    pub fn new(observer: impl Observer) -> Self {
        Self(Arc::new(Shared(Arc::new(observer))))
    }

    /// Tells of the beginning, and hands back what wants to hear of the end.
    pub(crate) fn start(&self, start: &AttemptStart) -> Ended {
        self.0.start(start)
    }
}

impl std::fmt::Debug for SharedObserver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedObserver")
    }
}

/// Wants to hear of the end of one attempt.
pub(crate) type Ended = Box<dyn FnOnce(&AttemptEnd) + Send>;

trait Erased: Send + Sync {
    fn start(&self, start: &AttemptStart) -> Ended;
}

struct Shared<O>(Arc<O>);

impl<O: Observer> Erased for Shared<O> {
    fn start(&self, start: &AttemptStart) -> Ended {
        let observer = Arc::clone(&self.0);
        let attempt = observer.attempt_started(start);
        Box::new(move |end| observer.attempt_ended(attempt, end))
    }
}
