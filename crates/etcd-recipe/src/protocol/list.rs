//! The list of the queue: the only thing that grants.

use super::{Loss, Place};

/// A key of the queue, as a quorum list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listed {
    /// The last element of the key.
    pub name: String,
    /// The index of its creation.
    pub created: u64,
}

/// What follows from a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AfterList {
    /// Ours is the first key: granted.
    Grant,
    /// Wait for the key before ours to end.
    Wait(Listed),
    /// Renew our key and list again: it is first, but by our own clock it may have run out.
    Renew,
    /// Our key is not in the list: it is lost, and with it our place.
    Lost(Loss),
    /// List again: it could not be read, or a wait has ended.
    Again,
}

/// What follows from a list of the queue by quorum, `None` where it could not be read.
///
/// `is_valid` tells whether our own clock says that our key has not run out.
#[must_use]
pub fn after_list(list: Option<&[Listed]>, place: &Place, is_valid: bool) -> AfterList {
    let Some(list) = list else { return AfterList::Again };
    match list.iter().find(|listed| listed.name == place.name) {
        None => return AfterList::Lost(Loss::Gone),
        Some(own) if own.created != place.created => return AfterList::Lost(Loss::Replaced),
        Some(_) => {}
    }
    let ahead = list.iter().filter(|listed| listed.created < place.created);
    match ahead.max_by_key(|listed| listed.created) {
        Some(predecessor) => AfterList::Wait(predecessor.clone()),
        None if is_valid => AfterList::Grant,
        None => AfterList::Renew,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(keys: &[(&str, u64)]) -> Vec<Listed> {
        keys.iter().map(|&(name, created)| Listed { name: name.to_owned(), created }).collect()
    }

    fn ours() -> Place {
        Place { name: "b".to_owned(), created: 20, modified: 25 }
    }

    #[test]
    fn only_the_first_key_is_granted_and_others_wait_for_the_one_before() {
        let after = |list: &[(&str, u64)]| after_list(Some(&queue(list)), &ours(), true);
        assert_eq!(after(&[("c", 30), ("b", 20)]), AfterList::Grant);
        let predecessor = Listed { name: "y".to_owned(), created: 12 };
        assert_eq!(after(&[("z", 10), ("b", 20), ("y", 12)]), AfterList::Wait(predecessor));
    }

    #[test]
    fn a_list_that_could_not_be_read_or_lacks_our_key_grants_nothing() {
        assert_eq!(after_list(None, &ours(), true), AfterList::Again);
        assert_eq!(after_list(Some(&[]), &ours(), true), AfterList::Lost(Loss::Gone));
        assert_eq!(after_list(Some(&queue(&[("b", 21)])), &ours(), true), AfterList::Lost(Loss::Replaced));
    }

    #[test]
    fn a_key_that_may_have_run_out_is_renewed_before_it_is_granted() {
        assert_eq!(after_list(Some(&queue(&[("b", 20)])), &ours(), false), AfterList::Renew);
    }
}
