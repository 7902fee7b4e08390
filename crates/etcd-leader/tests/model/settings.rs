//! How large a model is, and what it breaks on purpose.

/// The parameters of a model.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The fitness of each candidate.
    pub(crate) fitness: &'static [i64],
    /// How many answers may not come.
    pub(crate) faults: u8,
    /// Within the margin: a key runs out one tick early at most, and how late is not bounded. Else at any instant, and
    /// the clocks of the candidates do what they like.
    pub(crate) bounded: bool,
    /// Broken on purpose: a confirmation is written whatever is there.
    pub(crate) confirm_without_compare: bool,
    /// Broken on purpose: a first nomination is written whatever is there, as the seed's is.
    pub(crate) nominate_without_compare: bool,
}

impl Settings {
    pub(crate) fn new(fitness: &'static [i64], faults: u8) -> Self {
        Self {
            fitness,
            faults,
            bounded: true,
            confirm_without_compare: false,
            nominate_without_compare: false,
        }
    }

    /// Of a key, in ticks.
    pub(crate) fn ttl(&self) -> u8 {
        if self.bounded { 3 } else { 0 }
    }

    /// How early a key may run out, in ticks.
    pub(crate) fn skew(&self) -> u8 {
        u8::from(self.bounded)
    }

    /// Of what is sent now, in ticks: the ttl without the margin, which is the skew.
    pub(crate) fn validity(&self) -> u8 {
        if self.bounded { self.ttl() - self.skew() } else { 1 }
    }
}
