//! What follows from an answer.

use super::{Candidate, State, Vote};

/// The indexes of a vote's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ballot {
    /// The index of the key's creation, whoever made it: the token of who leads by it.
    pub created: u64,
    /// The index of its last change: what the next write compares with.
    pub modified: u64,
}

/// What a quorum read of the key showed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Read {
    /// There is no vote.
    Nobody,
    /// There is this vote.
    Seen(Vote, Ballot),
    /// The read failed: nothing is known.
    Unknown,
}

/// What a write was answered, a nomination or a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It was done.
    Written(Ballot),
    /// The key is not what was compared with, or is there, or is not (errors 101, 105, 100).
    Refused,
    /// No answer, or one that does not tell.
    Unknown,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Read the key by quorum.
    Read,
    /// Make the key, where there is none, with the own tentative vote.
    Nominate,
    /// Write the own tentative vote over a less fit one, where the key still has this modified index.
    TakeOver {
        /// The index to compare with.
        compare: u64,
    },
    /// Let the own tentative vote settle, then write the confirmed one where the key still has its modified index.
    Confirm(Ballot),
    /// Somebody else leads, or is about to: wait for a change of the key, or for the ttl to pass, and read again.
    Wait,
    /// Lead, until the clock says otherwise. It counts from when the confirmation was **first** sent.
    Lead(Ballot),
}

/// What follows from a read. `confirming` is the ballot of a confirmation of ours that may have been done although
/// nobody said so.
#[must_use]
pub fn after_read(read: &Read, me: &Candidate, confirming: Option<Ballot>) -> Step {
    let (vote, ballot) = match read {
        Read::Nobody => return Step::Nominate,
        Read::Unknown => return Step::Read,
        Read::Seen(vote, ballot) => (vote, *ballot),
    };
    let is_mine = vote.candidate.name() == me.name();
    match vote.state {
        State::Tentative if is_mine => Step::Confirm(ballot),
        State::Tentative if me.fitness() > vote.candidate.fitness() => {
            Step::TakeOver { compare: ballot.modified }
        }
        // In the life of a key one vote is confirmed at most.
        State::Confirmed if is_mine && confirming.is_some_and(|it| it.created == ballot.created) => {
            Step::Lead(ballot)
        }
        State::Tentative | State::Confirmed => Step::Wait,
    }
}

/// What follows from the answer to [`Step::Nominate`] or [`Step::TakeOver`].
#[must_use]
pub fn after_nomination(answer: Answer) -> Step {
    match answer {
        Answer::Written(ballot) => Step::Confirm(ballot),
        Answer::Refused | Answer::Unknown => Step::Read,
    }
}

/// What follows from the answer to the write of [`Step::Confirm`]. Behind an unknown one its ballot is what
/// [`after_read`] takes as `confirming`, until the key is made anew.
#[must_use]
pub fn after_confirmation(answer: Answer) -> Step {
    match answer {
        Answer::Written(ballot) => Step::Lead(ballot),
        Answer::Refused | Answer::Unknown => Step::Read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BALLOT: Ballot = Ballot { created: 10, modified: 12 };

    fn me() -> Candidate {
        Candidate::new("me", 42).unwrap()
    }

    fn seen(name: &str, fitness: i64, state: State) -> Read {
        Read::Seen(Candidate::new(name, fitness).unwrap().vote(state), BALLOT)
    }

    fn after(read: &Read) -> Step {
        after_read(read, &me(), None)
    }

    #[test]
    fn where_nobody_stands_one_nominates_oneself_and_confirms_it() {
        assert_eq!(after(&Read::Nobody), Step::Nominate);
        assert_eq!(after_nomination(Answer::Written(BALLOT)), Step::Confirm(BALLOT));
        assert_eq!(after(&seen("me", 42, State::Tentative)), Step::Confirm(BALLOT));
        assert_eq!(after_confirmation(Answer::Written(BALLOT)), Step::Lead(BALLOT));
    }

    #[test]
    fn a_fitter_candidate_takes_over_a_tentative_vote_and_never_a_confirmed_one() {
        assert_eq!(after(&seen("other", 41, State::Tentative)), Step::TakeOver { compare: 12 });
        // Equals would take over from each other without end.
        assert_eq!(after(&seen("other", 42, State::Tentative)), Step::Wait);
        assert_eq!(after(&seen("other", 43, State::Tentative)), Step::Wait);
        assert_eq!(after(&seen("other", 1, State::Confirmed)), Step::Wait);
    }

    #[test]
    fn a_name_alone_makes_no_leader() {
        let confirmed = seen("me", 42, State::Confirmed);
        assert_eq!(after(&confirmed), Step::Wait);
        let lead = |confirming| after_read(&confirmed, &me(), Some(confirming));
        assert_eq!(lead(Ballot { created: 10, modified: 11 }), Step::Lead(BALLOT));
        assert_eq!(lead(Ballot { created: 7, modified: 11 }), Step::Wait);
    }

    #[test]
    fn what_is_not_known_is_read() {
        assert_eq!(after(&Read::Unknown), Step::Read);
        for answer in [Answer::Refused, Answer::Unknown] {
            assert_eq!(after_nomination(answer), Step::Read);
            assert_eq!(after_confirmation(answer), Step::Read);
        }
    }
}
