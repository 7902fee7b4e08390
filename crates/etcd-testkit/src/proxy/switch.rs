//! What a proxy does to all connections at once.

/// What a proxy does to all connections at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Switch {
    /// Nothing listens.
    pub(super) is_refusing: bool,
    /// No byte passes, either way.
    pub(super) is_stalled: bool,
    /// How often all connections were reset.
    pub(super) resets: u64,
}
