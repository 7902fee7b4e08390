//! The oddities of etcd's watches, each with a switch.

/// The oddities of etcd's watches, which clients must cope with. All are on unless switched off.
///
/// A test that wants to know what its code does on a well-behaved server switches some off; a test of a client
/// library leaves them on.
///
/// ```
/// use etcd_testkit::memory::Quirks;
///
/// let quirks = Quirks::faithful().doubled_deletes(false);
/// assert_ne!(quirks, Quirks::faithful());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    pub(crate) history_ends_streams: bool,
    pub(crate) streams_overflow: bool,
    pub(crate) doubled_deletes: bool,
    pub(crate) history_shows_hidden_keys: bool,
    pub(crate) history_matches_siblings: bool,
}

impl Quirks {
    /// As etcd 3.4 and 3.5 are: all on.
    #[must_use]
    pub fn faithful() -> Self {
        Self::all(true)
    }

    /// A server without any of them.
    #[must_use]
    pub fn none() -> Self {
        Self::all(false)
    }

    /// Whether a stream that finds an event in the history gets that one event and then nothing for ever.
    ///
    /// Off, it gets all events of the history and then the live ones.
    #[must_use]
    pub fn history_ends_streams(mut self, on: bool) -> Self {
        self.history_ends_streams = on;
        self
    }

    /// Whether a stream with 100 unread events is dropped without a word: those are delivered, then silence.
    ///
    /// Off, that happens at 65,536 unread events.
    #[must_use]
    pub fn streams_overflow(mut self, on: bool) -> Self {
        self.streams_overflow = on;
        self
    }

    /// Whether a stream on the very key that is deleted or expires gets that event twice.
    #[must_use]
    pub fn doubled_deletes(mut self, on: bool) -> Self {
        self.doubled_deletes = on;
        self
    }

    /// Whether a recursive watch gets hidden keys below it from the history, which it does not get live.
    #[must_use]
    pub fn history_shows_hidden_keys(mut self, on: bool) -> Self {
        self.history_shows_hidden_keys = on;
        self
    }

    /// Whether the end of a directory `/d` in the history also matches a watch on `/dzzz`.
    #[must_use]
    pub fn history_matches_siblings(mut self, on: bool) -> Self {
        self.history_matches_siblings = on;
        self
    }

    fn all(on: bool) -> Self {
        Self {
            history_ends_streams: on,
            streams_overflow: on,
            doubled_deletes: on,
            history_shows_hidden_keys: on,
            history_matches_siblings: on,
        }
    }

    /// How many unread events a stream may have.
    pub(crate) fn stream_buffer(self) -> usize {
        if self.streams_overflow { STREAM_BUFFER } else { LARGE_STREAM_BUFFER }
    }
}

impl Default for Quirks {
    /// [`Quirks::faithful`].
    fn default() -> Self {
        Self::faithful()
    }
}

/// etcd's own buffer per watcher (2.0 to 3.5).
const STREAM_BUFFER: usize = 100;

/// A bound all the same, so that a reader that never reads costs bounded memory.
const LARGE_STREAM_BUFFER: usize = 65_536;
