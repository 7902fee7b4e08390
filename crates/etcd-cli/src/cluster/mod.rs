//! The cluster: members, health, statistics, versions, users and roles.

mod auth;
mod health;
mod leader;
mod members;
mod role;
mod stats;
mod user;
mod version;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Result;
use crate::session::Session;

/// Commands about the cluster.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(alias = "member")]
    Members(members::Members),
    Machines(members::Machines),
    Leader(leader::Leader),
    ClusterHealth(health::ClusterHealth),
    Stats(stats::Stats),
    Version(version::Version),
    Auth(auth::Auth),
    #[command(alias = "users")]
    User(user::User),
    #[command(alias = "roles")]
    Role(role::Role),
}

impl Command {
    /// Whether it changes anything in etcd.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Members(members) => members.writes(),
            Self::Auth(auth) => auth.writes(),
            Self::User(user) => user.writes(),
            Self::Role(role) => role.writes(),
            Self::Machines(_)
            | Self::Leader(_)
            | Self::ClusterHealth(_)
            | Self::Stats(_)
            | Self::Version(_) => false,
        }
    }

    /// Runs it.
    pub(crate) async fn run(self, session: &mut Session) -> Result<Exit> {
        match self {
            Self::Members(members) => members.run(session).await,
            Self::Machines(machines) => machines.run(session).await,
            Self::Leader(leader) => leader.run(session).await,
            Self::ClusterHealth(health) => health.run(session).await,
            Self::Stats(stats) => stats.run(session).await,
            Self::Version(version) => version.run(session).await,
            Self::Auth(auth) => auth.run(session).await,
            Self::User(user) => user.run(session).await,
            Self::Role(role) => role.run(session).await,
        }
    }
}
