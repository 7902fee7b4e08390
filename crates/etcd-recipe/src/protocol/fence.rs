//! What a resource does with a token: the guard that needs no clock.

/// What follows for a write that comes with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fence {
    /// Take it, and keep its token.
    Pass,
    /// Refuse it: a later holder has been here.
    Refuse,
}

/// What follows for a write with this token, at a resource that has last taken the token `stored`.
///
/// Both tokens must be of one cluster: created indexes of two clusters tell nothing of each other. An equal token
/// passes, for one holder writes more than once.
#[must_use]
pub fn fence(stored: Option<u64>, token: u64) -> Fence {
    match stored {
        Some(stored) if token < stored => Fence::Refuse,
        Some(_) | None => Fence::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_token_is_refused_and_no_other() {
        assert_eq!(fence(None, 20), Fence::Pass);
        assert_eq!(fence(Some(10), 20), Fence::Pass);
        assert_eq!(fence(Some(20), 20), Fence::Pass);
        assert_eq!(fence(Some(30), 20), Fence::Refuse);
    }
}
