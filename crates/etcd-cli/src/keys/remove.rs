//! Removing: rm, rmdir.

use clap::Args;

use super::compare::Condition;
use super::write::done;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::Simple;
use crate::session::Session;

/// Deletes a key; with -r a directory and all below it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli rm /foo/boo\n  \
    etcd-cli rm -r /foo\n  \
    etcd-cli rm -p 'bar value' /foo/bar        # only if it holds that")]
pub(crate) struct Rm {
    key: String,
    /// A directory with all below it, or a key
    #[arg(short, long, conflicts_with_all = ["prev_value", "prev_index"])]
    recursive: bool,
    /// An empty directory, or a key
    #[arg(long, conflicts_with_all = ["prev_value", "prev_index"])]
    dir: bool,
    #[command(flatten)]
    condition: Condition,
}

/// Deletes an empty directory, or a key
#[derive(Debug, Args)]
#[command(visible_alias = "deletedir", after_help = "Examples:\n  etcd-cli rmdir /foo/qux")]
pub(crate) struct Rmdir {
    key: String,
}

impl Rm {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let client = &session.client;
        let deleted = match self.condition.compare() {
            Some(compare) => client.compare_and_delete(self.key, compare).await?,
            None if self.recursive || self.dir => {
                client.delete_dir(self.key).recursive(self.recursive).await?
            }
            None => client.delete(self.key).await?,
        };
        done(session, &deleted, Simple::Removed)
    }
}

impl Rmdir {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let deleted = session.client.delete_dir(self.key).await?;
        done(session, &deleted, Simple::Nothing)
    }
}
