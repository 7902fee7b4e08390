//! What the layers of one call share: the log of its attempts.
//!
//! The log answers two questions. How did each attempt end: for `Attempts`, for the choice of the next
//! endpoint and for the worst outcome. And was anything begun at all: for failures that say nothing
//! themselves, such as a deadline or the error of a user's layer. The second is a proof of absence, and the
//! log lives in a place that users' layers may empty; so it counts only if no request has reached the router
//! without its log since.
//!
//! ```text
//! Transport   makes the log (with proof)          ends the call for good, counts all attempts in
//! Deadline    opens the call                      closes it, fails what is open
//! Retry       compares the log before and after   counts all attempts in
//! Route       begins an attempt, if not closed    notes the head, fails it
//! Collect                                         notes the answer, fails it
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use etcd_proto::{BoxError, Idempotence, Outcome};
use http::Extensions;
use tokio::time::Instant;

use crate::attempt_state::{AnsweredBy, AttemptState};
use crate::strays::Strays;
use crate::{Attempts, Endpoint, Error, ErrorKind, Phase};

/// The log of one call, in the extensions of its request, so that the copies for each attempt share it.
///
/// A user's layer may lose it with the extensions. Nothing then fails: the layer below that misses it begins
/// a new one. What a lost log cannot do is prove anything, see [`Strays`].
#[derive(Clone, Debug)]
pub(crate) struct CallState {
    inner: Arc<Inner>,
    lane: Lane,
}

/// Which of the copies of a request that are under way at the same time.
///
/// They share one log, so that each goes where the other is not, and what one has sent counts for both. What
/// each has begun is counted apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The request as it came, with its repetitions.
    #[default]
    First,
    /// A copy sent beside it, and those that take its place.
    Second,
}

#[derive(Debug)]
struct Inner {
    /// Whether an empty log proves that nothing was begun.
    proof: Option<Proof>,
    log: Mutex<Log>,
}

/// What has happened, under one short lock.
#[derive(Debug, Default)]
struct Log {
    /// In the order in which they were entered.
    attempts: Vec<Entry>,
    /// Of each lane, which round over the endpoints is on.
    rounds: [usize; 2],
    /// Attempts that are no longer listed, see [`CallState::next_round`].
    forgotten: Forgotten,
    /// A repetition was wanted, and the budget was empty.
    budget_empty: bool,
    /// When it ends, if it has a limit.
    until: Option<Instant>,
    /// The call is at its limit, with a statement about its outcome: nothing may be begun any more, though a
    /// copy of the request may still wait in some layer's queue. A layer may repeat the call after that.
    expired: bool,
    /// The caller of the transport has its answer: the same, and for good.
    ended: bool,
}

/// An attempt and where it belongs.
#[derive(Debug)]
struct Entry {
    attempt: AttemptState,
    lane: Lane,
    /// Of its lane, when it was entered.
    round: usize,
}

/// What is left of attempts that are no longer listed.
#[derive(Clone, Copy, Debug)]
struct Forgotten {
    entered: usize,
    begun: [usize; 2],
    outcome: Outcome,
}

impl Default for Forgotten {
    /// Of none.
    fn default() -> Self {
        Self { entered: 0, begun: [0; 2], outcome: Outcome::NotApplied }
    }
}

/// What an empty log is worth: as long as no request has reached the router without its log, it proves that
/// nothing was sent.
#[derive(Debug)]
struct Proof {
    /// The router's count.
    strays: Strays,
    /// The count of requests when the call began.
    before: u64,
}

impl CallState {
    /// A log of a transport whose router counts strays.
    pub(crate) fn proving(strays: &Strays) -> Self {
        let before = strays.requests();
        Self::with(Some(Proof { strays: strays.clone(), before }))
    }

    /// An empty log.
    fn with(proof: Option<Proof>) -> Self {
        Self { inner: Arc::new(Inner { proof, log: Mutex::default() }), lane: Lane::First }
    }

    /// The log of a request; a new one where there is none.
    pub(crate) fn of(extensions: &mut Extensions) -> Self {
        extensions.get_or_insert_with(|| Self::with(None)).clone()
    }

    /// The log of a request that has reached the router, which counts it as a stray if it is not a
    /// transport's.
    ///
    /// A log that a layer below the transport had to make counts as lost too: the transport's own is empty
    /// then.
    pub(crate) fn arrived(extensions: &mut Extensions, strays: &Strays) -> Self {
        let state = Self::of(extensions);
        if state.inner.proof.is_none() {
            strays.request_is_lost();
        }
        state
    }

    /// The log, locked.
    fn log(&self) -> MutexGuard<'_, Log> {
        // The guarded data is whole between any two statements: a panic elsewhere spoils nothing.
        self.inner.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a new attempt, which has not reached the router yet.
    pub(crate) fn enter(&self) -> AttemptState {
        let mut log = self.log();
        let attempt = AttemptState::new(log.forgotten.entered + log.attempts.len() + 1);
        let round = log.rounds[self.lane as usize];
        log.attempts.push(Entry { attempt: attempt.clone(), lane: self.lane, round });
        attempt
    }

    /// Enters an attempt that races with this one, which is in the log, and lets the router begin it; `None`
    /// if the call is over.
    pub(crate) fn begin_rival(
        &self,
        host: &AttemptState,
        begin: impl FnOnce(&AttemptState),
    ) -> Option<AttemptState> {
        let mut log = self.log();
        if log.is_closed() {
            return None;
        }
        let attempt = host.rival(log.forgotten.entered + log.attempts.len() + 1);
        let round = log.rounds[self.lane as usize];
        log.attempts.push(Entry { attempt: attempt.clone(), lane: self.lane, round });
        begin(&attempt);
        Some(attempt)
    }

    /// Lets the router begin an attempt, unless the call is over.
    pub(crate) fn begin(&self, begin: impl FnOnce()) -> bool {
        // Under the lock: what is said once the call is closed or ended must not be overtaken.
        let log = self.log();
        let open = !log.is_closed();
        if open {
            begin();
        }
        open
    }

    /// Says that a call with this limit begins (again: a user's layer may repeat it). One that has ended stays
    /// so: a layer may come with its copy when nobody waits for it any more.
    pub(crate) fn open(&self, limit: Option<Duration>) {
        let mut log = self.log();
        log.expired = false;
        // What stopped an earlier run of the call says nothing of this one.
        log.budget_empty = false;
        // A limit beyond the end of the clock is none.
        log.until = limit.and_then(|limit| Instant::now().checked_add(limit));
    }

    /// How much time the call has left; `None` without a limit.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.log().until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Says that the call is at its limit; nothing is begun from now on, unless it is opened again.
    pub(crate) fn close(&self) {
        self.log().expired = true;
    }

    /// Says that the caller of the transport gets its answer; nothing is begun ever after.
    pub(crate) fn end(&self) {
        self.log().ended = true;
    }

    /// The same call, for a copy in another lane.
    pub(crate) fn in_lane(&self, lane: Lane) -> Self {
        Self { inner: Arc::clone(&self.inner), lane }
    }

    /// The lane of the copy that this came with.
    pub(crate) fn lane(&self) -> Lane {
        self.lane
    }

    /// Begins another round over the endpoints, for this lane.
    ///
    /// The log of a call without a limit would grow with each round: of more than 64 attempts the oldest that
    /// have ended are only counted from now on, and what they prove is kept. Those of the round that is on stay,
    /// also in the other lane, since they say whom to ask next.
    pub(crate) fn next_round(&self) {
        let mut log = self.log();
        log.rounds[self.lane as usize] += 1;
        let mut excess = log.attempts.len().saturating_sub(LISTED);
        if excess == 0 {
            return;
        }
        let mut forgotten = log.forgotten;
        let rounds = log.rounds;
        log.attempts.retain(|entry| {
            let current = entry.round == rounds[entry.lane as usize];
            if excess == 0 || current || entry.attempt.is_open() {
                return true;
            }
            excess -= 1;
            forgotten.entered += 1;
            forgotten.begun[entry.lane as usize] += usize::from(entry.attempt.endpoint().is_some());
            forgotten.outcome = forgotten.outcome.merge(entry.attempt.outcome());
            false
        });
        log.forgotten = forgotten;
    }

    /// The endpoints that were asked in this round, or are being asked by the copy in the other lane, in their
    /// order; one that was asked twice is there twice. Those that have led a request elsewhere count too.
    pub(crate) fn tried(&self) -> Vec<Endpoint> {
        let log = self.log();
        let round = log.rounds[self.lane as usize];
        let counts = |entry: &&Entry| match entry.lane == self.lane {
            true => entry.round == round,
            false => entry.attempt.is_open(),
        };
        log.attempts.iter().filter(counts).flat_map(|entry| entry.attempt.asked()).collect()
    }

    /// Whether this endpoint is among them.
    pub(crate) fn has_tried(&self, endpoint: &Endpoint) -> bool {
        self.tried().contains(endpoint)
    }

    /// How many attempts of this lane have reached the router.
    pub(crate) fn begun(&self) -> usize {
        self.log().begun(self.lane)
    }

    /// How many attempts of the call have reached the router.
    pub(crate) fn made(&self) -> usize {
        let log = self.log();
        log.begun(Lane::First) + log.begun(Lane::Second)
    }

    /// How many endpoints this lane can still ask in this round, as the router that began the last attempt
    /// counts them.
    pub(crate) fn untried(&self) -> usize {
        self.log().hosts(self.lane).find_map(AttemptState::untried).unwrap_or(0)
    }

    /// Since when the last attempt of this lane waits for the head of its answer; `None` if it does not.
    pub(crate) fn silent_since(&self) -> Option<Instant> {
        self.log().hosts(self.lane).find(|attempt| attempt.endpoint().is_some())?.all_silent_since()
    }

    /// Lets later calls begin elsewhere than where this lane has waited in vain since `then` or longer.
    pub(crate) fn blame_silent(&self, then: Instant) {
        let silent = |attempt: &AttemptState| attempt.silent_since().is_some_and(|since| since <= then);
        let silent: Vec<AttemptState> =
            self.log().of(self.lane).filter(|attempt| silent(attempt)).cloned().collect();
        // Not under the lock: it may be told to a subscriber of somebody else.
        silent.iter().for_each(AttemptState::blame);
    }

    /// Says that what this lane has under way is dropped; what it leaves open stays so.
    pub(crate) fn abandon(&self) {
        self.log().of(self.lane).for_each(AttemptState::overtaken);
    }

    /// Notes that a repetition was not made since the budget is empty.
    pub(crate) fn budget_is_empty(&self) {
        self.log().budget_empty = true;
    }

    /// What there is to tell of the attempts.
    pub(crate) fn attempts(&self) -> Attempts {
        let log = self.log();
        let made = log.begun(Lane::First) + log.begun(Lane::Second);
        let failed = log.attempts.iter().flat_map(|entry| entry.attempt.failures()).collect();
        Attempts::new(failed, made).with_budget(log.budget_empty)
    }

    /// The endpoint that was asked last; of those that race for a connection, the one that goes on.
    pub(crate) fn last_endpoint(&self) -> Option<Endpoint> {
        let log = self.log();
        let hosts =
            log.attempts.iter().rev().map(|entry| &entry.attempt).filter(|attempt| !attempt.is_rival());
        hosts.map(AttemptState::live).find_map(|attempt| attempt.endpoint())
    }

    /// The worst of all attempts in the log.
    fn logged(&self) -> Outcome {
        let log = self.log();
        let outcomes = log.attempts.iter().map(|entry| entry.attempt.outcome());
        outcomes.fold(log.forgotten.outcome, Outcome::merge)
    }

    /// How many requests have lost their log since this call began; `None` if nobody counts.
    fn strays(&self) -> Option<u64> {
        let proof = self.inner.proof.as_ref()?;
        Some(proof.strays.requests() - proof.before)
    }

    /// What is known without a word from below: the log, if it is sure to be whole.
    fn outcome_unheard(&self) -> Outcome {
        match self.strays() {
            Some(0) => self.logged(),
            // An attempt may have been made that is not in the log.
            Some(_) | None => self.logged().merge(Outcome::Unknown),
        }
    }

    /// What is left to fear of attempts that are not in the log, when the end at hand tells of so many of
    /// them.
    fn astray(&self, told: usize) -> Outcome {
        // With a log that has something in it, the end at hand may be that of an attempt in the log.
        let told = if self.made() == 0 { told.max(1) } else { 0 };
        match self.strays() {
            Some(strays) if u64::try_from(told).is_ok_and(|told| strays > told) => Outcome::Unknown,
            Some(_) | None => Outcome::NotApplied,
        }
    }

    /// Writes into the extensions of an answer which attempts were made, and what those that did not get it
    /// leave open.
    pub(crate) fn account(&self, extensions: &mut Extensions, idempotence: Idempotence) {
        let told = extensions.get::<Attempts>().cloned().unwrap_or_default();
        let answered = extensions.get::<AnsweredBy>();
        let logged = {
            let log = self.log();
            let others = log.attempts.iter().map(|entry| match answered {
                Some(answered) if answered.is(&entry.attempt) => entry.attempt.beside_answer(),
                Some(_) | None => entry.attempt.outcome(),
            });
            others.fold(log.forgotten.outcome, Outcome::merge)
        };
        let outcome = logged.merge(self.astray(told.made())).merge(told.outcome());
        let outcome = if idempotence.is_read() { Outcome::NotApplied } else { outcome };
        let own = self.attempts();
        // A log that a layer has lost must not wipe out a fuller one.
        let attempts = if own.made() >= told.made() { own } else { told };
        extensions.insert(attempts.leaving(outcome));
    }

    /// Ends a call at its limit: all that is open in the log fails with it.
    pub(crate) fn expire(&self, limit: Duration, idempotence: Idempotence) -> Error {
        self.close();
        let error = Error::new(ErrorKind::Deadline)
            .of_request(idempotence)
            .detail(format!("{limit:?}"))
            .at(self.last_endpoint());
        // Not under the lock: what fails may be told to a subscriber of somebody else.
        let open: Vec<AttemptState> = self.log().attempts.iter().map(|entry| entry.attempt.clone()).collect();
        for attempt in open {
            attempt.expire(idempotence);
        }
        error.settle(self.outcome_unheard(), self.attempts())
    }

    /// Makes an error of ours of what came from below one attempt; a foreign one proves no more than the log.
    pub(crate) fn own(&self, error: BoxError, idempotence: Idempotence) -> Error {
        Error::adopt(error).unwrap_or_else(|foreign| {
            Error::new(ErrorKind::Layer)
                .of_request(idempotence)
                .at(self.last_endpoint())
                .proves(self.outcome_unheard(), Phase::Request)
                .caused_by(foreign)
        })
    }

    /// Makes an error of ours of what came from below, with the whole call counted in.
    ///
    /// A foreign error (of a user's layer) proves no more than the log; ours says itself what it proves.
    pub(crate) fn settle(&self, error: BoxError, idempotence: Idempotence) -> Error {
        match Error::adopt(error) {
            Ok(error) => {
                // What is not in the log is what this error tells of, or copies that it does not know.
                let outcome = self.logged().merge(self.astray(error.attempts().made()));
                error.settle(outcome, self.attempts())
            }
            Err(foreign) => {
                let outcome = self.outcome_unheard();
                self.own(foreign, idempotence).settle(outcome, self.attempts())
            }
        }
    }
}

impl Log {
    /// Whether nothing may be begun: at the limit, or for good.
    fn is_closed(&self) -> bool {
        self.expired || self.ended
    }

    /// How many attempts of a lane have reached the router.
    fn begun(&self, lane: Lane) -> usize {
        let listed = self.of(lane).filter(|attempt| attempt.endpoint().is_some()).count();
        self.forgotten.begun[lane as usize] + listed
    }

    /// The attempts of a lane, the last first.
    fn of(&self, lane: Lane) -> impl Iterator<Item = &AttemptState> {
        self.attempts.iter().rev().filter(move |entry| entry.lane == lane).map(|entry| &entry.attempt)
    }

    /// The same without those that race with another: what is known of them is asked of that one.
    fn hosts(&self, lane: Lane) -> impl Iterator<Item = &AttemptState> {
        self.of(lane).filter(|attempt| !attempt.is_rival())
    }
}

/// How many attempts are listed, before the oldest are only counted.
const LISTED: usize = 64;

#[cfg(test)]
#[path = "call_state_test.rs"]
mod tests;
