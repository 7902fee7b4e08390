//! A search through all that the tests print.

use std::fmt;
use std::io::{self, BufRead};

use super::{ARRIVED, CONTROL, Needles};

/// A line in which the password is.
#[derive(Debug, PartialEq, Eq)]
pub struct Hit {
    /// The program of tests, as cargo names it; empty where that is not known.
    pub program: String,
    /// The test, or the thread that wrote the line.
    pub test: String,
    /// The form in which it is there.
    pub form: &'static str,
    /// The line's number, from 1.
    pub line: u64,
}

/// What was read of one stream, and what was found in it. Lines are not kept.
pub struct Scan {
    needles: Needles,
    /// Bytes read.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines that are spans and events of the level TRACE.
    pub traced: u64,
    /// Lines of spans of attempts.
    pub attempts: u64,
    /// Errors told, a line for each of their forms.
    pub errors: u64,
    /// Requests with the canary that servers say they have got.
    pub arrived: u64,
    /// Lines with the canary on purpose that were found by it.
    pub controls: u64,
    /// Lines with the canary on purpose that were not: the search is blind.
    pub missed: Vec<String>,
    /// Lines with the canary.
    pub hits: Vec<Hit>,
    program: String,
    test: String,
}

impl Scan {
    /// One that has read nothing.
    pub fn new(needles: Needles) -> Self {
        Self {
            needles,
            bytes: 0,
            lines: 0,
            traced: 0,
            attempts: 0,
            errors: 0,
            arrived: 0,
            controls: 0,
            missed: Vec::new(),
            hits: Vec::new(),
            program: String::new(),
            test: String::new(),
        }
    }

    /// Reads a stream to its end; gives each line that is not tracing's and not found to `pass_on`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&mut self, mut input: impl BufRead, mut pass_on: impl FnMut(&str)) -> io::Result<()> {
        let mut bytes = Vec::new();
        while input.read_until(b'\n', &mut bytes)? > 0 {
            self.bytes += bytes.len() as u64;
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_end();
            if self.line(line) {
                pass_on(line);
            }
            bytes.clear();
        }
        Ok(())
    }

    /// Whether a person may want to see the line.
    fn line(&mut self, line: &str) -> bool {
        self.lines += 1;
        let thread = traced_by(line);
        self.count(line, thread);
        self.follow(line);
        let found = self.needles.found_in(line);
        if let Some((_, control)) = line.split_once(CONTROL) {
            match found {
                Some(_) => self.controls += 1,
                None => self.missed.push(control.split(':').next().unwrap_or_default().trim().to_owned()),
            }
            return false;
        }
        if let Some(form) = found {
            let test = thread.unwrap_or(&self.test).to_owned();
            self.hits.push(Hit { program: self.program.clone(), test, form, line: self.lines });
        }
        found.is_none() && thread.is_none()
    }

    fn count(&mut self, line: &str, thread: Option<&str>) {
        self.traced += u64::from(thread.is_some() && line.trim_start().starts_with("TRACE"));
        self.attempts += u64::from(thread.is_some() && line.contains("etcd.attempt"));
        self.errors += u64::from(thread.is_some() && line.contains("an error: "));
        self.arrived += u64::from(line.contains(ARRIVED));
    }

    /// Notes which program runs, and whose output follows.
    fn follow(&mut self, line: &str) {
        if let Some(program) = line.trim_start().strip_prefix("Running ") {
            program.split(" (").next().unwrap_or_default().clone_into(&mut self.program);
        } else if let Some(test) = line.strip_prefix("---- ") {
            test.split(' ').next().unwrap_or_default().clone_into(&mut self.test);
        }
    }
}

/// The thread that told the line to tracing, if one did.
fn traced_by(line: &str) -> Option<&str> {
    let (level, rest) = line.trim_start().split_once(' ')?;
    let thread = rest.trim_start().split(' ').next()?;
    matches!(level, "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR").then_some(thread)
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, test, form, line } = self;
        write!(f, "the password ({form}) is in line {line}, of `{test}` {program}")
    }
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("lines", &self.lines).field("hits", &self.hits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::Canary;

    fn scan(canary: &Canary, text: &str) -> (Scan, Vec<String>) {
        let (mut scan, mut shown) = (Scan::new(Needles::of(canary)), Vec::new());
        scan.read(text.as_bytes(), |line| shown.push(line.to_owned())).unwrap();
        (scan, shown)
    }

    #[test]
    fn a_hit_names_the_test_and_not_the_password() {
        let canary = Canary::draw();
        let password = canary.password();
        let text = format!(
            "   Running tests/keys/main.rs (target/x)\n\
             TRACE read::it_reads etcd_transport: authorization: {password}\n\
             ---- write::it_writes stdout ----\n\
             the password is {password}\n\
             test write::it_writes ... ok\n"
        );
        let (scan, shown) = scan(&canary, &text);
        let tests: Vec<_> = scan.hits.iter().map(|hit| (hit.test.as_str(), hit.line)).collect();
        assert_eq!(tests, [("read::it_reads", 2), ("write::it_writes", 4)]);
        assert_eq!(scan.hits[0].program, "tests/keys/main.rs");
        assert!(!format!("{:?} {}", scan.hits, scan.hits[0]).contains(&password[..12]));
        assert!(shown.iter().all(|line| !line.contains(&password[..12])), "{shown:?}");
        assert_eq!(shown.len(), 3, "neither what was traced nor what was found: {shown:?}");
    }

    #[test]
    fn a_control_is_no_hit_and_one_that_is_not_found_is_said() {
        let canary = Canary::draw();
        let text = format!(
            "{CONTROL} plain: {}\nTRACE a b: {CONTROL} rot13: p4a4el\nTRACE a b: {ARRIVED}\n",
            canary.password()
        );
        let (scan, _) = scan(&canary, &text);
        assert_eq!((scan.controls, scan.missed, scan.hits), (1, vec!["rot13".to_owned()], vec![]));
        assert_eq!((scan.traced, scan.arrived, scan.lines), (2, 1, 3));
    }
}
