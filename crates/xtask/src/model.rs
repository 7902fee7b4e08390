//! `cargo xtask model`: the model checks that take minutes.

use crate::failure::{Failure, no_arguments};
use crate::run;
use crate::workspace::Workspace;

/// Runs what the test targets `model` of the recipes leave to this chore: three clients, and more faults for two. Each
/// prints how many states it has looked at and how long that took.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    no_arguments(args)?;
    for package in PACKAGES {
        let mut test = workspace.cargo();
        // The root manifest has these crates optimised in every build, so that there is no second one of all the others.
        test.args(["test", "--package", package, "--test", "model", "--"]);
        // One after the other: each uses two threads, and memory for millions of states.
        test.args(["--include-ignored", "--nocapture", "--test-threads", "1"]);
        run::visibly(&mut test)?;
    }
    Ok(())
}

/// The crates that have a test target `model`.
const PACKAGES: &[&str] = &["etcd-recipe", "etcd-leader"];
