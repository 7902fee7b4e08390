//! Cargo subcommands that a chore needs and a new machine does not have.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::run;
use crate::workspace::Workspace;

/// A program that cargo can install.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// Which versions will do, as in a manifest.
    pub(crate) version: &'static str,
}

impl Tool {
    /// The path of the program; installs it under `target/tools` at first use, which takes minutes.
    pub(crate) fn path(&self, workspace: &Workspace) -> Result<PathBuf, Failure> {
        let root = workspace.target().join("tools");
        let path = root.join("bin").join(self.name);
        if path.is_file() {
            return Ok(path);
        }
        println!("{} is not there yet: installing it under {}", self.name, root.display());
        let mut install = workspace.cargo();
        install.args(["install", "--locked", "--root"]).arg(&root);
        run::visibly(install.args(["--version", self.version, self.name]))?;
        Ok(path)
    }
}
