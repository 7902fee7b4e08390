//! What a run found.

use std::collections::BTreeMap;
use std::fmt;

/// One operation that was answered in two ways.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The operation's number, from 0.
    pub number: u64,
    /// What differs, the operation and both answers.
    pub text: String,
}

/// What a run found; prints as one line.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The real server.
    pub server: String,
    /// What the operations were made from.
    pub seed: u64,
    /// How many were played.
    pub operations: u64,
    /// How often keys expired meanwhile: each time the run pauses.
    pub pauses: u64,
    /// How many events came to watches that had to wait for them.
    pub watched: u64,
    /// How many answers there were of each status; not counted with concurrent writers.
    pub statuses: BTreeMap<u16, u64>,
    /// Those in no table.
    pub differences: Vec<Difference>,
    /// How often each known one was seen.
    pub known: BTreeMap<&'static str, u64>,
}

impl Report {
    /// Notes a difference, and prints it at once.
    pub(super) fn differs(&mut self, number: u64, text: String) {
        println!("difference, seed {}, operation {number}, {}: {text}", self.seed, self.server);
        self.differences.push(Difference { number, text });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, seed, operations, pauses, watched, .. } = self;
        let differences = self.differences.len();
        write!(
            f,
            "{server}: {operations} operations with seed {seed}, {differences} differences, known ones "
        )?;
        if self.known.is_empty() {
            write!(f, "none")?;
        }
        for (id, count) in &self.known {
            write!(f, "[{id} {count}]")?;
        }
        if self.statuses.is_empty() {
            return Ok(());
        }
        write!(f, "; {watched} events to waiting watches, {pauses} pauses for expiry; answers")?;
        self.statuses.iter().try_for_each(|(status, count)| write!(f, " {status}: {count}"))
    }
}
