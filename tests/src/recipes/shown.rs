//! What a scenario has shown.

use std::fmt;
use std::time::Duration;

use crate::failover::median;

/// What a scenario has shown: figures, and what was wrong.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    figures: Vec<(String, String)>,
    problems: Vec<String>,
}

impl Shown {
    /// Adds a figure.
    pub fn figure(&mut self, what: impl Into<String>, value: impl fmt::Display) {
        self.figures.push((what.into(), value.to_string()));
    }

    /// Adds median and maximum of some times; nothing for none.
    pub fn times(&mut self, what: impl Into<String>, times: &[Duration]) {
        if let Some(most) = times.iter().max() {
            let middle = median(times).as_secs_f64();
            let most = most.as_secs_f64();
            self.figure(what, format!("median {middle:.3} s, most {most:.3} s, of {}", times.len()));
        }
    }

    /// Adds problems.
    pub fn problems(&mut self, problems: impl IntoIterator<Item = String>) {
        self.problems.extend(problems);
    }

    /// Adds all that something else has shown.
    pub fn merge(&mut self, other: Self) {
        self.figures.extend(other.figures);
        self.problems.extend(other.problems);
    }

    /// Adds a problem unless it is so.
    pub fn expect(&mut self, is_so: bool, problem: impl FnOnce() -> String) {
        if !is_so {
            self.problems.push(problem());
        }
    }

    /// What was wrong.
    pub fn wrong(&self) -> &[String] {
        &self.problems
    }

    /// Prints all of it.
    ///
    /// # Panics
    /// If something was wrong.
    pub fn assert_right(&self) {
        println!("{self}");
        assert!(self.problems.is_empty(), "{:#?}", self.problems);
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, value) in &self.figures {
            writeln!(f, "  {what:<68} {value}")?;
        }
        for problem in &self.problems {
            writeln!(f, "  WRONG: {problem}")?;
        }
        Ok(())
    }
}
