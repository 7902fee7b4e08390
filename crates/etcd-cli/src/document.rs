//! What the program says of itself to shells and to `man`.

use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Output;

/// Prints completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli completions bash > ~/.local/share/bash-completion/completions/etcd-cli\n  \
    etcd-cli completions zsh > ~/.zfunc/_etcd-cli\n  \
    etcd-cli completions fish > ~/.config/fish/completions/etcd-cli.fish")]
pub(crate) struct Completions {
    shell: Shell,
}

/// Writes the man pages of the program and of each command into a directory
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  etcd-cli man ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// It is made if it is not there
    directory: PathBuf,
}

impl Completions {
    pub(crate) fn run(self, out: &mut Output) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "etcd-cli", &mut script);
        out.line(String::from_utf8_lossy(&script).trim_end())?;
        Ok(Exit::Done)
    }
}

impl Man {
    pub(crate) fn run(self) -> Result<Exit> {
        let failed =
            |error: io::Error| Failure::io(format!("cannot write to {}", self.directory.display()), &error);
        std::fs::create_dir_all(&self.directory).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), &self.directory).map_err(failed)?;
        Ok(Exit::Done)
    }
}
