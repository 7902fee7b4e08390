//! A bar that says how far a long command is: on standard error, and on a terminal only.
//!
//! Own lines rather than a crate: one bar, one width, redrawn where work is done anyway.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::time::Instant;

/// How far something is.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    total: usize,
    done: usize,
    drawn: Option<Instant>,
    terminal: bool,
}

impl Progress {
    /// Nothing of `total` is done yet.
    pub(crate) fn new(what: &'static str, total: usize) -> Self {
        Self { what, total, done: 0, drawn: None, terminal: io::stderr().is_terminal() }
    }

    /// So much is done.
    pub(crate) fn set(&mut self, done: usize) {
        self.done = done;
        let due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= EVERY);
        if self.terminal && due {
            self.drawn = Some(Instant::now());
            self.draw();
        }
    }

    /// One more is done.
    pub(crate) fn step(&mut self) {
        self.set(self.done + 1);
    }

    fn draw(&self) {
        let Self { what, total, done, .. } = self;
        // A bar that cannot be drawn is not worth a failure.
        let _ = write!(io::stderr(), "\r{what} [{}] {done}/{total}", bar(*done, *total));
    }
}

impl Drop for Progress {
    /// Wipes the bar away: what comes behind stands in a line of its own.
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

fn bar(done: usize, total: usize) -> String {
    let filled = (done * WIDTH).checked_div(total).unwrap_or(WIDTH).min(WIDTH);
    format!("{}{}", "#".repeat(filled), ".".repeat(WIDTH - filled))
}

const WIDTH: usize = 32;
const EVERY: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        assert_eq!(bar(0, 10), ".".repeat(WIDTH));
        assert_eq!(bar(5, 10), format!("{}{}", "#".repeat(16), ".".repeat(16)));
        assert_eq!(bar(0, 0), "#".repeat(WIDTH));
        assert_eq!(bar(11, 10), "#".repeat(WIDTH));
    }
}
