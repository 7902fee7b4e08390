//! Who leads the cluster.

use clap::Args;

use super::members::member_line;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::global::Format;
use crate::session::Session;

/// Prints the name of the member that leads the cluster
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli leader\n  \
    etcd-cli leader -w extended\n\
    \n\
    The election among programs that the C client's `leader` held is `run-for-leader`.")]
pub(crate) struct Leader {
    #[arg(short, long, hide = true)]
    fitness: Option<String>,
    #[arg(short = 'k', hide = true)]
    election_key: Option<String>,
    #[arg(short, long, hide = true)]
    nodename: Option<String>,
}

impl Leader {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let Self { fitness, election_key, nodename } = self;
        if fitness.is_some() || election_key.is_some() || nodename.is_some() {
            return Err(Failure::usage(
                "`leader` prints the cluster's leader and takes no -f, -k or -n: the election is `run-for-leader`",
            ));
        }
        let leader = session.client.members().leader().await?;
        match session.out.format() {
            Format::Json => session.out.json(&leader)?,
            Format::Extended | Format::Table => {
                let line = member_line(&session.out, &leader, true);
                session.out.line(&line)?;
            }
            Format::Simple => {
                let name = session.out.shown(&leader.name).into_owned();
                session.out.line(&name)?;
            }
        }
        Ok(Exit::Done)
    }
}
