//! A vote as text: `NAME,STATE,FITNESS`, for everybody to read.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// Who stands for election.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    name: String,
    fitness: i64,
}

impl Candidate {
    /// A candidate; of two the one with the greater fitness is preferred.
    ///
    /// # Errors
    /// A name that is empty or has a comma or a control character in it, which a vote could not be read with.
    pub fn new(name: impl Into<String>, fitness: i64) -> Result<Self, InvalidVote> {
        let name = name.into();
        if name.is_empty() || name.contains(|character: char| character == ',' || character.is_control()) {
            return Err(InvalidVote::Name(name));
        }
        Ok(Self { name, fitness })
    }

    /// The name that the vote has.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How fit it is; the seed's default is 42.
    #[must_use]
    pub fn fitness(&self) -> i64 {
        self.fitness
    }

    /// Its vote in this state.
    #[must_use]
    pub fn vote(&self, state: State) -> Vote {
        Vote { candidate: self.clone(), state }
    }
}

/// How far a vote has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nominated: a fitter candidate may take over.
    Tentative,
    /// The leader's.
    Confirmed,
}

/// What the key of the election holds. Its text is `NAME,STATE,FITNESS`, where STATE is 1 for tentative and 2 for
/// confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Vote {
    /// Whose it is.
    pub candidate: Candidate,
    /// How far it has come.
    pub state: State,
}

impl fmt::Display for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Tentative => 1,
            State::Confirmed => 2,
        };
        write!(f, "{},{state},{}", self.candidate.name, self.candidate.fitness)
    }
}

impl FromStr for Vote {
    type Err = InvalidVote;

    fn from_str(text: &str) -> Result<Self, InvalidVote> {
        let fields: Vec<_> = text.split(',').collect();
        let [name, state, fitness] = fields[..] else { return Err(InvalidVote::Fields(fields.len())) };
        let state = match state {
            "1" => State::Tentative,
            "2" => State::Confirmed,
            other => return Err(InvalidVote::State(other.to_owned())),
        };
        let fitness = fitness.parse().map_err(|_| InvalidVote::Fitness(fitness.to_owned()))?;
        Ok(Candidate::new(name, fitness)?.vote(state))
    }
}

/// Why a text is not a vote, or a name not one of a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvalidVote {
    /// It has so many fields, and not three.
    Fields(usize),
    /// The name is empty, or has a comma or a control character.
    Name(String),
    /// The state is neither 1 nor 2.
    State(String),
    /// The fitness is not a whole number of 64 bits.
    Fitness(String),
}

impl fmt::Display for InvalidVote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields(count) => write!(f, "a vote has 3 fields between commas, this text has {count}"),
            Self::Name(name) => write!(f, "{name:?} cannot be the name of a candidate"),
            Self::State(state) => write!(f, "{state:?} is not the state of a vote, 1 or 2"),
            Self::Fitness(fitness) => write!(f, "{fitness:?} is not a fitness, a whole number"),
        }
    }
}

impl Error for InvalidVote {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_goes_through_its_text() {
        for (text, state) in [("node-1,1,42", State::Tentative), ("node-1,2,-7", State::Confirmed)] {
            let vote: Vote = text.parse().unwrap();
            assert_eq!((vote.candidate.name(), vote.state), ("node-1", state));
            assert_eq!(vote.to_string(), text);
        }
    }

    #[test]
    fn a_malformed_vote_is_refused_by_what_is_wrong_with_it() {
        let refused = |text: &str| text.parse::<Vote>().unwrap_err();
        assert_eq!(refused(""), InvalidVote::Fields(1));
        assert_eq!(refused("a,1"), InvalidVote::Fields(2));
        assert_eq!(refused("a,b,1,42"), InvalidVote::Fields(4));
        assert_eq!(refused(",1,42"), InvalidVote::Name(String::new()));
        // 0 was the state of no vote at all, which nobody ever writes.
        assert_eq!(refused("a,0,42"), InvalidVote::State("0".to_owned()));
        assert_eq!(refused("a,1,fit"), InvalidVote::Fitness("fit".to_owned()));
        assert_eq!(refused("a,1,fit").to_string(), "\"fit\" is not a fitness, a whole number");
    }

    #[test]
    fn a_name_that_would_break_the_text_is_refused() {
        for name in ["", "a,b", "a\nb"] {
            assert_eq!(Candidate::new(name, 1), Err(InvalidVote::Name(name.to_owned())), "{name:?}");
        }
    }
}
