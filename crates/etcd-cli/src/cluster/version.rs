//! Versions.

use clap::Args;

use crate::exit::Exit;
use crate::failure::Result;
use crate::global::Format;
use crate::session::Session;

/// Prints the version of this program, of the member that answers, and of the cluster
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  etcd-cli version\n  etcd-cli --version    # asks nobody")]
pub(crate) struct Version {}

impl Version {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let version = session.client.version().await?;
        match session.out.format() {
            Format::Json => {
                let all = serde_json::json!({
                    "client": CLIENT, "server": version.server, "cluster": version.cluster,
                });
                session.out.json(&all)?;
            }
            Format::Simple | Format::Extended | Format::Table => {
                session.out.line(&format!("etcd-cli: {CLIENT}"))?;
                let server = format!("server: {}", session.out.shown(&version.server));
                session.out.line(&server)?;
                if let Some(cluster) = &version.cluster {
                    let cluster = format!("cluster: {}", session.out.shown(cluster));
                    session.out.line(&cluster)?;
                }
            }
        }
        Ok(Exit::Done)
    }
}

const CLIENT: &str = env!("CARGO_PKG_VERSION");
