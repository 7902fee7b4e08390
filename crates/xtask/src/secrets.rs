//! `cargo xtask secrets`: all tests with a password on every client, and a search for it in all they print.

use crate::failure::Failure;
use crate::run;
use crate::workspace::Workspace;

/// Builds the runner; arguments choose among the tests, such as `--test keys`; without any, all are run.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let mut runner = workspace.cargo();
    runner.args(["run", "--quiet", "--package", "etcd-tests", "--bin", "secrets", "--"]).args(args);
    run::visibly(&mut runner)
}
