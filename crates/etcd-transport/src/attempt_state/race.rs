//! Attempts that race for a connection, and how they are given up together.

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use etcd_proto::{Idempotence, Outcome};
use tokio::time::Instant;

use super::{AttemptState, SLOW_CONNECT};
use crate::copies::{Copies, Whereabouts};
use crate::{Error, ErrorKind, Phase};

impl AttemptState {
    /// An attempt that races with this one for a connection.
    pub(crate) fn rival(&self, number: usize) -> Self {
        let mut record = self.record();
        let lane = record.copies.add_lane();
        let rival = Self::with(number, Some((self.clone(), lane)));
        record.rivals.push(Arc::downgrade(&rival.inner));
        if let Some(begun) = &mut record.begun {
            begun.untried = begun.untried.saturating_sub(1);
        }
        rival
    }

    /// The attempt that goes on for this one: the rival that has won the race, else itself.
    pub(crate) fn live(&self) -> Self {
        let heir = self.record().heir.as_ref().and_then(Weak::upgrade);
        heir.map_or_else(|| self.clone(), Self::whole)
    }

    /// Whether it is one that races with another.
    pub(crate) fn is_rival(&self) -> bool {
        self.inner.host.is_some()
    }

    /// Since when the head of an answer is waited for, by this attempt or by what goes on in its place; `None`
    /// if it is not.
    pub(crate) fn all_silent_since(&self) -> Option<Instant> {
        let this = self.live();
        let others = || this.rivals().iter().filter_map(Self::silent_since).min();
        this.silent_since().or_else(others)
    }

    /// A layer above the pool has failed for this rival, as none of ours does. Says whether that proves that it
    /// was not sent: where attempts race, the bottom tells of each copy that comes to it, and none of this one
    /// is let through any more.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_rival() && self.copies(Copies::lose)
    }

    /// Those that race with it.
    pub(super) fn rivals(&self) -> Vec<Self> {
        self.record().rivals.iter().filter_map(Weak::upgrade).map(Self::whole).collect()
    }

    /// A rival has won: nothing is sent any more, and the attempt has failed to connect in time. That speaks
    /// against the endpoint if it had the time that each has before the next is tried, and no less than 250 ms;
    /// not if it did not come as far as to connect.
    pub(crate) fn lose(&self, patience: Duration, idempotence: Idempotence) {
        let above = self.whereabouts() == Whereabouts::Above;
        let patience = patience.max(SLOW_CONNECT);
        let unsent = self.copies(Copies::lose);
        let proved =
            if unsent { (Outcome::NotApplied, Phase::Connect) } else { (Outcome::Unknown, Phase::Request) };
        let error = Error::new(ErrorKind::Connect)
            .of_request(idempotence)
            .caused_by(io::Error::new(io::ErrorKind::TimedOut, "another endpoint had a connection first"))
            .proves(proved.0, proved.1);
        let mut record = self.record();
        record.fail(&error);
        let slow = !above && record.begun.as_ref().is_some_and(|begun| begun.since.elapsed() >= patience);
        drop(record);
        if slow {
            self.count_failure();
        }
    }

    /// This rival has won, and goes on for all.
    pub(crate) fn inherit(&self) {
        if let Some((host, _)) = &self.inner.host {
            let mut record = host.record();
            record.heir = Some(Arc::downgrade(&self.inner));
            record.rivals.clear();
        }
    }

    /// The first of the race has won.
    pub(crate) fn outlives_rivals(&self) {
        self.record().rivals.clear();
    }

    /// The attempt was given up at a limit, and with it those that race; the error says so with what was
    /// proved until then.
    pub(crate) fn give_up(&self, error: Error) -> Error {
        let this = self.live();
        let mut worst = Outcome::NotApplied;
        for rival in this.rivals() {
            worst = worst.merge(rival.give_up(error.of_same_kind()).proved());
        }
        let sealed = this.seal();
        let mut record = this.record();
        let (outcome, phase) = if sealed {
            (Outcome::NotApplied, Phase::Connect)
        } else if record.begun.is_some() {
            (record.outcome, record.phase)
        } else {
            // No router below, or one that got the request without its state: nothing is proved.
            (Outcome::Unknown, Phase::Request)
        };
        let phase = if worst.is_not_applied() { phase } else { phase.max(Phase::Request) };
        let error = record.ended_by(error, outcome.merge(worst), phase);
        let blamed = record.fail(&error);
        drop(record);
        if blamed {
            this.count_failure();
        }
        error
    }

    /// Gives the attempt up with those that race, but only if that proves that nothing was sent; `None` if it
    /// does not.
    pub(crate) fn give_up_unsent(&self, error: Error) -> Option<Error> {
        let this = self.live();
        // What is sealed now is still so below: nothing but this opens or closes it.
        let sealed = match &this.inner.host {
            None => this.waits() && this.copies(|copies, _| copies.seal_all()),
            Some(_) => this.seal(),
        };
        sealed.then(|| this.give_up(error))
    }

    /// Whether it is begun and there is no head, or it has failed and others race in its place.
    fn waits(&self) -> bool {
        let record = self.record();
        record.begun.is_some() && (record.phase == Phase::Request || !record.rivals.is_empty())
    }

    /// Makes sure that nothing is sent any more, if nothing was; says whether that is so.
    fn seal(&self) -> bool {
        // Beyond waiting there is nothing to seal: a head comes only of what was sent.
        let waits = {
            let record = self.record();
            record.begun.is_some() && record.phase == Phase::Request
        };
        waits && self.copies(Copies::seal)
    }
}
