//! Authentication as a whole.

use clap::{Args, Subcommand};

use crate::exit::Exit;
use crate::failure::Result;
use crate::global::Format;
use crate::session::Session;

/// Turns authentication on and off (etcd 2.1 and later)
#[derive(Debug, Args)]
pub(crate) struct Auth {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Turns it on; there has to be a user `root`
    #[command(after_help = "Examples:\n  etcd-cli user add root\n  etcd-cli auth enable")]
    Enable,
    /// Turns it off; users and roles stay
    #[command(after_help = "Examples:\n  etcd-cli auth disable -u root")]
    Disable,
    /// Prints whether it is on
    #[command(after_help = "Examples:\n  etcd-cli auth status")]
    Status,
}

impl Auth {
    pub(super) fn writes(&self) -> bool {
        match self.command {
            Command::Enable | Command::Disable => true,
            Command::Status => false,
        }
    }

    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let auth = session.client.auth();
        let text = match self.command {
            Command::Enable => {
                auth.enable().await?;
                "Authentication Enabled"
            }
            Command::Disable => {
                auth.disable().await?;
                "Authentication Disabled"
            }
            Command::Status => match auth.status().await?.enabled {
                enabled if session.out.format() == Format::Json => {
                    session.out.json(&serde_json::json!({ "enabled": enabled }))?;
                    return Ok(Exit::Done);
                }
                true => "Authentication Enabled",
                false => "Authentication Disabled",
            },
        };
        session.out.line(text)?;
        Ok(Exit::Done)
    }
}
