//! Changing a plan while the server runs.

use std::fmt;
use std::sync::Arc;

use super::{Change, Plan, Rule};
use crate::memory::Error;
use crate::memory::engine::Engine;

/// The faults of a running server. Cheap to clone; all clones steer the same server.
#[derive(Clone)]
pub struct Faults {
    engine: Arc<Engine>,
}

impl Faults {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Adds a rule behind the others.
    pub fn add(&self, rule: Rule) {
        self.engine.with(|state| state.plan.push(rule));
    }

    /// Replaces all rules.
    pub fn set(&self, plan: impl Into<Plan>) {
        let plan = plan.into();
        self.engine.with(|state| state.plan = plan);
    }

    /// Removes all rules. What they have done stays: a [`Change`] that lasts for a time lasts on.
    pub fn clear(&self) {
        self.engine.with(|state| state.plan.clear());
    }

    /// Has something happen to the cluster now.
    ///
    /// # Errors
    /// [`ErrorKind::NoMember`](crate::memory::ErrorKind::NoMember) or
    /// [`ErrorKind::NoKey`](crate::memory::ErrorKind::NoKey) if the change names a member that was never built
    /// or was removed, a key that does not exist, or the root. Nothing has happened then.
    pub fn apply(&self, change: Change) -> Result<(), Error> {
        self.engine.change(&change)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.engine.with(|state| f.debug_struct("Faults").field("plan", &state.plan).finish_non_exhaustive())
    }
}
