//! Who leads.

use etcd_recipe::Token;

/// Who leads an election, as the store shows it.
///
/// That is what the store knows, not what a process believes: the leader itself may have given up a moment ago, by its
/// own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leader {
    value: String,
    token: Token,
}

impl Leader {
    pub(crate) fn new(value: String, token: Token) -> Self {
        Self { value, token }
    }

    /// What it campaigned with or proclaimed last: the seeds' name of the leader.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Its fencing token: greater than that of every leader before.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }
}
