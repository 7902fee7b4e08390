//! `cargo xtask deny`: which dependencies are allowed.

use std::process::Command;

use crate::failure::{Failure, no_arguments};
use crate::run;
use crate::tool::Tool;
use crate::workspace::Workspace;

/// Runs cargo-deny with the rules of `deny.toml`.
///
/// The advisories are left out, because their database is a git repository that many machines
/// cannot reach; the versions that matter are bans in `deny.toml`.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    no_arguments(args)?;
    let program = CARGO_DENY.path(workspace)?;
    let mut command = Command::new(program);
    command.current_dir(workspace.root());
    run::visibly(command.args(["--all-features", "check", "bans", "licenses", "sources"]))
}

const CARGO_DENY: Tool = Tool { name: "cargo-deny", version: "^0.20" };

#[cfg(test)]
mod tests {
    #[test]
    fn no_floor_is_written_so_that_it_never_matches() {
        let rules = include_str!("../../../deny.toml");
        assert!(rules.contains(":<"));
        // cargo-deny 0.20 reads `tokio@<1.44.2` as `=1.44.2`.
        assert!(!rules.contains("@<"));
    }
}
