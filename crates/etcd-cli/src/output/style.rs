//! Colours.

use std::env;

/// Whether there are colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style(bool);

impl Style {
    /// Colours if they are `wanted` and the environment has nothing against them (`NO_COLOR`, `TERM=dumb`).
    pub(crate) fn new(wanted: bool) -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self(wanted && !refused && !dumb)
    }

    /// A directory.
    pub(crate) fn dir(self, text: &str) -> String {
        self.paint("1;34", text)
    }

    /// The head of a column.
    pub(crate) fn head(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
