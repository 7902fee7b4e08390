//! `cargo xtask differential`: the server in memory and real ones, compared over random operations.

use crate::failure::Failure;
use crate::run;
use crate::workspace::Workspace;

/// Builds the runner and has it read the arguments.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let mut runner = workspace.cargo();
    runner.args(["run", "--quiet", "--package", "etcd-tests", "--bin", "differential", "--"]).args(args);
    run::visibly(&mut runner)
}
