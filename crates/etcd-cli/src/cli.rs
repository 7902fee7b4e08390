//! The command line: global options and every command.

use clap::{Parser, Subcommand};

use crate::exit::Exit;
use crate::failure::Result;
use crate::global::Global;
use crate::session::Session;
use crate::{cluster, document, keys, locks, perf};

/// etcd on the command line: keys, watches, locks, elections, members and users of the v2 API (etcd 0.4 to 3.5)
#[derive(Debug, Parser)]
#[command(
    name = "etcd-cli",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "Commands and options may be written in any order; a value that begins with `-` stands behind `--`.\n\
                  Servers: -s, or $ETCDCTL_ENDPOINTS, or $ETCD_SERVERS, or this machine at 2379 and 4001.",
    after_long_help = after_long_help(),
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// All commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    OfServer(ServerCommand),
    #[command(flatten)]
    Locks(locks::Command),
    #[cfg(feature = "serve")]
    Serve(crate::serve::Serve),
    Completions(document::Completions),
    Man(document::Man),
}

impl Command {
    /// Whether it changes anything in etcd: a failure then says what became of it.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::OfServer(command) => command.writes(),
            Self::Locks(command) => command.writes(),
            #[cfg(feature = "serve")]
            Self::Serve(_) => false,
            Self::Completions(_) | Self::Man(_) => false,
        }
    }
}

/// Commands that ask a server, and are dropped where they stand on a signal. A family is a module and a line here.
#[derive(Debug, Subcommand)]
pub(crate) enum ServerCommand {
    #[command(flatten)]
    Keys(keys::Command),
    #[command(flatten)]
    Cluster(cluster::Command),
    Check(perf::Check),
}

impl ServerCommand {
    /// Whether it changes anything in etcd.
    fn writes(&self) -> bool {
        match self {
            Self::Keys(command) => command.writes(),
            Self::Cluster(command) => command.writes(),
            Self::Check(_) => true,
        }
    }

    /// Runs it.
    pub(crate) async fn run(self, session: &mut Session) -> Result<Exit> {
        match self {
            Self::Keys(command) => command.run(session).await,
            Self::Cluster(command) => command.run(session).await,
            Self::Check(check) => check.run(session).await,
        }
    }
}

fn after_long_help() -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in Exit::ALL {
        text.push_str(&format!("  {code:>3}  {}\n", meaning.trim()));
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_has_an_argument_that_is_called_as_a_global_one() {
        fn check(command: &clap::Command, globals: &[clap::Id]) {
            for sub in command.get_subcommands() {
                for arg in sub.get_arguments() {
                    assert!(!globals.contains(arg.get_id()), "{} {}", sub.get_name(), arg.get_id());
                }
                check(sub, globals);
            }
        }
        let command = Cli::command();
        let globals: Vec<_> = command.get_arguments().map(|arg| arg.get_id().clone()).collect();
        check(&command, &globals);
    }

    #[test]
    fn every_command_has_an_example() {
        fn check(command: &clap::Command, path: &str) {
            for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
                let path = format!("{path} {}", sub.get_name());
                if sub.has_subcommands() {
                    check(sub, &path);
                    continue;
                }
                let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains(&path), "no example of `{path}` in its help");
            }
        }
        check(&Cli::command(), "etcd-cli");
    }
}
