//! One key of ours that is renewed: what was done last, what comes next, and until when it is valid.

use std::sync::Arc;
use std::time::Duration;

use etcd_client::Endpoint;

use crate::key_calls::{KeyCalls, Reply};
use crate::protocol::{AfterRenewal, Place, RenewAnswer, after_renewal, after_renewal_read};
use crate::skew::Skew;
use crate::{Clock, LossReason, SkewProbe, Timestamp, Token};

/// A key of ours, and the state of its renewal. It does nothing by itself: whoever has it calls [`step`](Self::step)
/// when it is [`due`](Self::due).
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) calls: KeyCalls,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) value: String,
    pub(crate) place: Place,
    pub(crate) cluster_id: Option<String>,
    /// Whether a copy of the creation may still be under way, and land later.
    pub(crate) uncertain: bool,
    valid_until: Timestamp,
    /// When the last good write was first sent. Not to be had from `valid_until`: where clocks differ that is earlier.
    written: Timestamp,
    /// When the next step is due.
    due: Timestamp,
    /// The renewal that is not answered yet.
    round: Option<Round>,
    /// How many steps have failed since the last good one.
    failures: u32,
    /// How the clocks of the servers differ, and who finds out; `None`: nobody.
    skew: Skew,
    probe: Option<SkewProbe>,
    /// The raft term of the last renewal that was answered.
    pub(crate) term: Option<u64>,
    /// Whether a copy of the value that is being written has had no answer: it may be there.
    pub(crate) unanswered: bool,
    /// Whether its clocks were looked at since then.
    looked: bool,
}

/// A renewal that is not answered yet.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// The index that it compares with.
    at: u64,
    /// When its first copy was sent.
    sent: Timestamp,
    /// Whether the key is read next, since a copy may have been applied.
    read: bool,
}

/// What a step has come to.
#[derive(Debug)]
pub(crate) enum Step {
    /// The key is renewed.
    Renewed,
    /// Not yet; the next step is [`due`](Lease::due) soon.
    Pending(Option<etcd_client::Error>),
    /// The key is not ours any more.
    Lost(LossReason),
}

impl Lease {
    /// A key that was made, by a request first sent at `sent`.
    pub(crate) fn new(
        calls: KeyCalls,
        clock: Arc<dyn Clock>,
        value: String,
        place: Place,
        sent: Timestamp,
        probe: Option<SkewProbe>,
    ) -> Self {
        let (validity, every) = (calls.timing.validity(), calls.timing.renew_every());
        Self {
            calls,
            clock,
            value,
            place,
            cluster_id: None,
            uncertain: false,
            valid_until: sent + validity,
            written: sent,
            due: sent + every,
            round: None,
            failures: 0,
            skew: Skew::default(),
            probe,
            term: None,
            unanswered: false,
            looked: true,
        }
    }

    /// Until when the key is ours for certain, by our clock.
    pub(crate) fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    pub(crate) fn is_valid(&self) -> bool {
        self.clock.now() < self.valid_until
    }

    /// When the next step is due.
    pub(crate) fn due(&self) -> Timestamp {
        self.due
    }

    /// Makes the next step due now.
    pub(crate) fn hurry(&mut self) {
        self.due = self.clock.now();
    }

    pub(crate) fn token(&self) -> Token {
        Token::of_key(self.place.created, self.cluster_id.as_deref())
    }

    /// Looks at how the clocks of the servers differ, unless that is known of this raft term.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub(crate) async fn look_at_skew(&mut self, term: Option<u64>) {
        self.looked = true;
        let Some(probe) = self.probe.clone() else { return };
        if self.skew.is_of(term) {
            return;
        }
        let (skew, limit) = probe.ask(&self.calls, &self.clock, &self.place, self.written, term).await;
        self.valid_until = self.valid_until.min(limit);
        if skew.leader().is_some() {
            // Through the leader it is good for all of its ttl.
            self.hurry();
        }
        self.skew = skew;
    }

    /// Whether the last renewal was answered in a raft term that nothing is known of.
    pub(crate) fn wants_look(&self) -> bool {
        self.probe.is_some() && !self.looked && !self.skew.is_of(self.term)
    }

    /// Sends one renewal, or reads what became of the last.
    ///
    /// # Cancel safety
    /// May be dropped: the next step goes on where this one was.
    pub(crate) async fn step(&mut self) -> Step {
        let reads = self.round.is_some_and(|round| round.read);
        if reads { self.read().await } else { self.renew(None).await }
    }

    /// Writes another value, which renews as well. `Pending` without an error is for: once more.
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown, and the next step finds out.
    pub(crate) async fn write(&mut self, value: &str) -> Step {
        let reads = self.round.is_some_and(|round| round.read);
        if reads { self.read().await } else { self.renew(Some(value)).await }
    }

    async fn renew(&mut self, value: Option<&str>) -> Step {
        let sent = self.begin();
        // Where the leader does not answer any other member is better than none.
        let leader = self.skew.leader().filter(|_| self.failures == 0).cloned();
        let limit = self.limit();
        // One who waits no more drops this between the request and its answer.
        let earlier = self.unanswered;
        self.unanswered |= value.is_some();
        let reply = match value {
            Some(value) => self.calls.rewrite(&self.place, value, limit).await,
            None => self.calls.renew(&self.place, &self.value, limit, leader.as_ref()).await,
        };
        if reply.is_cluster_changed() {
            return Step::Lost(LossReason::ClusterChanged);
        }
        self.unanswered = earlier || (value.is_some() && reply.answer == RenewAnswer::Unknown);
        match after_renewal(reply.answer, &self.place) {
            AfterRenewal::Renewed(place) => {
                if let Some(value) = value {
                    value.clone_into(&mut self.value);
                }
                self.renewed(place, sent, &reply, leader.as_ref());
                Step::Renewed
            }
            AfterRenewal::Read => {
                self.round = Some(Round { at: self.place.modified, sent, read: true });
                // The read tells, and it is not late yet.
                self.due = self.clock.now();
                self.read_after(reply.error).await
            }
            AfterRenewal::Adopt(place) => self.adopt(place),
            AfterRenewal::Again => self.again(reply.error),
            AfterRenewal::Lost(loss) => Step::Lost(loss.into()),
        }
    }

    /// How long a renewal may take: not beyond the deadline, behind which no copy of it is to be sent.
    fn limit(&self) -> Duration {
        let left = self.valid_until.saturating_since(self.clock.now());
        let limit = self.calls.limit();
        // One who waits in line renews also what may have run out.
        if left.is_zero() { limit } else { limit.min(left) }
    }

    /// When the first copy of this renewal was sent: now, or in an earlier step. A copy compares with one index, so
    /// that none from before the index has changed can be applied any more.
    fn begin(&mut self) -> Timestamp {
        let at = self.place.modified;
        let round = match self.round {
            Some(round) if round.at == at => round,
            Some(_) | None => Round { at, sent: self.clock.now(), read: false },
        };
        self.round = Some(round);
        round.sent
    }

    fn renewed(
        &mut self,
        place: Place,
        sent: Timestamp,
        reply: &Reply<RenewAnswer>,
        leader: Option<&Endpoint>,
    ) {
        let term = reply.header.as_ref().and_then(|header| header.raft_term);
        let shortfall = self.skew.shortfall(term, leader);
        (self.term, self.looked) = (term, false);
        self.place = place;
        self.written = sent;
        self.valid_until = (sent + self.calls.timing.validity()) - shortfall;
        self.due = sent + self.calls.timing.renew_every();
        self.round = None;
        self.failures = 0;
    }

    async fn read(&mut self) -> Step {
        self.read_after(None).await
    }

    /// Reads the key; `cause` is why it has to be read.
    async fn read_after(&mut self, cause: Option<etcd_client::Error>) -> Step {
        let reply = self.calls.read(&self.value).await;
        if reply.is_cluster_changed() {
            return Step::Lost(LossReason::ClusterChanged);
        }
        match after_renewal_read(reply.answer, &self.place) {
            AfterRenewal::Adopt(place) => self.adopt(place),
            // A read renews nothing.
            AfterRenewal::Renewed(_) | AfterRenewal::Read | AfterRenewal::Again => {
                self.again(reply.error.or(cause))
            }
            AfterRenewal::Lost(loss) => Step::Lost(loss.into()),
        }
    }

    /// The key is still ours; whether it was renewed is not known: the renewal begins anew.
    fn adopt(&mut self, place: Place) -> Step {
        let changed = place.modified != self.place.modified;
        self.place = place;
        if let Some(round) = &mut self.round {
            round.read = false;
        }
        if changed {
            self.failures = 0;
        }
        self.again(None)
    }

    fn again(&mut self, error: Option<etcd_client::Error>) -> Step {
        self.due = self.clock.now() + pause(self.failures);
        self.failures = self.failures.saturating_add(1);
        Step::Pending(error)
    }
}

/// How long to wait behind so many failures: not at all behind the first, a second at most.
pub(crate) fn pause(failures: u32) -> Duration {
    match failures {
        0 => Duration::ZERO,
        failures => (FIRST_PAUSE * 2_u32.pow(failures.min(6) - 1)).min(LONGEST_PAUSE),
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
