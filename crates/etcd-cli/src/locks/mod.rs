//! Locks and elections: commands that hold something, and give it back in order when they are asked to end.
//!
//! | file | holds |
//! | --- | --- |
//! | `lock`, `unlock`, `elect`, `run_for_leader` | one command each |
//! | `hold` | holding something until a signal, its loss, or the end of a program |
//! | `program` | that program |

mod elect;
mod hold;
mod lock;
mod program;
mod run_for_leader;
mod unlock;

use clap::Subcommand;

pub(crate) use self::lock::lease;
pub(crate) use self::run_for_leader::Candidate;
use crate::exit::Exit;
use crate::failure::Result;
use crate::session::Session;
use crate::signal::Signals;

/// Commands about locks and elections.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Lock(lock::Lock),
    Unlock(unlock::Unlock),
    Elect(elect::Elect),
    RunForLeader(run_for_leader::RunForLeader),
}

impl Command {
    /// Whether it makes one change in etcd, which a failure says what became of. What holds something, or waits for it,
    /// gives it back.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Lock(lock) => lock.writes(),
            Self::Elect(elect) => elect.writes(),
            Self::Unlock(_) => true,
            Self::RunForLeader(_) => false,
        }
    }

    /// Runs it. On a signal it ends what it holds; what it has only waited for is given up by tasks in the background.
    pub(crate) async fn run(self, session: &mut Session, signals: &mut Signals) -> Result<Exit> {
        match self {
            Self::Lock(lock) => lock.run(session, signals).await,
            Self::Unlock(unlock) => tokio::select! {
                exit = unlock.run(session) => exit,
                exit = signals.recv() => Ok(exit),
            },
            Self::Elect(elect) => elect.run(session, signals).await,
            Self::RunForLeader(run) => run.run(session, signals).await,
        }
    }
}
