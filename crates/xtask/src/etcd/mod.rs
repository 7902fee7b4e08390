//! `cargo xtask etcd`: etcd servers to test with.

mod binary;
mod fetch;

use std::path::Path;

use crate::failure::{Failure, no_arguments};
use crate::workspace::Workspace;

pub(crate) use self::binary::{Binary, in_path, named, series_of};

/// The lines of releases to test with: the last two with the v2 API.
pub(crate) const SERIES: [&str; 2] = ["3.4", "3.5"];

/// What somebody can do who has no etcd.
pub(crate) const WAYS: &str = "ways to get one: `cargo xtask etcd` on a Debian or Ubuntu that reaches its \
    mirror, ETCD_BIN set to an etcd program, `etcd` in PATH, or a release unpacked into target/etcd/3.4 or \
    target/etcd/3.5";

/// An etcd that could not be had.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) series: &'static str,
    /// Why, in one sentence.
    pub(crate) reason: String,
}

/// Fetches what is not there yet, and says what there is and what could not be had.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    no_arguments(args)?;
    let (fetched, missing) = fetch(workspace);
    for binary in &fetched {
        println!("etcd {}: {}", binary.version, binary.path.display());
    }
    for Missing { series, reason } in &missing {
        println!("etcd {series}: could not be had: {reason}");
    }
    if fetched.is_empty() { Err(Failure::new(format!("no etcd could be had; {WAYS}"))) } else { Ok(()) }
}

/// What is under `target/etcd`, after fetching what was not there yet.
pub(crate) fn fetch(workspace: &Workspace) -> (Vec<Binary>, Vec<Missing>) {
    let absent: Vec<_> =
        SERIES.into_iter().filter(|series| fetched(workspace.target(), series).is_none()).collect();
    let missing = if absent.is_empty() { Vec::new() } else { fetch::fetch(workspace.target(), &absent) };
    (SERIES.into_iter().filter_map(|series| fetched(workspace.target(), series)).collect(), missing)
}

/// The program in the place of a series, if it runs and is of that series.
fn fetched(target: &Path, series: &str) -> Option<Binary> {
    Binary::of_series(&target.join("etcd").join(series).join("etcd"), series).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// Puts a program into `directory` that says it is etcd.
    pub(super) fn pretend(directory: &Path, version: &str) {
        fs::create_dir_all(directory).unwrap();
        // A shell writes it: what this process writes, a child of another test may hold open while it is started.
        let script = r#"printf '#!/bin/sh\necho "etcd Version: %s"\n' "$0" > etcd && chmod +x etcd"#;
        let mut write = Command::new("sh");
        assert!(write.args(["-c", script, version]).current_dir(directory).status().unwrap().success());
    }

    #[test]
    fn a_program_in_the_place_of_another_series_does_not_count() {
        let target = tempfile::tempdir().unwrap();
        assert_eq!(fetched(target.path(), "3.4"), None);
        pretend(&target.path().join("etcd/3.4"), "3.5.16");
        assert_eq!(fetched(target.path(), "3.4"), None);
        pretend(&target.path().join("etcd/3.4"), "3.4.23");
        assert_eq!(fetched(target.path(), "3.4").unwrap().version, "3.4.23");
    }
}
