//! `cargo xtask failover`: what a caller sees when members die, as medians.

use crate::failure::Failure;
use crate::run;
use crate::workspace::Workspace;

/// Builds the runner and has it read the arguments.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let mut runner = workspace.cargo();
    runner.args(["run", "--quiet", "--package", "etcd-tests", "--bin", "failover", "--"]).args(args);
    run::visibly(&mut runner)
}
