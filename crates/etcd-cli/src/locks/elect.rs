//! Elections.

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgGroup, Args};
use etcd_leader::{Election, Leader, LeaderChange};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::hold::hold;
use super::lock::show;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::global::Format;
use crate::output::{Output, escape};
use crate::session::Session;
use crate::signal::Signals;
use crate::value;

/// Leads while a program runs, or until a signal, as the candidate that waits longest; or asks who leads
///
/// The program is run once this candidate leads, and ended if it leads no more, by SIGTERM and a second later by
/// SIGKILL; the exit code is 15 then, else the program's. SIGINT and SIGTERM are passed on to it (a second one kills
/// it), and the leadership is given up behind its end. In its environment stand ETCD_ELECT_KEY, ETCD_ELECT_TOKEN, and
/// ETCD_ELECT_REV, the number to fence with: each leader has a greater one.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).args(["candidate", "set", "get", "remove", "observe"]),
    after_help = "Examples:\n  \
    etcd-cli elect reports worker-7 -- ./make-reports   # while it runs\n  \
    etcd-cli elect reports worker-7                     # until Ctrl-C; prints the token\n  \
    etcd-cli elect reports --set worker-7 -t 60         # for 60 s; the same again renews it\n  \
    etcd-cli elect reports --get\n  \
    etcd-cli elect reports --observe                    # each leader, one line each\n  \
    etcd-cli elect reports --remove worker-7"
)]
pub(crate) struct Elect {
    /// The name of the election: the key below /elections
    name: String,
    /// What others see of this candidate: a name or an address
    candidate: Option<String>,
    /// How long it stands without a renewal: seconds or a Go duration, rounded up; 5 s at least (15 s by default)
    #[arg(short, long, value_name = "TIME", value_parser = value::lock_ttl, conflicts_with_all = ["get", "remove", "observe"])]
    ttl: Option<Duration>,
    /// Has this candidate lead for the time of -t, in its turn, and renewed by the next such call alone
    #[arg(long, value_name = "CANDIDATE", requires = "ttl")]
    set: Option<String>,
    /// Prints who leads
    #[arg(long)]
    get: bool,
    /// Removes this candidate, who leads or waits
    #[arg(long, value_name = "CANDIDATE")]
    remove: Option<String>,
    /// Prints who leads, now and at each change: `leader TOKEN CANDIDATE`, or `nobody`
    #[arg(long)]
    observe: bool,
    /// The program and its arguments
    #[arg(last = true, value_name = "PROGRAM", conflicts_with_all = ["set", "get", "remove", "observe"])]
    program: Vec<OsString>,
}

impl Elect {
    pub(super) fn writes(&self) -> bool {
        self.remove.is_some()
    }

    pub(super) async fn run(self, session: &mut Session, signals: &mut Signals) -> Result<Exit> {
        let election = Election::new(&session.client, &self.name);
        let Some(candidate) = self.candidate else {
            return tokio::select! {
                exit = self.at_once(election, &mut session.out) => exit,
                exit = signals.recv() => Ok(exit),
            };
        };
        let election = match self.ttl {
            Some(ttl) => election.ttl(ttl),
            None => election,
        };
        let leading = tokio::select! {
            leading = election.campaign(candidate) => leading?,
            exit = signals.recv() => return Ok(exit),
        };
        if self.program.is_empty() {
            show(&mut session.out, leading.token())?;
        }
        hold(leading, &self.program, signals).await
    }

    async fn at_once(self, election: Election, out: &mut Output) -> Result<Exit> {
        match (self.set, self.ttl, self.remove) {
            (Some(candidate), Some(ttl), _) => show(out, &election.set(candidate, ttl).await?)?,
            (_, _, Some(candidate)) => election.remove(candidate).await?,
            (_, _, None) if self.observe => observe(&election, out).await?,
            (_, _, None) => get(&election, &self.name, out).await?,
        }
        Ok(Exit::Done)
    }
}

async fn get(election: &Election, name: &str, out: &mut Output) -> Result<()> {
    let Some(leader) = election.leader().await? else {
        return Err(Failure::new(Exit::NotHeld, format!("nobody leads {name}")));
    };
    match out.format() {
        Format::Json => out.json(&document(&leader)),
        Format::Simple => out.value(leader.value()),
        Format::Extended | Format::Table => {
            let line = format!("{} {}", leader.token(), out.shown(leader.value()));
            out.line(&line)
        }
    }
}

/// One line a change, handed on at once.
async fn observe(election: &Election, out: &mut Output) -> Result<()> {
    let mut changes = election.observe()?;
    while let Some(change) = changes.next().await {
        let change = change?;
        let cause = match &change {
            LeaderChange::Leader(_) => None,
            LeaderChange::Resynced { cause, .. } => Some(cause.to_string()),
        };
        let leader = change.leader();
        match out.format() {
            Format::Json => {
                let mut line = json!({ "leader": leader.map(document) });
                if let Some(cause) = cause {
                    line["resync"] = Value::String(cause);
                }
                out.json(&line)?;
            }
            Format::Simple | Format::Extended | Format::Table => {
                let resync = cause.map_or("", |_| "resync ");
                let leader = leader.map_or_else(
                    || "nobody".to_owned(),
                    |leader| format!("leader {} {}", leader.token(), escape::line(leader.value())),
                );
                out.line(&format!("{resync}{leader}"))?;
            }
        }
        out.finish()?;
    }
    Ok(())
}

fn document(leader: &Leader) -> Value {
    let token = leader.token();
    json!({ "value": leader.value(), "token": token.to_string(), "index": token.index() })
}
