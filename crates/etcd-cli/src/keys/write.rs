//! Writing values: set, mk, update, push, refresh.

use clap::Args;
use etcd_client::v2::KeysResponse;

use super::compare::Condition;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Simple;
use crate::session::Session;
use crate::value::{self, KeyTtl};

/// Writes a value, whatever was there; with a condition, only if it holds
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli set /foo/bar 'Hello World'\n  \
    etcd-cli set -t 60 /foo/bar 'Hello World'        # for 60 s; also 90s, 1m30s\n  \
    etcd-cli set -p 'Hello World' /foo/bar Goodbye   # only if it holds that\n  \
    etcd-cli set /foo/number -- -5\n  \
    etcd-cli set /foo/file < file")]
pub(crate) struct Set {
    key: String,
    /// The value; without it all of standard input
    value: Option<String>,
    #[command(flatten)]
    ttl: TtlOption,
    #[command(flatten)]
    condition: Condition,
}

/// Writes a value where no key is
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli mk /foo/boo 'Hello World'\n  \
    etcd-cli mk -t 60 /foo/boo 'Hello World'")]
pub(crate) struct Mk {
    key: String,
    /// The value; without it all of standard input
    value: Option<String>,
    #[command(flatten)]
    ttl: TtlOption,
    /// Under the next number of the directory KEY, as `push`
    #[arg(long, hide = true)]
    in_order: bool,
}

/// Writes a value where a key is; without -t its ttl ends
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli update /foo/boo Merhaba\n  \
    etcd-cli update -p 'Hello World' /foo/boo Merhaba   # only if it holds that")]
pub(crate) struct Update {
    key: String,
    /// The value; without it all of standard input
    value: Option<String>,
    #[command(flatten)]
    ttl: TtlOption,
    #[command(flatten)]
    condition: Condition,
}

/// Adds a value under the next number of a directory, and prints its key
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli push /queue Job1\n  \
    etcd-cli push --dir /queue                 # a directory")]
pub(crate) struct Push {
    /// The directory; it is made if it is not there
    key: String,
    /// The value; without it all of standard input
    #[arg(conflicts_with = "dir")]
    value: Option<String>,
    #[command(flatten)]
    ttl: TtlOption,
    /// Adds a directory
    #[arg(long)]
    dir: bool,
}

/// Prolongs the life of a key: no watcher is told
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli refresh -t 60 /services/web\n  \
    etcd-cli refresh -t 60 --prev-index 1819 /services/web   # only if nobody wrote it since")]
pub(crate) struct Refresh {
    key: String,
    /// For how long from now: seconds or a Go duration
    #[arg(short, long, value_name = "TIME", value_parser = value::key_ttl)]
    ttl: KeyTtl,
    #[command(flatten)]
    condition: Condition,
}

/// A time to live.
#[derive(Debug, Args)]
pub(super) struct TtlOption {
    /// How long it lives: seconds or a Go duration, rounded up; 0 is for ever
    #[arg(short, long, value_name = "TIME", value_parser = value::key_ttl)]
    ttl: Option<KeyTtl>,
}

impl TtlOption {
    /// `call` with the ttl, if there is one.
    pub(super) fn apply<C>(&self, call: C, set: impl FnOnce(C, etcd_client::v2::Ttl) -> C) -> C {
        match self.ttl {
            Some(KeyTtl(Some(ttl))) => set(call, ttl),
            Some(KeyTtl(None)) | None => call,
        }
    }
}

impl Set {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let value = value::or_stdin(self.value).await?;
        let written = match self.condition.compare() {
            Some(compare) => {
                let swap = session.client.compare_and_swap(self.key, value, compare);
                self.ttl.apply(swap, |swap, ttl| swap.ttl(ttl)).await?
            }
            None => self.ttl.apply(session.client.set(self.key, value), |set, ttl| set.ttl(ttl)).await?,
        };
        done(session, &written, Simple::Value)
    }
}

impl Mk {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let value = value::or_stdin(self.value).await?;
        let client = &session.client;
        let written = match self.in_order {
            true => self.ttl.apply(client.create_in_order(self.key, value), |mk, ttl| mk.ttl(ttl)).await?,
            false => self.ttl.apply(client.create(self.key, value), |mk, ttl| mk.ttl(ttl)).await?,
        };
        done(session, &written, Simple::Value)
    }
}

impl Update {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let value = value::or_stdin(self.value).await?;
        let written = match self.condition.compare() {
            Some(compare) => {
                let swap = session.client.compare_and_swap(self.key, value, compare);
                self.ttl.apply(swap, |swap, ttl| swap.ttl(ttl)).await?
            }
            None => self.ttl.apply(session.client.update(self.key, value), |set, ttl| set.ttl(ttl)).await?,
        };
        done(session, &written, Simple::Value)
    }
}

impl Push {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let client = &session.client;
        let pushed = if self.dir {
            self.ttl.apply(client.create_dir_in_order(self.key), |push, ttl| push.ttl(ttl)).await?
        } else {
            let value = value::or_stdin(self.value).await?;
            self.ttl.apply(client.create_in_order(self.key, value), |push, ttl| push.ttl(ttl)).await?
        };
        done(session, &pushed, Simple::Key)
    }
}

impl Refresh {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let KeyTtl(Some(ttl)) = self.ttl else {
            return Err(Failure::usage("a key cannot be refreshed for ever: --ttl 0 is no time"));
        };
        let mut refresh = session.client.refresh(self.key, ttl);
        if let Some(compare) = self.condition.compare() {
            refresh = refresh.compare(compare);
        }
        let refreshed = refresh.await?;
        done(session, &refreshed, Simple::Nothing)
    }
}

/// Prints the answer.
pub(super) fn done(session: &mut Session, response: &KeysResponse, simple: Simple) -> Result<Exit> {
    session.out.keys(response, simple)?;
    Ok(Exit::Done)
}
