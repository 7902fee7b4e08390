//! Users.

use clap::{Args, Subcommand};
use etcd_client::v2::User as Account;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::global::Format;
use crate::output::Output;
use crate::password;
use crate::session::Session;

/// Lists and changes users
#[derive(Debug, Args)]
pub(crate) struct User {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the users
    #[command(after_help = "Examples:\n  etcd-cli user list")]
    List,
    /// Prints the roles of a user
    #[command(after_help = "Examples:\n  etcd-cli user get alice")]
    Get { name: String },
    /// Makes a user; without a password it is asked for on the terminal
    #[command(after_help = "Examples:\n  \
        etcd-cli user add alice\n  \
        etcd-cli user add alice --roles reader,writer < password-file\n  \
        etcd-cli user add alice:secret         # seen by all who can list the machine's processes")]
    Add {
        #[arg(value_name = "NAME[:PASSWORD]")]
        name: String,
        /// The roles that the user has
        #[arg(long, value_delimiter = ',')]
        roles: Vec<String>,
    },
    /// Deletes a user
    #[command(visible_alias = "delete", after_help = "Examples:\n  etcd-cli user remove alice")]
    Remove { name: String },
    /// Gives roles to a user
    #[command(
        alias = "grant-role",
        after_help = "Examples:\n  etcd-cli user grant alice --roles reader,writer"
    )]
    Grant {
        name: String,
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<String>,
    },
    /// Takes roles from a user
    #[command(alias = "revoke-role", after_help = "Examples:\n  etcd-cli user revoke alice --roles writer")]
    Revoke {
        name: String,
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<String>,
    },
    /// Changes the password of a user; it is asked for on the terminal, or read from standard input
    #[command(
        after_help = "Examples:\n  etcd-cli user passwd alice\n  etcd-cli user passwd alice < password-file"
    )]
    Passwd { name: String },
}

impl User {
    pub(super) fn writes(&self) -> bool {
        match self.command {
            Command::List | Command::Get { .. } => false,
            Command::Add { .. }
            | Command::Remove { .. }
            | Command::Grant { .. }
            | Command::Revoke { .. }
            | Command::Passwd { .. } => true,
        }
    }

    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let users = session.client.auth().users();
        let out = &mut session.out;
        match self.command {
            Command::List => list(out, &users.list().await?)?,
            Command::Get { name } => get(out, &users.get(name).await?)?,
            Command::Add { name, roles } => {
                let (name, password) = match name.split_once(':') {
                    Some((name, password)) => (name.to_owned(), password.to_owned()),
                    None => (name.clone(), password::new(&name).await?),
                };
                match users.get(&name).await {
                    Ok(_) => return Err(Failure::new(Exit::Exists, format!("user {name} exists already"))),
                    // There is none, as it should be.
                    Err(error) if Exit::of(&error) == Exit::NotFound => {}
                    Err(error) => return Err(error.into()),
                }
                // Without roles etcd takes the same request for a change of password, and says by its status which it
                // was. With roles it only makes a user, and the status says nothing.
                let can_change = roles.is_empty();
                let change = users.create(&name, password).roles(roles).await?;
                if can_change && !change.created {
                    let text =
                        format!("somebody else has just made user {name}, whose password is changed now");
                    return Err(Failure::new(Exit::Exists, text));
                }
                out.line(&format!("User {name} created"))?;
            }
            Command::Remove { name } => {
                users.delete(&name).await?;
                out.line(&format!("User {name} removed"))?;
            }
            Command::Grant { name, roles } => {
                users.grant(&name, roles).await?;
                out.line(&format!("User {name} updated"))?;
            }
            Command::Revoke { name, roles } => {
                users.revoke(&name, roles).await?;
                out.line(&format!("User {name} updated"))?;
            }
            Command::Passwd { name } => {
                // The same request would make a user of that name.
                users.get(&name).await?;
                users.change_password(&name, password::new(&name).await?).await?;
                out.line("Password updated")?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(out: &mut Output, users: &[Account]) -> Result<()> {
    let names: Vec<_> = users.iter().map(|user| &user.name).collect();
    if out.format() == Format::Json {
        return out.json(&names);
    }
    for name in names {
        let name = out.shown(name).into_owned();
        out.line(&name)?;
    }
    Ok(())
}

fn get(out: &mut Output, user: &Account) -> Result<()> {
    let roles: Vec<_> = user.roles.iter().map(|role| &*role.name).collect();
    if out.format() == Format::Json {
        return out.json(&serde_json::json!({ "user": user.name, "roles": roles }));
    }
    let text = format!("User: {}\nRoles: {}", out.shown(&user.name), out.shown(&roles.join(" ")));
    out.line(&text)
}
