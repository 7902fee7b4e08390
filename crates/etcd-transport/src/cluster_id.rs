//! The id of the cluster that a client talks to.
//!
//! A value that clones share, apart from the layer that looks after it: who builds a client keeps a copy, to
//! read the id and to forget it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The id of the cluster that answers are taken from: `X-Etcd-Cluster-Id`, sent by etcd 2.0 and later.
///
/// It is given, or learned from the first answer that has one. Clones share it. If the first answer comes
/// from a member of the wrong cluster, it is that cluster's id which is learned, and the right members are
/// refused: give the id where that matters, or [`forget`](ClusterId::forget) it.
///
/// ```
/// use etcd_transport::ClusterId;
///
/// let id = ClusterId::expected("7e27652122e8b2ae");
/// assert_eq!(id.get().as_deref(), Some("7e27652122e8b2ae"));
/// assert_eq!(ClusterId::learned().get(), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ClusterId(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    id: Option<Box<str>>,
    /// Given by the user, so that it is never forgotten.
    given: bool,
    /// How often it was forgotten: what was found out before counts no more.
    forgotten: u64,
}

impl ClusterId {
    /// Takes the id of the first answer that has one.
    #[must_use]
    pub fn learned() -> Self {
        Self::default()
    }

    /// Takes answers of this cluster only. It is written in hexadecimal, as etcd's header has it.
    #[must_use]
    pub fn expected(id: impl AsRef<str>) -> Self {
        let id = Some(plain(id.as_ref()));
        Self(Arc::new(Mutex::new(Known { id, given: true, forgotten: 0 })))
    }

    /// The id, once it is known.
    #[must_use]
    pub fn get(&self) -> Option<String> {
        self.known().id.as_deref().map(str::to_owned)
    }

    /// Forgets a learned id, and what servers were found to belong elsewhere: the next answer that has an id
    /// says which cluster it is. One that was given stays.
    pub fn forget(&self) {
        let mut known = self.known();
        known.forgotten += 1;
        if !known.given {
            known.id = None;
        }
    }

    /// Compares the id of an answer, or learns it.
    ///
    /// # Errors
    ///
    /// The id that it should have.
    pub(crate) fn check(&self, seen: &str) -> Result<(), Box<str>> {
        let mut known = self.known();
        match &known.id {
            Some(id) if id.eq_ignore_ascii_case(seen.trim()) => Ok(()),
            Some(id) => Err(id.clone()),
            None => {
                known.id = Some(plain(seen));
                Ok(())
            }
        }
    }

    /// How often it was forgotten.
    pub(crate) fn forgotten(&self) -> u64 {
        self.known().forgotten
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Whole between any two statements, whatever panics elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn plain(id: &str) -> Box<str> {
    id.trim().to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_is_learned_and_another_one_refused_until_it_is_forgotten() {
        let id = ClusterId::learned();
        let shared = id.clone();
        assert_eq!(id.check("AB1"), Ok(()));
        assert_eq!(id.check(" ab1 "), Ok(()));
        assert_eq!(shared.check("cd2"), Err("ab1".into()));
        shared.forget();
        assert_eq!(id.check("cd2"), Ok(()));
        assert_eq!(shared.get().as_deref(), Some("cd2"));
    }

    #[test]
    fn an_id_that_was_given_is_not_forgotten() {
        let id = ClusterId::expected("AB1");
        id.forget();
        assert_eq!(id.check("cd2"), Err("ab1".into()));
        assert_eq!((id.get().as_deref(), id.forgotten()), (Some("ab1"), 1));
    }
}
