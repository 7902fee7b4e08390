//! `cargo xtask locks`: the must-holds of locks on real clusters, in full.

use crate::failure::Failure;
use crate::run;
use crate::workspace::Workspace;

/// Builds the runner and has it read the arguments.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let mut runner = workspace.cargo();
    runner.args(["run", "--quiet", "--package", "etcd-tests", "--bin", "locks", "--"]).args(args);
    run::visibly(&mut runner)
}
