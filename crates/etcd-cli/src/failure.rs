//! Why the program does not end well, and how it says so.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::io;

use etcd_client::{Attempt, Attempts, Error, Outcome};

use crate::exit::Exit;
use crate::output::escape;

/// What a command returns.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// A failure: one line, its causes, and what became of a write.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// Empty for one that nobody has to be told of.
    line: String,
    causes: Vec<String>,
    /// Of a call to etcd.
    outcome: Option<Outcome>,
    /// Whether only the answer cannot be written: what was asked for is done.
    is_of_output: bool,
}

impl Failure {
    /// A failure in one line.
    pub(crate) fn new(exit: Exit, line: impl Into<String>) -> Self {
        Self { exit, line: line.into(), causes: Vec::new(), outcome: None, is_of_output: false }
    }

    /// A wrong use of the program.
    pub(crate) fn usage(line: impl Into<String>) -> Self {
        Self::new(Exit::Usage, line)
    }

    /// A file, pipe or process that does not do what was wanted.
    pub(crate) fn io(what: impl Into<String>, error: &io::Error) -> Self {
        Self { causes: vec![error.to_string()], ..Self::new(Exit::Failed, what) }
    }

    /// Output that cannot be written. That its reader has gone is no news to anybody.
    pub(crate) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Exit::BrokenPipe, ""),
            _ => Self { is_of_output: true, ..Self::io("cannot write the output", error) },
        }
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// All lines for standard error. `writes` says whether the command was about to change something.
    pub(crate) fn text(&self, writes: bool) -> String {
        if self.line.is_empty() {
            return String::new();
        }
        let mut text = format!("error: {}\n", escape::line(&self.line));
        for cause in &self.causes {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  caused by: {}", escape::line(cause));
        }
        match self.outcome {
            Some(Outcome::NotApplied) if writes => text.push_str("  nothing was written\n"),
            Some(Outcome::Unknown) => {
                text.push_str(
                    "  the write may have happened, or may happen yet: read before you try again\n",
                );
            }
            Some(Outcome::Applied) => text.push_str("  the write has happened, only its answer was lost\n"),
            None if writes && self.is_of_output => {
                text.push_str("  the write has happened, only its answer could not be written\n");
            }
            Some(Outcome::NotApplied) | None => {}
        }
        text
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let outcome = Some(error.outcome());
        Self {
            exit: Exit::of(&error),
            line: line(&error),
            causes: causes(&error),
            outcome,
            is_of_output: false,
        }
    }
}

impl From<etcd_lock::Error> for Failure {
    fn from(error: etcd_lock::Error) -> Self {
        let causes = below(error.client(), error.source());
        let (exit, outcome) = (Exit::of_lock(&error), Some(error.outcome()));
        Self {
            exit,
            line: without_outcome(&error.to_string()).to_owned(),
            causes,
            outcome,
            is_of_output: false,
        }
    }
}

impl From<etcd_leader::Error> for Failure {
    fn from(error: etcd_leader::Error) -> Self {
        let causes = below(error.client(), error.source());
        let (exit, outcome) = (Exit::of_leader(&error), Some(error.outcome()));
        Self {
            exit,
            line: without_outcome(&error.to_string()).to_owned(),
            causes,
            outcome,
            is_of_output: false,
        }
    }
}

/// The causes of a recipe's error: the failure of its last request, where that was it.
fn below(client: Option<&Error>, source: Option<&(dyn StdError + 'static)>) -> Vec<String> {
    match client {
        Some(client) => std::iter::once(line(client)).chain(causes(client)).collect(),
        None => chain(source),
    }
}

fn causes(error: &Error) -> Vec<String> {
    match error.attempts().is_empty() || error.api().is_some() {
        true => chain(error.source()),
        false => by_endpoint(error.attempts()),
    }
}

fn chain(mut source: Option<&(dyn StdError + 'static)>) -> Vec<String> {
    let mut causes = Vec::new();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Some layers say the same as the one below.
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        source = cause.source();
    }
    causes
}

/// The last attempt at each member, which names it and the innermost cause, and how many there were.
fn by_endpoint(attempts: &Attempts) -> Vec<String> {
    let mut last: Vec<(&Attempt, usize)> = Vec::new();
    for attempt in attempts.iter() {
        match last.iter_mut().find(|(known, _)| known.endpoint() == attempt.endpoint()) {
            Some(known) => *known = (attempt, known.1 + 1),
            None => last.push((attempt, 1)),
        }
    }
    let text = |(attempt, times): (&Attempt, usize)| match times {
        1 => attempt.to_string(),
        _ => format!("{attempt} (the last of {times} attempts)"),
    };
    last.into_iter().map(text).collect()
}

/// The error's own line; what became of the write stands in a line of its own.
fn line(error: &Error) -> String {
    let text = error.to_string();
    let text = without_outcome(&text);
    match error.kind() {
        etcd_client::ErrorKind::V2NotEnabled => {
            format!("{text}; etcd 3.4 and 3.5 need --enable-v2, 3.6 has none any more")
        }
        etcd_client::ErrorKind::InsecureAuth => {
            format!("{text}; --allow-plaintext-auth sends them all the same")
        }
        _ => text.to_owned(),
    }
}

fn without_outcome(text: &str) -> &str {
    let told = [" (the write may have happened)", " (the write has happened)"];
    told.iter().find_map(|told| text.strip_suffix(told)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_whatever_is_in_it() {
        let failure = Failure::new(Exit::Failed, "a\nb\u{1b}[31m");
        assert_eq!(failure.text(true), "error: a\\nb\\x1b[31m\n");
    }

    #[test]
    fn a_reader_that_has_gone_is_no_news() {
        let failure = Failure::output(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.exit(), failure.text(false)), (Exit::BrokenPipe, String::new()));
    }
}
