//! How each member is.

use clap::Args;
use etcd_client::Endpoint;
use etcd_client::v2::Member;

use crate::exit::Exit;
use crate::failure::Result;
use crate::global::Format;
use crate::output::Table;
use crate::session::Session;

/// Asks each member for its health, at the URLs that it gives for clients
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli cluster-health\n  \
    etcd-cli cluster-health > /dev/null || echo not well")]
pub(crate) struct ClusterHealth {
    /// Nothing: it is asked once
    #[arg(short, long, hide = true)]
    forever: bool,
}

/// What became of asking a member.
struct Report {
    id: String,
    healthy: bool,
    text: String,
}

impl ClusterHealth {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let members = session.client.members().list().await?;
        // Each is asked where it says that it is; until now only the servers of the options are known. What cannot be
        // taken (plain text beside https) is told of its member below.
        let _ = session.client.sync().await;
        let mut reports = Vec::new();
        for member in &members {
            reports.push(report(session, member).await);
        }
        let healthy = reports.iter().filter(|report| report.healthy).count();
        let state = match healthy {
            0 => "unavailable",
            all if all == reports.len() => "healthy",
            _ => "degraded",
        };
        show(session, &reports, state)?;
        Ok(if healthy == reports.len() { Exit::Done } else { Exit::Unhealthy })
    }
}

async fn report(session: &Session, member: &Member) -> Report {
    let id = member.id.clone();
    let mut report =
        Report { id, healthy: false, text: "unreachable: no available published client urls".into() };
    for url in &member.client_urls {
        let asked = match url.parse::<Endpoint>() {
            Ok(endpoint) => session.client.health().endpoint(endpoint).max_attempts(1).await,
            Err(error) => {
                report.text = format!("unreachable: {error}");
                continue;
            }
        };
        match asked {
            Ok(health) if health.healthy => {
                return Report {
                    healthy: true,
                    text: format!("healthy: got healthy result from {url}"),
                    ..report
                };
            }
            Ok(health) => {
                report.text = format!("unhealthy: got unhealthy result from {url} {}", health.reason)
            }
            Err(error) => report.text = format!("unreachable: {url}: {error}"),
        }
    }
    report
}

fn show(session: &mut Session, reports: &[Report], state: &str) -> Result<()> {
    let out = &mut session.out;
    match out.format() {
        Format::Json => {
            let members = reports.iter().map(|Report { id, healthy, text }| {
                serde_json::json!({ "id": id, "healthy": healthy, "result": text.trim_end() })
            });
            let members: Vec<_> = members.collect();
            out.json(&serde_json::json!({ "cluster": state, "members": members }))
        }
        Format::Table => {
            let mut table = Table::new(["ID", "RESULT"]);
            for report in reports {
                table.row([&report.id, report.text.trim_end()]);
            }
            out.table(&table)
        }
        Format::Simple | Format::Extended => {
            for Report { id, text, .. } in reports {
                let line = format!("member {id} is {}", out.shown(text.trim_end()));
                out.line(&line)?;
            }
            out.line(&format!("cluster is {state}"))
        }
    }
}
