//! What the layers of one attempt share: how far it has come.
//!
//! Each layer writes what it sees, so that whoever ends the attempt, from above or below, finds what is
//! proved:
//!
//! | seen by | what | a write is then |
//! | --- | --- | --- |
//! | nobody | the attempt has been entered in the log | `NotApplied` |
//! | `Route` | the request goes to a connection service | `Unknown` |
//! | `Connection` | it is held for want of a connection | `Unknown`; `NotApplied` once it is given up |
//! | `Route` | that service could not connect | `NotApplied` |
//! | `Route` | a head | what the head proves |
//! | `Collect` | a body | what etcd's error in it proves |
//! | `Collect` | a cut body | what the head proves |
//! | `AttemptTimeout`, `Deadline` | time is up | what was proved until then |
//!
//! Of several copies of the request ([`Copies`]) an answer or a failure tells of one; the others leave it
//! `Unknown`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use etcd_proto::{Idempotence, Outcome};
use http::Extensions;
use tokio::time::Instant;

use crate::call_state::CallState;
use crate::copies::Copies;
use crate::route::Leave;
use crate::{Attempt, Endpoint, Error, ErrorKind, Phase};

/// One attempt: in the extensions of its copy of the request, and in the log of its call.
#[derive(Clone, Debug)]
pub(crate) struct AttemptState(Arc<Inner>);

/// In the extensions of an answer: the attempt that got it.
#[derive(Clone, Debug)]
pub(crate) struct AnsweredBy(AttemptState);

#[derive(Debug)]
struct Inner {
    number: usize,
    record: Mutex<Record>,
}

/// What is known of an attempt at this moment. Changed under one short lock, never across an await.
#[derive(Debug)]
struct Record {
    /// Where it was begun; `None` until the router has chosen.
    begun: Option<Begun>,
    /// How far it has come.
    phase: Phase,
    /// What is proved should nothing more be heard.
    outcome: Outcome,
    /// The worst of what a router has begun before under this very state, as only a layer out of place can
    /// make it.
    earlier: Outcome,
    /// How it failed, once it has.
    failure: Option<Attempt>,
    /// A complete answer has been handed up.
    answered: bool,
    /// Another copy of the request has taken its place.
    abandoned: bool,
    /// What is at the bottom.
    copies: Copies,
}

/// What is fixed when the router has chosen.
#[derive(Debug)]
struct Begun {
    /// The endpoint, and how to let later calls begin elsewhere.
    leave: Leave,
    /// When it was chosen.
    since: Instant,
    /// How many endpoints the call could still ask then.
    untried: usize,
}

impl AnsweredBy {
    /// Marks an answer.
    pub(crate) fn new(attempt: &AttemptState) -> Self {
        Self(attempt.clone())
    }

    /// Whether it was this attempt.
    pub(crate) fn is(&self, attempt: &AttemptState) -> bool {
        Arc::ptr_eq(&self.0.0, &attempt.0)
    }
}

impl AttemptState {
    /// An attempt that has not reached the router.
    pub(crate) fn new(number: usize) -> Self {
        let record = Record {
            begun: None,
            phase: Phase::Connect,
            outcome: Outcome::NotApplied,
            earlier: Outcome::NotApplied,
            failure: None,
            answered: false,
            abandoned: false,
            copies: Copies::default(),
        };
        Self(Arc::new(Inner { number, record: Mutex::new(record) }))
    }

    /// The state of the attempt that this request is a copy for; entered into its call's log where there is
    /// none.
    pub(crate) fn of(extensions: &mut Extensions) -> Self {
        if let Some(state) = extensions.get::<Self>() {
            return state.clone();
        }
        let state = CallState::of(extensions).enter();
        extensions.insert(state.clone());
        state
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its number in the call, from 1.
    pub(crate) fn number(&self) -> usize {
        self.0.number
    }

    /// Where it was begun; `None` before.
    pub(crate) fn endpoint(&self) -> Option<Endpoint> {
        self.record().begun.as_ref().map(|begun| begun.leave.endpoint().clone())
    }

    /// How many endpoints the call could still ask when this began; `None` before.
    pub(crate) fn untried(&self) -> Option<usize> {
        self.record().begun.as_ref().map(|begun| begun.untried)
    }

    /// What is proved should nothing more be heard.
    pub(crate) fn outcome(&self) -> Outcome {
        let record = self.record();
        record.outcome.merge(record.earlier)
    }

    /// What is left to fear of it when its answer is known: of the copies that did not get that answer.
    pub(crate) fn beside_answer(&self) -> Outcome {
        let record = self.record();
        record.with_other_copies(Outcome::NotApplied).merge(record.earlier)
    }

    /// How it failed; `None` as long as it has not.
    pub(crate) fn failure(&self) -> Option<Attempt> {
        self.record().failure.clone()
    }

    /// The router hands the request to a connection: from now on it may be on its way.
    pub(crate) fn begin(&self, leave: Leave, untried: usize) {
        let mut record = self.record();
        if record.begun.is_some() {
            record.earlier = record.earlier.merge(record.outcome);
            (record.failure, record.answered) = (None, false);
        }
        record.begun = Some(Begun { leave, since: Instant::now(), untried });
        record.phase = Phase::Request;
        record.outcome = Outcome::Unknown;
    }

    /// A copy of the request is given to the bottom.
    ///
    /// Counted by the service at the very bottom: if a layer between repeats the request, the last end alone
    /// would not tell of the first.
    pub(crate) fn copy_goes_out(&self) {
        self.record().copies.go_out();
    }

    /// A copy has failed, and was not sent.
    pub(crate) fn copy_comes_back(&self) {
        self.record().copies.come_back();
    }

    /// The pool holds a copy, with no connection for it, and does not go on unless it is polled.
    pub(crate) fn hold_copy(&self) {
        self.record().copies.hold();
    }

    /// The pool is polled for a copy that it holds; `false` if that must not be, since the attempt was given
    /// up as one that was not sent.
    pub(crate) fn let_copy_go(&self) -> bool {
        self.record().copies.let_go()
    }

    /// Whether something may have been sent though the last failure says that nothing was.
    pub(crate) fn has_sent(&self) -> bool {
        self.record().copies.any()
    }

    /// The head of an answer has come, and this is what it proves alone.
    pub(crate) fn head(&self, outcome: Outcome) {
        let mut record = self.record();
        record.phase = Phase::Body;
        record.outcome = record.with_other_copies(outcome);
    }

    /// The answer is complete and goes up, and this is what it proves.
    pub(crate) fn answer(&self, outcome: Outcome) {
        let mut record = self.record();
        record.answered = true;
        record.outcome = record.with_other_copies(outcome);
    }

    /// What the end of one copy proves of the attempt.
    pub(crate) fn with_other_copies(&self, outcome: Outcome) -> Outcome {
        self.record().with_other_copies(outcome)
    }

    /// The endpoint serves: should it fail later, that is news.
    pub(crate) fn praise(&self) {
        if let Some(begun) = &self.record().begun {
            begun.leave.serves();
        }
    }

    /// The endpoint does not serve: later calls begin at the next.
    pub(crate) fn blame(&self) {
        let leave = self.record().begun.as_ref().map(|begun| begun.leave.clone());
        // Not under the lock: it may be told to a subscriber of somebody else.
        if let Some(leave) = leave {
            leave.leave();
        }
    }

    /// The attempt has failed. If that speaks against the endpoint, later calls begin at the next.
    pub(crate) fn fail(&self, error: &Error) {
        if self.record().fail(error) {
            self.blame();
        }
    }

    /// The attempt was given up at a limit; the error says so with what was proved until then.
    pub(crate) fn give_up(&self, error: Error) -> Error {
        let mut record = self.record();
        let (outcome, phase) = if record.seal() {
            (Outcome::NotApplied, Phase::Connect)
        } else if record.begun.is_some() {
            (record.outcome, record.phase)
        } else {
            // No router below, or one that got the request without its state: nothing is proved.
            (Outcome::Unknown, Phase::Request)
        };
        let error = record.ended_by(error, outcome, phase);
        let blamed = record.fail(&error);
        drop(record);
        if blamed {
            self.blame();
        }
        error
    }

    /// Gives the attempt up, but only if that proves that nothing was sent; `None` if it does not.
    pub(crate) fn give_up_unsent(&self, error: Error) -> Option<Error> {
        // What is sealed now is still so below: nothing but this opens or closes it.
        let sealed = self.record().seal();
        sealed.then(|| self.give_up(error))
    }

    /// Whether it is under way: begun, not ended, and nobody has said that it was dropped.
    pub(crate) fn is_open(&self) -> bool {
        let record = self.record();
        record.has_no_end() && !record.abandoned
    }

    /// It is dropped for another copy of the request.
    pub(crate) fn abandon(&self) {
        self.record().abandoned = true;
    }

    /// Since when the head of an answer is waited for; `None` if it is not.
    pub(crate) fn silent_since(&self) -> Option<Instant> {
        let record = self.record();
        let waiting = record.has_no_end() && record.phase != Phase::Body;
        record.begun.as_ref().filter(|_| waiting).map(|begun| begun.since)
    }

    /// The call has ended while this attempt was open; without effect on one that has ended itself.
    pub(crate) fn expire(&self, idempotence: Idempotence) {
        let open = self.record().has_no_end();
        if open {
            self.give_up(Error::new(ErrorKind::Deadline).of_request(idempotence));
        }
    }
}

impl Record {
    /// Begun, and neither failed nor answered.
    fn has_no_end(&self) -> bool {
        self.begun.is_some() && self.failure.is_none() && !self.answered
    }

    fn with_other_copies(&self, outcome: Outcome) -> Outcome {
        if self.copies.several() { outcome.merge(Outcome::Unknown) } else { outcome }
    }

    /// Makes sure that nothing is sent any more, if nothing was; says whether that is so.
    fn seal(&mut self) -> bool {
        self.begun.is_some() && self.phase == Phase::Request && self.copies.seal()
    }

    fn ended_by(&self, error: Error, outcome: Outcome, phase: Phase) -> Error {
        let endpoint = self.begun.as_ref().map(|begun| begun.leave.endpoint().clone());
        error.at(endpoint).proves(outcome.merge(self.earlier), phase)
    }

    /// Takes down the first failure; says whether it speaks against the endpoint.
    fn fail(&mut self, error: &Error) -> bool {
        let Some(begun) = &self.begun else { return false };
        if self.failure.is_some() {
            return false;
        }
        let elapsed = begun.since.elapsed();
        self.failure = Some(Attempt::new(begun.leave.endpoint().clone(), elapsed, error));
        self.outcome = error.proved();
        self.phase = error.phase();
        // A short limit of one call is no fault of the endpoint.
        let hurried = error.is_attempt_timeout() && error.phase() == Phase::Connect && elapsed < SLOW_CONNECT;
        error.kind().speaks_against_endpoint() && !hurried
    }
}

/// A connect that has taken this long (250 ms) speaks against an endpoint, whoever ended it.
const SLOW_CONNECT: Duration = Duration::from_millis(250);

#[cfg(test)]
#[path = "attempt_state_test.rs"]
mod tests;
