//! What was done between the recorded exchanges without being recorded (`record.py` shows it).

use std::time::Duration;

/// Something unrecorded.
pub(crate) enum Unrecorded {
    /// Time passed.
    Wait(Duration),
    /// A key below the scenario's directory was set to `v`.
    Put(&'static str),
    /// A key below the scenario's directory was set so many times.
    PutMany(&'static str, u32),
    /// A key of another scenario on the same server expired.
    ForeignExpiry,
}

use Unrecorded::{ForeignExpiry, Put, PutMany, Wait};

/// What happened in a scenario before the exchange of this number, and after watches were opened before it.
pub(crate) fn before(scenario: &str, exchange: usize) -> Vec<Unrecorded> {
    match (scenario, exchange) {
        ("ttl", 1 | 5) => vec![Wait(Duration::from_millis(1200))],
        ("ttl", 16) => vec![Wait(Duration::from_millis(800))],
        ("sorted-listing", 0) => {
            let keys = ["b", "a", "C", "10", "9", "a-b", "z/k2", "z/k1", "c3a4", "d/2", "d/1", "d/10"];
            keys.into_iter().map(Put).collect()
        }
        ("watch-history-cleared", 1) => vec![PutMany("filler", 1005)],
        ("watch-recursive", 12) => vec![ForeignExpiry],
        _ => Vec::new(),
    }
}
