//! Giving the key back: `DELETE name?prevIndex=modified`.

use super::{Loss, OwnKey, Place};

/// What a release was answered, with what the history proves of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReleaseAnswer {
    /// It was done, by this or an earlier copy.
    Released,
    /// The key has another index than the one compared with (error 101).
    CompareFailed,
    /// There is no key (error 100), and it was not us who deleted it.
    NotFound,
    /// There is no key, and an earlier copy of the release may have deleted it.
    NotFoundAfterUnknown,
    /// No answer, or one that does not tell.
    Unknown,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AfterRelease {
    /// No key of ours is left.
    Released,
    /// Read the key by quorum.
    Read,
    /// Send it again, at the index of this place.
    Again(Place),
    /// It had been lost before.
    Lost(Loss),
}

/// What follows from the answer to a release.
#[must_use]
pub fn after_release(answer: ReleaseAnswer, place: &Place) -> AfterRelease {
    match answer {
        ReleaseAnswer::Released | ReleaseAnswer::NotFoundAfterUnknown => AfterRelease::Released,
        ReleaseAnswer::CompareFailed => AfterRelease::Read,
        ReleaseAnswer::NotFound => AfterRelease::Lost(Loss::Gone),
        ReleaseAnswer::Unknown => AfterRelease::Again(place.clone()),
    }
}

/// What follows from a read of the key behind [`AfterRelease::Read`].
#[must_use]
pub fn after_release_read(own: OwnKey, place: &Place) -> AfterRelease {
    match own {
        OwnKey::Found { created, modified, .. } if created == place.created => {
            AfterRelease::Again(Place { modified, ..place.clone() })
        }
        OwnKey::Found { .. } => AfterRelease::Lost(Loss::Replaced),
        OwnKey::Missing => AfterRelease::Lost(Loss::Gone),
        OwnKey::Unknown => AfterRelease::Read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Place {
        Place { name: "b".to_owned(), created: 20, modified: 25 }
    }

    #[test]
    fn a_release_that_came_too_late_says_so() {
        assert_eq!(after_release(ReleaseAnswer::Released, &ours()), AfterRelease::Released);
        assert_eq!(after_release(ReleaseAnswer::NotFoundAfterUnknown, &ours()), AfterRelease::Released);
        assert_eq!(after_release(ReleaseAnswer::NotFound, &ours()), AfterRelease::Lost(Loss::Gone));
    }

    #[test]
    fn only_a_key_of_the_same_creation_is_deleted() {
        assert_eq!(after_release(ReleaseAnswer::CompareFailed, &ours()), AfterRelease::Read);
        let found = |created| OwnKey::Found { created, modified: 28, is_ours: true };
        let later = AfterRelease::Again(Place { modified: 28, ..ours() });
        assert_eq!(after_release_read(found(20), &ours()), later);
        assert_eq!(after_release_read(found(27), &ours()), AfterRelease::Lost(Loss::Replaced));
        assert_eq!(after_release_read(OwnKey::Unknown, &ours()), AfterRelease::Read);
    }
}
