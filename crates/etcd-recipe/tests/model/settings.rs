//! How large a model is, what its clocks may do, and which rule of the queue it breaks on purpose.

/// The parameters of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) clients: usize,
    /// How often each may come back under a new name, and once.
    pub(crate) attempts: u8,
    /// How many of these there may be in one run: an answer that does not come, a dropped acquire, a `release_by`.
    pub(crate) faults: u8,
    pub(crate) clocks: Clocks,
    /// Whether holders write to the fenced resource.
    pub(crate) work: bool,
    /// Whether somebody may release the token of an attempt that is over.
    pub(crate) release_by: bool,
    /// Whether states that differ in nothing but the numbers of the clients are one.
    pub(crate) interchangeable: bool,

    /// Broken on purpose: the server names the key (POST), so that a repeated creation makes another one.
    pub(crate) post: bool,
    /// Broken on purpose: a release deletes whatever has the name.
    pub(crate) unfenced_release: bool,
    /// Broken on purpose: the resource takes every write.
    pub(crate) unfenced_resource: bool,
    /// Broken on purpose: `check()` looks at a flag that a task of the client clears, and not at the clock.
    pub(crate) flag_for_clock: bool,
}

/// What time may do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clocks {
    /// In ticks: a key runs out at most `skew` early, by clocks that jump or differ from member to member (a new
    /// leader has another clock), and never too early by more; how late is not bounded.
    Bounded { ttl: u8, margin: u8, skew: u8 },
    /// A key may run out at any instant, also while its holder renews it, and the clock of a client may do anything.
    Wild,
}

impl Settings {
    /// With clocks within the margin.
    pub(crate) fn bounded(clients: usize, faults: u8) -> Self {
        let clocks = Clocks::Bounded { ttl: 3, margin: 1, skew: 1 };
        Self { clocks, work: false, ..Self::wild(clients, faults) }
    }

    /// With clocks that do anything.
    pub(crate) fn wild(clients: usize, faults: u8) -> Self {
        Self {
            clients,
            attempts: 1,
            faults,
            clocks: Clocks::Wild,
            work: true,
            release_by: false,
            interchangeable: true,
            post: false,
            unfenced_release: false,
            unfenced_resource: false,
            flag_for_clock: false,
        }
    }
}
