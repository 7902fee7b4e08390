//! Renewing the key: `PUT name?refresh=true&prevIndex=modified`.

use super::{Loss, OwnKey, Place};

/// What a renewal was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RenewAnswer {
    /// It was done.
    Renewed {
        /// The index of the key's creation.
        created: u64,
        /// The index of this change.
        modified: u64,
    },
    /// The key has another index than the one compared with (error 101).
    CompareFailed,
    /// There is no key (error 100).
    NotFound,
    /// It was proved that nothing was done, but not why the key would be lost: no connection, no permission.
    NotApplied,
    /// No answer, or one that does not tell.
    Unknown,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AfterRenewal {
    /// The key lives on from when the renewal was **first** sent: copies may have been under way before the one that was
    /// answered.
    Renewed(Place),
    /// Read the key by quorum.
    Read,
    /// The key is still ours, at this index: renew again. What has changed it is not known, so nothing is prolonged.
    Adopt(Place),
    /// Send it again.
    Again,
    /// The key is not ours any more.
    Lost(Loss),
}

/// What follows from the answer to a renewal.
#[must_use]
pub fn after_renewal(answer: RenewAnswer, place: &Place) -> AfterRenewal {
    match answer {
        RenewAnswer::Renewed { created, modified } if created == place.created => {
            AfterRenewal::Renewed(Place { modified, ..place.clone() })
        }
        RenewAnswer::Renewed { .. } => AfterRenewal::Lost(Loss::Replaced),
        RenewAnswer::CompareFailed | RenewAnswer::Unknown => AfterRenewal::Read,
        RenewAnswer::NotFound => AfterRenewal::Lost(Loss::Gone),
        RenewAnswer::NotApplied => AfterRenewal::Again,
    }
}

/// What follows from a read of the key behind [`AfterRenewal::Read`].
#[must_use]
pub fn after_renewal_read(own: OwnKey, place: &Place) -> AfterRenewal {
    match own {
        OwnKey::Found { created, modified, .. } if created == place.created => {
            AfterRenewal::Adopt(Place { modified, ..place.clone() })
        }
        OwnKey::Found { .. } => AfterRenewal::Lost(Loss::Replaced),
        OwnKey::Missing => AfterRenewal::Lost(Loss::Gone),
        OwnKey::Unknown => AfterRenewal::Read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Place {
        Place { name: "b".to_owned(), created: 20, modified: 25 }
    }

    #[test]
    fn only_a_renewal_of_the_same_creation_prolongs() {
        let renewed = RenewAnswer::Renewed { created: 20, modified: 30 };
        assert_eq!(after_renewal(renewed, &ours()), AfterRenewal::Renewed(Place { modified: 30, ..ours() }));
        let anew = RenewAnswer::Renewed { created: 21, modified: 30 };
        assert_eq!(after_renewal(anew, &ours()), AfterRenewal::Lost(Loss::Replaced));
    }

    #[test]
    fn a_refused_renewal_is_judged_by_the_key_itself() {
        assert_eq!(after_renewal(RenewAnswer::CompareFailed, &ours()), AfterRenewal::Read);
        let found = |created| OwnKey::Found { created, modified: 28, is_ours: true };
        assert_eq!(
            after_renewal_read(found(20), &ours()),
            AfterRenewal::Adopt(Place { modified: 28, ..ours() })
        );
        assert_eq!(after_renewal_read(found(27), &ours()), AfterRenewal::Lost(Loss::Replaced));
        assert_eq!(after_renewal_read(OwnKey::Missing, &ours()), AfterRenewal::Lost(Loss::Gone));
    }

    #[test]
    fn what_is_not_known_loses_nothing_and_prolongs_nothing() {
        assert_eq!(after_renewal(RenewAnswer::Unknown, &ours()), AfterRenewal::Read);
        assert_eq!(after_renewal(RenewAnswer::NotApplied, &ours()), AfterRenewal::Again);
        assert_eq!(after_renewal_read(OwnKey::Unknown, &ours()), AfterRenewal::Read);
    }
}
