//! Which of the matching requests or connections are meant.

/// Which of the matching ones are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Turn {
    #[default]
    All,
    Nth(u64),
    Every(u64),
    First(u64),
}

impl Turn {
    /// Whether it is the turn of number `seen`, counted from 1.
    pub(crate) fn is_turn_of(self, seen: u64) -> bool {
        match self {
            Self::All => true,
            Self::Nth(n) => seen == n,
            Self::Every(n) => seen.is_multiple_of(n),
            Self::First(n) => seen <= n,
        }
    }
}
