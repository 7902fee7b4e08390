//! The election that the C client's program `leader` held: in two steps, with fitness.

use std::time::Duration;

use clap::Args;
use etcd_client::v2::{Client, WatchItem};
use etcd_leader::vote::{State, Vote};
use etcd_leader::{Leadership, TwoStep};
use futures_util::StreamExt as _;

use crate::exit::Exit;
use crate::failure::Result;
use crate::output::Output;
use crate::session::Session;
use crate::signal::Signals;
use crate::{host, value};

/// Stands for election on one key, as the C client's `leader` did, until a signal: the fitter candidate is preferred
///
/// Prints `leader is NAME` whenever another leads, `Bow down before me!` on the gain, `I lead no more` and why on the
/// loss, and stands again behind that. The key holds NAME,STATE,FITNESS; a key that holds anything else is refused. Old
/// programs may stand in the same election. Candidates must have different names.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli run-for-leader\n  \
    etcd-cli run-for-leader -f 42 -k nsr -n node-1 -t 5\n\
    \n\
    For a program that runs while one leads, and in the order in which candidates came, see `elect`.")]
pub(crate) struct RunForLeader {
    /// How fit it is: of candidates that stand at the same time the greater is preferred
    #[arg(short, long, default_value_t = FITNESS, allow_negative_numbers = true)]
    fitness: i64,
    /// The key of the election
    #[arg(short = 'k', value_name = "KEY", default_value = KEY)]
    election_key: String,
    /// The name of the candidate; else this machine's
    #[arg(short, long, value_name = "NAME")]
    nodename: Option<String>,
    /// How long the key lives without a renewal: seconds or a Go duration, rounded up; 5 s at least, and by default
    #[arg(short, long, value_name = "TIME", value_parser = value::lock_ttl)]
    ttl: Option<Duration>,
}

impl RunForLeader {
    pub(super) async fn run(self, session: &mut Session, signals: &mut Signals) -> Result<Exit> {
        let candidate = Candidate {
            fitness: self.fitness,
            key: self.election_key,
            name: self.nodename.unwrap_or_else(host::name),
            ttl: self.ttl,
        };
        candidate.run(&session.client, &mut session.out, signals).await
    }
}

/// A candidate in that election.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) fitness: i64,
    pub(crate) key: String,
    pub(crate) name: String,
    /// `None`: 5 s, as the old program's.
    pub(crate) ttl: Option<Duration>,
}

impl Default for Candidate {
    /// The old program's.
    fn default() -> Self {
        Self { fitness: FITNESS, key: KEY.to_owned(), name: host::name(), ttl: None }
    }
}

impl Candidate {
    /// Stands until a signal, and resigns.
    pub(crate) async fn run(&self, client: &Client, out: &mut Output, signals: &mut Signals) -> Result<Exit> {
        let two_step = TwoStep::new(client, &*self.key, &*self.name).fitness(self.fitness);
        let two_step = match self.ttl {
            Some(ttl) => two_step.ttl(ttl),
            None => two_step,
        };
        loop {
            let leading = tokio::select! {
                leading = self.campaign(&two_step, client, out) => leading?,
                exit = signals.recv() => return Ok(exit),
            };
            tell(out, &format!("leader is {}\nBow down before me!", self.name))?;
            let reason = tokio::select! {
                biased;
                reason = leading.lost() => reason,
                exit = signals.recv() => {
                    // Whether it was lost a moment before is no news to anybody.
                    let _resigned = leading.resign().await;
                    return Ok(exit);
                }
            };
            tell(out, &format!("I lead no more: {reason}"))?;
            // Only then the next campaign may begin.
            drop(leading);
        }
    }

    /// Until it leads; tells who does meanwhile.
    async fn campaign(&self, two_step: &TwoStep, client: &Client, out: &mut Output) -> Result<Leadership> {
        let mut campaign = two_step.campaign();
        let mut votes = client.watch(&*self.key).with_snapshot(true).start();
        let mut told = None;
        loop {
            tokio::select! {
                biased;
                leading = &mut campaign => return Ok(leading?),
                Some(item) = votes.next() => {
                    let leader = leader_of(&item?).filter(|name| *name != self.name);
                    if let (Some(name), true) = (&leader, leader != told) {
                        tell(out, &format!("leader is {name}"))?;
                    }
                    told = leader;
                }
            }
        }
    }
}

/// Whose confirmed vote the key holds; what is no vote the campaign complains of.
fn leader_of(item: &WatchItem) -> Option<String> {
    let node = match item {
        WatchItem::Event(event) if event.action.is_removal() => return None,
        WatchItem::Event(event) => &event.node,
        WatchItem::Resync { snapshot, .. } => snapshot.as_ref()?,
        _ => return None,
    };
    let vote: Vote = node.text().parse().ok()?;
    (vote.state == State::Confirmed).then(|| vote.candidate.name().to_owned())
}

/// Prints it at once: somebody waits for it.
fn tell(out: &mut Output, text: &str) -> Result<()> {
    out.value(text)?;
    out.finish()
}

/// The old program's defaults.
const FITNESS: i64 = 42;
const KEY: &str = "nsr";
