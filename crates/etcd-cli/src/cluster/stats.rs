//! Statistics.

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Result;
use crate::global::Format;
use crate::output::Table;
use crate::session::Session;

/// Prints statistics of the answering member, of its store, or of the leader
#[derive(Debug, Args)]
pub(crate) struct Stats {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Of the member that answers
    #[command(name = "self", after_help = "Examples:\n  etcd-cli stats self")]
    Member,
    /// Of its store: how many calls of each sort it has seen since it started
    #[command(
        after_help = "Examples:\n  etcd-cli stats store\n  etcd-cli stats store -w json | jq .getsSuccess"
    )]
    Store,
    /// Of the leader: how its followers keep up
    #[command(after_help = "Examples:\n  etcd-cli stats leader")]
    Leader,
}

impl Stats {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let stats = session.client.stats();
        let shown = match self.command {
            Command::Member => serde_json::to_value(stats.this_member().await?),
            Command::Store => serde_json::to_value(stats.store().await?),
            Command::Leader => serde_json::to_value(stats.leader().await?),
        };
        // Numbers, texts and maps of those: there is nothing that JSON cannot hold.
        let shown = shown.unwrap_or_default();
        let mut fields = Vec::new();
        flat("", &shown, &mut fields);
        let out = &mut session.out;
        match out.table_format() {
            Format::Json => out.json(&shown)?,
            Format::Table => {
                let mut table = Table::new(["NAME", "VALUE"]);
                for (name, value) in &fields {
                    table.row([name, value]);
                }
                out.table(&table)?;
            }
            Format::Simple | Format::Extended => {
                for (name, value) in &fields {
                    let line = format!("{name}: {}", out.shown(value));
                    out.line(&line)?;
                }
            }
        }
        Ok(Exit::Done)
    }
}

/// Each number and text with the names that lead to it.
fn flat(name: &str, value: &Value, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Object(inner) => {
            for (key, value) in inner {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flat(&name, value, fields);
            }
        }
        Value::String(text) => fields.push((name.to_owned(), text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            fields.push((name.to_owned(), value.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_within_fields_get_both_names() {
        let mut fields = Vec::new();
        flat("", &serde_json::json!({ "a": 1, "b": { "c": "x" } }), &mut fields);
        assert_eq!(fields, [("a".to_owned(), "1".to_owned()), ("b.c".to_owned(), "x".to_owned())]);
    }
}
