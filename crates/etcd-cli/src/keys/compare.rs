//! Conditions, and the commands that are nothing without one: cas, cad.

use clap::{ArgGroup, Args};
use etcd_client::v2::{Compare, CompareBuilder};

use super::write::{TtlOption, done};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Simple;
use crate::session::Session;
use crate::value;

/// Writes a value if the key holds what the condition says (compare and swap)
#[derive(Debug, Args)]
#[command(
    visible_alias = "compare-and-swap",
    group = ArgGroup::new("condition").args(["prev_value", "prev_index"]).multiple(true).required(true),
    after_help = "Examples:\n  \
    etcd-cli cas -p 'Hello World' /foo/bar 'Goodbye Cruel World'\n  \
    etcd-cli cas --prev-index 1818 /foo/bar 'Goodbye Cruel World'"
)]
pub(crate) struct Cas {
    key: String,
    /// The value; without it all of standard input
    value: Option<String>,
    #[command(flatten)]
    ttl: TtlOption,
    #[command(flatten)]
    condition: Condition,
}

/// Deletes a key if it holds what the condition says (compare and delete)
#[derive(Debug, Args)]
#[command(
    visible_alias = "compare-and-delete",
    group = ArgGroup::new("condition").args(["prev_value", "prev_index"]).multiple(true).required(true),
    after_help = "Examples:\n  \
    etcd-cli cad -p 'bar value' /foo/bar\n  \
    etcd-cli cad --prev-index 1849 /foo/bar"
)]
pub(crate) struct Cad {
    key: String,
    #[command(flatten)]
    condition: Condition,
}

/// What the key must hold.
#[derive(Debug, Args)]
pub(super) struct Condition {
    /// The value that the key must hold, byte by byte; not the empty one, which etcd cannot compare with
    #[arg(
        short,
        long,
        value_name = "VALUE",
        aliases = ["swap-with-value", "with-value", "precond"]
    )]
    prev_value: Option<String>,
    /// The modified index that the key must have
    #[arg(long, value_name = "INDEX", aliases = ["swap-with-index", "with-index"])]
    prev_index: Option<u64>,
}

impl Condition {
    /// The condition, if there is one.
    pub(super) fn compare(&self) -> Option<CompareBuilder> {
        let Self { prev_value, prev_index } = self;
        match (prev_value, prev_index) {
            (None, None) => None,
            (Some(value), None) => Some(Compare::value(value)),
            (None, Some(index)) => Some(Compare::index(*index)),
            (Some(value), Some(index)) => Some(Compare::value(value).and_index(*index)),
        }
    }

    /// The condition of a command that has to have one.
    fn required(&self) -> Result<CompareBuilder> {
        self.compare().ok_or_else(|| Failure::usage("give --prev-value or --prev-index"))
    }
}

impl Cas {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let compare = self.condition.required()?;
        let value = value::or_stdin(self.value).await?;
        let swap = session.client.compare_and_swap(self.key, value, compare);
        let swapped = self.ttl.apply(swap, |swap, ttl| swap.ttl(ttl)).await?;
        done(session, &swapped, Simple::Value)
    }
}

impl Cad {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let deleted = session.client.compare_and_delete(self.key, self.condition.required()?).await?;
        done(session, &deleted, Simple::Removed)
    }
}
