//! Ending a lock by its token.

use clap::Args;
use etcd_lock::{Lock, Token};

use crate::exit::Exit;
use crate::failure::Result;
use crate::session::Session;

/// Gives back what a token holds, or its place in the queue, from any process
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    token=$(etcd-cli lock -t 60 nightly) && ./nightly; etcd-cli unlock nightly -i \"$token\"")]
pub(crate) struct Unlock {
    /// The name of the lock
    key: String,
    /// What `lock` has printed
    #[arg(short = 'i', long, alias = "index")]
    token: Token,
}

impl Unlock {
    pub(super) async fn run(self, session: &Session) -> Result<Exit> {
        Lock::new(&session.client, self.key).release_by(&self.token).await?;
        Ok(Exit::Done)
    }
}
