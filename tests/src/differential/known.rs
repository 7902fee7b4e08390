//! Differences that are known and stay: `docs/in-memory-differences.md`.

use super::answer::Answer;
use super::operation::Operation;

/// A known difference.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// What the table in the docs calls it.
    pub id: &'static str,
    matches: fn(&Operation, &Answer, &Answer) -> bool,
}

impl Known {
    /// The one that explains a difference: ours, theirs.
    pub(crate) fn find(operation: &Operation, ours: &Answer, theirs: &Answer) -> Option<&'static str> {
        KNOWN.iter().find(|known| (known.matches)(operation, ours, theirs)).map(|known| known.id)
    }
}

/// The ids in the table of the docs, in its order.
#[must_use]
pub fn documented() -> Vec<&'static str> {
    DOCS.lines()
        .skip_while(|line| *line != "## Known differences")
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect()
}

const DOCS: &str = include_str!("../../../docs/in-memory-differences.md");

/// In the order of the docs; there is none at present.
pub const KNOWN: &[Known] = &[];
