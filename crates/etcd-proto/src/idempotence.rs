//! Whether a request may be sent twice.

/// What a request says of being sent twice. Nobody guesses it from a method name.
///
/// | class | requests of the v2 API | after an unknown outcome |
/// | --- | --- | --- |
/// | `Read` | get, exists, lists, stats, version, health, watch, auth reads | may be sent again |
/// | `Guarded` | create, create dir, member remove | by a resolver only |
/// | `Guarded` | compare-and-swap, compare-and-delete and refresh by index | by a resolver only |
/// | `Idempotent` | set, update, refresh, delete where the caller says so | may be sent again |
/// | `Once` | all other writes | the caller decides |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Idempotence {
    /// Changes nothing; may be sent as often as one likes.
    Read,
    /// A condition in the request lets it apply at most once; a repeat may be refused because the first copy
    /// landed, so the answer to a repeat needs reading with care.
    ///
    /// A resolver repeats it, and after error 101 or 105 reads the key by quorum: its own value, if that is
    /// unlike anybody else's, says that the first copy landed.
    Guarded,
    /// The caller has said that a repeat does no harm.
    ///
    /// A repeat can still overwrite what somebody else wrote between the two copies.
    Idempotent,
    /// A second copy may do damage: never sent again once it may have left.
    Once,
}

impl Idempotence {
    /// Whether the request changes nothing.
    #[must_use]
    pub fn is_read(self) -> bool {
        self == Self::Read
    }
}
