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
//!
//! Where the router lets attempts race for a connection, each has a state of its own in the log of the call.
//! The layers above know only of the first, the host. As long as the race is open, to give up the host gives
//! up all; when a rival has won, what they see and do is about that rival, the heir.

mod race;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use etcd_proto::{Idempotence, Outcome};
use http::Extensions;
use tokio::time::Instant;

use crate::call_state::CallState;
use crate::copies::{Copies, Turn, Whereabouts};
use crate::route::Leave;
use crate::{Attempt, Endpoint, Error, ErrorKind, Phase};

/// One attempt: in the extensions of its copy of the request, and in the log of its call.
#[derive(Clone, Debug)]
pub(crate) struct AttemptState {
    inner: Arc<Inner>,
    /// The lane of the copy that this came with, once a router has begun it; else that of the last begun.
    lane: Option<usize>,
}

/// In the extensions of an answer: the attempt that got it.
#[derive(Clone, Debug)]
pub(crate) struct AnsweredBy(AttemptState);

#[derive(Debug)]
struct Inner {
    number: usize,
    /// The attempt that this one races with, and its lane there; `None` for one of its own.
    host: Option<(AttemptState, usize)>,
    record: Mutex<Record>,
}

/// What is known of an attempt at this moment. Changed under one short lock, never across an await.
#[derive(Debug)]
struct Record {
    /// Where it was begun; `None` until the router has chosen.
    begun: Option<Begun>,
    /// The servers where it was begun before, until redirects led it elsewhere.
    passed: Vec<Endpoint>,
    /// How it failed there: by losing a race to the rival that was led elsewhere.
    failed_before: Vec<Attempt>,
    /// How many endpoints the call can still ask once it is begun at the server where a redirect leads.
    untried: Option<usize>,
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
    /// A server that serves it may leave it without a head for as long as it likes.
    may_be_silent: bool,
    /// Whoever reads the body judges the answer.
    judged: bool,
    /// It was counted against its endpoint.
    blamed: bool,
    /// What is at the bottom, of this attempt and of those that race with it.
    copies: Copies,
    /// Its own lane there.
    lane: usize,
    /// Those that race with it. The log of the call keeps them.
    rivals: Vec<Weak<Inner>>,
    /// The rival that has won.
    heir: Option<Weak<Inner>>,
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
        Arc::ptr_eq(&self.0.inner, &attempt.inner)
    }
}

impl AttemptState {
    /// An attempt that has not reached the router.
    pub(crate) fn new(number: usize) -> Self {
        Self::with(number, None)
    }

    fn with(number: usize, host: Option<(Self, usize)>) -> Self {
        let record = Record {
            begun: None,
            passed: Vec::new(),
            failed_before: Vec::new(),
            untried: None,
            phase: Phase::Connect,
            outcome: Outcome::NotApplied,
            earlier: Outcome::NotApplied,
            failure: None,
            answered: false,
            abandoned: false,
            may_be_silent: false,
            judged: false,
            blamed: false,
            copies: Copies::default(),
            lane: Copies::FIRST,
            rivals: Vec::new(),
            heir: None,
        };
        Self::whole(Arc::new(Inner { number, host, record: Mutex::new(record) }))
    }

    /// Not bound to one copy.
    fn whole(inner: Arc<Inner>) -> Self {
        Self { inner, lane: None }
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
        self.inner.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its number in the call, from 1.
    pub(crate) fn number(&self) -> usize {
        self.inner.number
    }

    /// Its answer may be a stream, of which the server sends the head when there is something to tell.
    pub(crate) fn may_be_silent(&self) {
        self.record().may_be_silent = true;
    }

    /// Where it was begun; `None` before.
    pub(crate) fn endpoint(&self) -> Option<Endpoint> {
        self.record().begun.as_ref().map(|begun| begun.leave.endpoint().clone())
    }

    /// Where it was begun, and begun before.
    pub(crate) fn asked(&self) -> Vec<Endpoint> {
        let record = self.record();
        let last = record.begun.as_ref().map(|begun| begun.leave.endpoint());
        record.passed.iter().chain(last).cloned().collect()
    }

    /// The server has answered that the request belongs elsewhere, and did nothing.
    ///
    /// The attempt is begun once more then, and the call can ask so many endpoints after that; the router does
    /// not know it. Where a rival has won the race for a connection, its part is over.
    pub(crate) fn turned_away(&self, untried: Option<usize>) {
        let this = self.live();
        this.praise();
        this.copies(Copies::come_back);
        let outcome = if this.copies(Copies::any) { Outcome::Unknown } else { Outcome::NotApplied };
        {
            let mut record = this.record();
            record.outcome = outcome;
            record.answered = true;
        }
        let mut record = self.record();
        // A rival's own entry tells where that was begun.
        let endpoint = record.begun.as_ref().map(|begun| begun.leave.endpoint().clone());
        record.passed.extend(endpoint);
        record.heir = None;
        record.untried = untried;
        record.lane = record.copies.begin_anew();
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
        self.with_other_copies(Outcome::NotApplied).merge(self.record().earlier)
    }

    /// How it failed; `None` as long as it has not.
    pub(crate) fn failure(&self) -> Option<Attempt> {
        self.record().failure.clone()
    }

    /// How it failed, also where it was begun before.
    pub(crate) fn failures(&self) -> Vec<Attempt> {
        let record = self.record();
        record.failed_before.iter().chain(&record.failure).cloned().collect()
    }

    /// The router hands the request to a connection: from now on it may be on its way.
    pub(crate) fn begin(&self, leave: Leave, untried: usize) {
        let mut record = self.record();
        if record.begun.is_some() {
            record.earlier = record.earlier.merge(record.outcome);
            let failure = record.failure.take();
            record.failed_before.extend(failure);
            (record.answered, record.blamed) = (false, false);
            record.heir = None;
        }
        let untried = record.untried.take().unwrap_or(untried);
        record.begun = Some(Begun { leave, since: Instant::now(), untried });
        record.phase = Phase::Request;
        record.outcome = Outcome::Unknown;
    }

    /// Binds a copy of the request to the lane in which this was begun: should the attempt be begun once more,
    /// a copy that some layer keeps is not taken for the new one.
    pub(crate) fn bind(&self, extensions: &mut Extensions) {
        let lane = self.record().lane;
        if let Some(state) = extensions.get_mut::<Self>() {
            state.lane = Some(lane);
        }
    }

    /// The lanes of the race, and which is this attempt's. Not to be called with the record locked.
    fn copies<R>(&self, look: impl FnOnce(&mut Copies, usize) -> R) -> R {
        match &self.inner.host {
            None => {
                let mut record = self.record();
                let lane = self.lane.unwrap_or(record.lane);
                look(&mut record.copies, lane)
            }
            Some((host, lane)) => look(&mut host.record().copies, *lane),
        }
    }

    /// A copy of the request is given to the bottom.
    ///
    /// Counted by the service at the very bottom: if a layer between repeats the request, the last end alone
    /// would not tell of the first.
    pub(crate) fn copy_goes_out(&self) {
        self.copies(Copies::go_out);
    }

    /// A copy has failed, and was not sent.
    pub(crate) fn copy_comes_back(&self) {
        self.copies(Copies::come_back);
    }

    /// The pool holds a copy, with no connection, and does not go on unless it is polled.
    pub(crate) fn hold_copy(&self) {
        self.copies(Copies::hold);
    }

    /// The pool is about to be polled for a copy that it holds. Not if the attempt was given up as one that
    /// was not sent, and not beside a rival.
    pub(crate) fn let_copy_go(&self) -> Turn {
        self.copies(Copies::let_go)
    }

    /// The pool was polled for a copy that it held, and holds it still or not.
    pub(crate) fn copy_was_polled(&self, still_held: bool) {
        self.copies(|copies, lane| copies.polled(lane, still_held));
    }

    /// Where its copies are.
    pub(crate) fn whereabouts(&self) -> Whereabouts {
        self.copies(Copies::whereabouts)
    }

    /// Whether something may have been sent though the last failure says that nothing was.
    pub(crate) fn has_sent(&self) -> bool {
        self.copies(Copies::any)
    }

    /// The head of an answer has come, and this is what it proves alone.
    pub(crate) fn head(&self, outcome: Outcome) {
        let outcome = self.with_other_copies(outcome);
        let mut record = self.record();
        record.phase = Phase::Body;
        record.outcome = outcome;
    }

    /// The answer is complete and goes up, and this is what it proves.
    pub(crate) fn answer(&self, outcome: Outcome) {
        let this = self.live();
        let outcome = this.with_other_copies(outcome);
        let mut record = this.record();
        record.answered = true;
        record.outcome = outcome;
    }

    /// What the end of one copy proves of the attempt.
    pub(crate) fn with_other_copies(&self, outcome: Outcome) -> Outcome {
        if self.live().copies(Copies::several) { outcome.merge(Outcome::Unknown) } else { outcome }
    }

    /// The endpoint serves: should it fail later, that is news.
    pub(crate) fn praise(&self) {
        if let Some(begun) = &self.live().record().begun {
            begun.leave.serves();
        }
    }

    /// Says that the answer is judged above the router, with its body.
    pub(crate) fn will_be_judged(&self) {
        self.record().judged = true;
    }

    /// Whether that is so; of those that race, the layers above know only the first.
    pub(crate) fn is_judged(&self) -> bool {
        self.inner.host.as_ref().map_or(self, |(host, _)| host).record().judged
    }

    /// The endpoint does not serve: later calls begin at the next. An attempt counts once, however often this
    /// is said of it.
    ///
    /// For a failure that the attempt itself does not tell of: an answer that shows a lost quorum, or silence
    /// while another copy of the request was answered elsewhere.
    pub(crate) fn blame(&self) {
        self.live().count_failure();
    }

    /// Counts it against its own endpoint.
    fn count_failure(&self) {
        let blamed = {
            let mut record = self.record();
            let first = !std::mem::replace(&mut record.blamed, true);
            record.begun.as_ref().filter(|_| first).map(|begun| (begun.leave.clone(), begun.since))
        };
        // Not under the lock: it may be told to a subscriber of somebody else.
        if let Some((leave, since)) = blamed {
            leave.failed(since);
        }
    }

    /// Nobody waits for the attempt any more. If it was silent for long, that speaks against the endpoint.
    pub(crate) fn abandon(&self) {
        let this = self.live();
        this.rivals().iter().for_each(Self::abandon);
        let connecting = this.whereabouts() == Whereabouts::Held;
        let silent = {
            let record = this.record();
            let open = record.failure.is_none() && record.phase == Phase::Request;
            let open = open && (connecting || !record.may_be_silent);
            open && record.begun.as_ref().is_some_and(|begun| begun.since.elapsed() >= SLOW_ANSWER)
        };
        if silent {
            this.count_failure();
        }
    }

    /// The attempt has failed. If that speaks against the endpoint, later calls begin at the next.
    pub(crate) fn fail(&self, error: &Error) {
        let this = self.live();
        let blamed = this.record().fail(error);
        if blamed {
            this.count_failure();
        }
    }

    /// Whether it is under way: begun, not ended, and nobody has said that it was dropped.
    pub(crate) fn is_open(&self) -> bool {
        let record = self.record();
        record.has_no_end() && !record.abandoned
    }

    /// Another copy of the request has got an answer, so that this one is dropped.
    pub(crate) fn overtaken(&self) {
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
        // A short limit of one call is no fault of the endpoint, but silence is, whoever ended it.
        let patience = if error.phase() == Phase::Connect { SLOW_CONNECT } else { SLOW_ANSWER };
        if error.is_deadline() {
            let silent = error.phase() == Phase::Connect || !self.may_be_silent;
            return silent && error.phase() < Phase::Body && elapsed >= patience;
        }
        let hurried = error.is_attempt_timeout() && error.phase() == Phase::Connect && elapsed < patience;
        error.kind().speaks_against_endpoint() && !hurried
    }
}

/// Silence of this length (1 s) speaks against an endpoint, whoever ended it. etcd itself answers within 10 ms
/// as long as it has a leader, and an election takes about this time.
const SLOW_ANSWER: Duration = Duration::from_secs(1);

/// A connect that has taken this long (250 ms) speaks against an endpoint, whoever ended it.
const SLOW_CONNECT: Duration = Duration::from_millis(250);

#[cfg(test)]
#[path = "attempt_state_test.rs"]
mod tests;
