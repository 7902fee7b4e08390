//! Members: list, add, update, remove; machines.

use clap::{Args, Subcommand};
use etcd_client::v2::Member;

use crate::exit::Exit;
use crate::failure::Result;
use crate::global::Format;
use crate::output::{Output, Table};
use crate::session::Session;

/// Lists and changes the members of the cluster
#[derive(Debug, Args)]
pub(crate) struct Members {
    /// `list` without one
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the members
    #[command(after_help = "Examples:\n  etcd-cli members list\n  etcd-cli members")]
    List,
    /// Adds a member, and prints the settings that it has to be started with
    #[command(after_help = "Examples:\n  etcd-cli members add infra3 http://10.0.0.13:2380")]
    Add {
        /// The name that it will have
        name: String,
        /// Its URLs for other members
        #[arg(required = true, value_delimiter = ',', value_name = "PEER_URL")]
        peer_urls: Vec<String>,
    },
    /// Changes the URLs of a member for other members
    #[command(after_help = "Examples:\n  etcd-cli members update a8266ecf031671f3 http://10.0.0.13:2380")]
    Update {
        id: String,
        /// Its URLs for other members
        #[arg(required = true, value_delimiter = ',', value_name = "PEER_URL")]
        peer_urls: Vec<String>,
    },
    /// Removes a member, for good: its id never comes back
    #[command(visible_alias = "delete", after_help = "Examples:\n  etcd-cli members remove a8266ecf031671f3")]
    Remove { id: String },
}

/// Prints the URL of each member for clients
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  etcd-cli machines")]
pub(crate) struct Machines {}

impl Members {
    pub(super) fn writes(&self) -> bool {
        match self.command {
            Some(Command::List) | None => false,
            Some(Command::Add { .. } | Command::Update { .. } | Command::Remove { .. }) => true,
        }
    }

    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let members = session.client.members();
        match self.command.unwrap_or(Command::List) {
            Command::List => list(session).await?,
            Command::Add { name, peer_urls } => {
                let known = members.list().await?;
                let added = members.add(peer_urls).await?;
                tell_added(&mut session.out, &name, &added, &known)?;
            }
            Command::Update { id, peer_urls } => {
                members.update(&id, peer_urls).await?;
                session.out.line(&format!("Updated member with ID {id} in cluster"))?;
            }
            Command::Remove { id } => {
                members.remove(&id).await?;
                session.out.line(&format!("Removed member {id} from cluster"))?;
            }
        }
        Ok(Exit::Done)
    }
}

async fn list(session: &mut Session) -> Result<()> {
    let members = session.client.members().list().await?;
    // Without a leader there is a list all the same.
    let leader = session.client.members().leader().await.ok().map(|leader| leader.id);
    let out = &mut session.out;
    match out.table_format() {
        Format::Json => return out.json(&members),
        Format::Table => {
            let mut table = Table::new(["ID", "NAME", "PEER URLS", "CLIENT URLS", "LEADER"]);
            for Member { id, name, peer_urls, client_urls, .. } in &members {
                let leads = if Some(id) == leader.as_ref() { "yes" } else { "" };
                table.row([id, name, &peer_urls.join(","), &client_urls.join(","), leads]);
            }
            return out.table(&table);
        }
        Format::Simple | Format::Extended => {}
    }
    for member in &members {
        let line = member_line(out, member, Some(&member.id) == leader.as_ref());
        out.line(&line)?;
    }
    Ok(())
}

/// As etcdctl writes it.
pub(super) fn member_line(out: &Output, member: &Member, leads: bool) -> String {
    let Member { id, name, peer_urls, client_urls, .. } = member;
    let (peer_urls, client_urls) = (peer_urls.join(","), client_urls.join(","));
    let (id, peer_urls) = (out.shown(id), out.shown(&peer_urls));
    if name.is_empty() {
        return format!("{id}[unstarted]: peerURLs={peer_urls}");
    }
    let (name, client_urls) = (out.shown(name), out.shown(&client_urls));
    format!("{id}: name={name} peerURLs={peer_urls} clientURLs={client_urls} isLeader={leads}")
}

fn tell_added(out: &mut Output, name: &str, added: &Member, known: &[Member]) -> Result<()> {
    if out.format() == Format::Json {
        return out.json(added);
    }
    out.line(&format!("Added member named {name} with ID {} to cluster\n", added.id))?;
    let known = known.iter().filter(|member| !member.name.is_empty()).map(|member| (&*member.name, member));
    let urls = known.chain([(name, added)]).flat_map(|(name, member)| {
        member.peer_urls.iter().map(move |url| format!("{name}={url}")).collect::<Vec<_>>()
    });
    let urls = urls.collect::<Vec<_>>().join(",");
    out.line(&format!("ETCD_NAME=\"{name}\""))?;
    let cluster = format!("ETCD_INITIAL_CLUSTER=\"{}\"", out.shown(&urls));
    out.line(&cluster)?;
    out.line("ETCD_INITIAL_CLUSTER_STATE=\"existing\"")
}

impl Machines {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let machines = session.client.machines().await?;
        match session.out.format() {
            Format::Json => session.out.json(&machines)?,
            Format::Simple | Format::Extended | Format::Table => {
                for machine in &machines {
                    let line = session.out.shown(machine).into_owned();
                    session.out.line(&line)?;
                }
            }
        }
        Ok(Exit::Done)
    }
}
