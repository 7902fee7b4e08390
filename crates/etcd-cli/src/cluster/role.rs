//! Roles.

use clap::{ArgGroup, Args, Subcommand};
use etcd_client::v2::{Permissions, Role as Account};

use crate::exit::Exit;
use crate::failure::Result;
use crate::global::Format;
use crate::output::Output;
use crate::session::Session;

/// Lists and changes roles: who may read and write which keys
#[derive(Debug, Args)]
pub(crate) struct Role {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the roles
    #[command(after_help = "Examples:\n  etcd-cli role list")]
    List,
    /// Prints what a role may do
    #[command(after_help = "Examples:\n  etcd-cli role get reader")]
    Get { name: String },
    /// Makes a role that may do nothing yet
    #[command(after_help = "Examples:\n  etcd-cli role add reader")]
    Add { name: String },
    /// Deletes a role
    #[command(visible_alias = "delete", after_help = "Examples:\n  etcd-cli role remove reader")]
    Remove { name: String },
    /// Lets a role read or write keys
    #[command(
        alias = "grant-permission",
        after_help = "Examples:\n  etcd-cli role grant reader --path '/foo/*' --read"
    )]
    Grant(Change),
    /// Takes the right to read or write keys from a role
    #[command(
        alias = "revoke-permission",
        after_help = "Examples:\n  etcd-cli role revoke reader --path '/foo/*' --readwrite"
    )]
    Revoke(Change),
}

/// What a role may do.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("right").args(["read", "write", "readwrite"]).required(true))]
struct Change {
    name: String,
    /// A key, or with a `*` at the end all that begin so
    #[arg(long, required = true, value_name = "PATTERN")]
    path: Vec<String>,
    #[arg(long)]
    read: bool,
    #[arg(long)]
    write: bool,
    #[arg(long)]
    readwrite: bool,
}

impl Change {
    fn permissions(&self) -> Permissions {
        self.path.iter().fold(Permissions::new(), |permissions, path| match (self.read, self.write) {
            (true, _) => permissions.read(path),
            (_, true) => permissions.write(path),
            (false, false) => permissions.read_write(path),
        })
    }
}

impl Role {
    pub(super) fn writes(&self) -> bool {
        match self.command {
            Command::List | Command::Get { .. } => false,
            Command::Add { .. } | Command::Remove { .. } | Command::Grant(_) | Command::Revoke(_) => true,
        }
    }

    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let roles = session.client.auth().roles();
        let out = &mut session.out;
        match self.command {
            Command::List => list(out, &roles.list().await?)?,
            Command::Get { name } => get(out, &roles.get(name).await?)?,
            Command::Add { name } => {
                roles.create(&name, Permissions::new()).await?;
                out.line(&format!("Role {name} created"))?;
            }
            Command::Remove { name } => {
                roles.delete(&name).await?;
                out.line(&format!("Role {name} removed"))?;
            }
            Command::Grant(change) => {
                roles.grant(&change.name, change.permissions()).await?;
                out.line(&format!("Role {} updated", change.name))?;
            }
            Command::Revoke(change) => {
                roles.revoke(&change.name, change.permissions()).await?;
                out.line(&format!("Role {} updated", change.name))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(out: &mut Output, roles: &[Account]) -> Result<()> {
    let names: Vec<_> = roles.iter().map(|role| &role.name).collect();
    if out.format() == Format::Json {
        return out.json(&names);
    }
    for name in names {
        let name = out.shown(name).into_owned();
        out.line(&name)?;
    }
    Ok(())
}

fn get(out: &mut Output, role: &Account) -> Result<()> {
    if out.format() == Format::Json {
        return out.json(&serde_json::json!({ "role": role.name, "permissions": role.permissions }));
    }
    let head = format!("Role: {}", out.shown(&role.name));
    out.line(&head)?;
    for (title, patterns) in [("KV Read:", &role.permissions.read), ("KV Write:", &role.permissions.write)] {
        out.line(title)?;
        for pattern in patterns {
            let line = format!("\t{}", out.shown(pattern));
            out.line(&line)?;
        }
    }
    Ok(())
}
