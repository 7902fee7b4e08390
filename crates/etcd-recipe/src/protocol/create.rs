//! Making the key: where the answer is lost the same key is made again, never another beside it.

use super::{OwnKey, Place};

/// What the creation of our key (`PUT name?prevExist=false`) was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CreateAnswer {
    /// It was made.
    Created {
        /// The index of the creation.
        created: u64,
    },
    /// There is a key of that name (error 105).
    Exists,
    /// No answer, or one that does not tell.
    Unknown,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AfterCreate {
    /// We are in the queue.
    Placed(Place),
    /// Read the key by quorum: it may be ours, by a copy whose answer was lost.
    Read,
    /// Send the same creation again: a name can be created only once, so a second copy makes no second key.
    Again,
    /// The name is somebody else's: take a new one.
    Rename,
}

/// What follows from the answer to a creation.
#[must_use]
pub fn after_create(answer: CreateAnswer, name: &str) -> AfterCreate {
    match answer {
        CreateAnswer::Created { created } => {
            AfterCreate::Placed(Place { name: name.to_owned(), created, modified: created })
        }
        CreateAnswer::Exists => AfterCreate::Read,
        CreateAnswer::Unknown => AfterCreate::Again,
    }
}

/// What follows from a read of the key behind [`AfterCreate::Read`].
#[must_use]
pub fn after_creator_read(own: OwnKey, name: &str) -> AfterCreate {
    match own {
        OwnKey::Found { created, modified, is_ours: true } => {
            AfterCreate::Placed(Place { name: name.to_owned(), created, modified })
        }
        OwnKey::Found { is_ours: false, .. } => AfterCreate::Rename,
        // It was there and ran out.
        OwnKey::Missing => AfterCreate::Again,
        OwnKey::Unknown => AfterCreate::Read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_answer_makes_the_same_key_again() {
        assert_eq!(after_create(CreateAnswer::Unknown, "a"), AfterCreate::Again);
        assert_eq!(after_create(CreateAnswer::Exists, "a"), AfterCreate::Read);
        let place = Place { name: "a".to_owned(), created: 7, modified: 7 };
        assert_eq!(after_create(CreateAnswer::Created { created: 7 }, "a"), AfterCreate::Placed(place));
    }

    #[test]
    fn a_key_that_exists_is_ours_by_what_it_holds() {
        let found = |is_ours| OwnKey::Found { created: 7, modified: 9, is_ours };
        let place = Place { name: "a".to_owned(), created: 7, modified: 9 };
        assert_eq!(after_creator_read(found(true), "a"), AfterCreate::Placed(place));
        assert_eq!(after_creator_read(found(false), "a"), AfterCreate::Rename);
        assert_eq!(after_creator_read(OwnKey::Missing, "a"), AfterCreate::Again);
        assert_eq!(after_creator_read(OwnKey::Unknown, "a"), AfterCreate::Read);
    }
}
