//! What a run of tests has shown.

use std::fmt;

use crate::run::Output;

/// What it has shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// At least one test ran, and none failed.
    Passed,
    /// These failed.
    Failed(Vec<String>),
    /// It was built, and no test ran.
    Empty,
    /// The compiler refused it, with these words.
    NotBuilt(String),
    /// It failed without a test that says so.
    Broken(String),
}

impl Verdict {
    /// Reads what `cargo test` has printed.
    pub(super) fn read(output: &Output) -> Self {
        let lines = || output.stdout.lines().map(str::trim);
        let failed: Vec<_> = lines()
            .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
            .map(str::to_owned)
            .collect();
        if !failed.is_empty() {
            return Self::Failed(failed);
        }
        if !output.success {
            return Self::Broken(output.stderr.clone());
        }
        let has_run = lines().any(|line| line.starts_with("test ") && line.ends_with(" ... ok"));
        if has_run { Self::Passed } else { Self::Empty }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passes"),
            Self::Failed(tests) => write!(f, "fails: {}", tests.join(", ")),
            Self::Empty => f.write_str("runs no test"),
            Self::NotBuilt(complaint) => write!(f, "does not compile: {complaint}"),
            Self::Broken(complaint) => write!(f, "fails without a failed test: {complaint}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(success: bool, stdout: &str) -> Verdict {
        Verdict::read(&Output { success, stdout: stdout.to_owned(), stderr: "why".to_owned() })
    }

    #[test]
    fn only_a_test_that_failed_has_caught_something() {
        assert_eq!(verdict(true, "test a::b ... ok\ntest c ... ok\n"), Verdict::Passed);
        assert_eq!(
            verdict(false, "test a::b ... FAILED\ntest c ... ok\n"),
            Verdict::Failed(vec!["a::b".to_owned()])
        );
        assert_eq!(verdict(false, ""), Verdict::Broken("why".to_owned()));
    }

    #[test]
    fn a_run_without_tests_shows_nothing() {
        assert_eq!(verdict(true, "running 0 tests\n"), Verdict::Empty);
        assert_eq!(verdict(true, "test a ... ignored\n"), Verdict::Empty);
    }
}
