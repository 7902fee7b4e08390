//! Attempts that race for a connection, and how they are given up together.

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use etcd_proto::{Idempotence, Outcome};

use super::AttemptState;
use crate::copies::Copies;
use crate::{Error, ErrorKind, Phase};

impl AttemptState {
    /// An attempt that races with this one for a connection.
    pub(crate) fn rival(&self, number: usize) -> Self {
        let mut record = self.record();
        let lane = record.copies.add_lane();
        let rival = Self::with(number, Some((self.clone(), lane)));
        record.rivals.push(Arc::downgrade(&rival.0));
        if let Some(begun) = &mut record.begun {
            begun.untried = begun.untried.saturating_sub(1);
        }
        rival
    }

    /// The attempt that goes on for this one: the rival that has won the race, else itself.
    pub(crate) fn live(&self) -> Self {
        let heir = self.record().heir.as_ref().and_then(Weak::upgrade);
        heir.map_or_else(|| self.clone(), Self)
    }

    /// Those that race with it.
    pub(super) fn rivals(&self) -> Vec<Self> {
        self.record().rivals.iter().filter_map(Weak::upgrade).map(Self).collect()
    }

    /// A rival has won: nothing is sent any more, and the attempt has failed to connect in time. That speaks
    /// against the endpoint if it had the time that each has before the next is tried.
    pub(crate) fn lose(&self, patience: Duration, idempotence: Idempotence) {
        let unsent = self.copies(Copies::lose);
        let proved =
            if unsent { (Outcome::NotApplied, Phase::Connect) } else { (Outcome::Unknown, Phase::Request) };
        let error = Error::new(ErrorKind::Connect)
            .of_request(idempotence)
            .caused_by(io::Error::new(io::ErrorKind::TimedOut, "another endpoint had a connection first"))
            .proves(proved.0, proved.1);
        let mut record = self.record();
        record.fail(&error);
        let slow = record.begun.as_ref().is_some_and(|begun| begun.since.elapsed() >= patience);
        drop(record);
        if slow {
            self.count_failure();
        }
    }

    /// This rival has won, and goes on for all.
    pub(crate) fn inherit(&self) {
        if let Some((host, _)) = &self.0.host {
            let mut record = host.record();
            record.heir = Some(Arc::downgrade(&self.0));
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
        let sealed = match &this.0.host {
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
