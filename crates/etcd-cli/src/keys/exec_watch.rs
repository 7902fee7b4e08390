//! Running a program for each change.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitStatus;

use clap::Args;
use etcd_client::v2::{Node, WatchItem};
use tokio::process::Command;

use super::watch::What;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Runs a program for each change of a key and of all below it
///
/// One after the other, in the order of the changes; what it ends with is told, and the watch goes on. In its
/// environment stand ETCD_WATCH_ACTION (set, delete, expire, resync, ...), ETCD_WATCH_KEY, ETCD_WATCH_VALUE and
/// ETCD_WATCH_MODIFIED_INDEX.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli exec-watch /foo -- sh -c 'echo \"$ETCD_WATCH_ACTION $ETCD_WATCH_KEY\"'\n  \
    etcd-cli exec-watch --once /config -- systemctl reload web")]
pub(crate) struct ExecWatch {
    key: String,
    #[command(flatten)]
    what: What,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

impl ExecWatch {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let mut items = self.what.start(session, &self.key).await?;
        while let Some(item) = items.next().await? {
            let change = Change::of(&self.key, &item);
            let ended = change.run(&self.program).await;
            if self.what.once {
                return match ended {
                    Ok(status) if status.success() => Ok(Exit::Done),
                    Ok(status) => Err(Failure::new(Exit::Failed, said(&self.program, status))),
                    Err(error) => Err(Failure::io(format!("cannot run {}", shown(&self.program)), &error)),
                };
            }
            let text = match ended {
                Ok(status) if status.success() => continue,
                Ok(status) => said(&self.program, status),
                Err(error) => format!("cannot run {} for {}: {error}", shown(&self.program), change.key),
            };
            // What nobody reads need not be said.
            let _ = writeln!(io::stderr(), "exec-watch: {}", crate::output::escape::line(&text));
        }
        Ok(Exit::Done)
    }
}

fn said(program: &[OsString], status: ExitStatus) -> String {
    format!("{} has ended with {status}", shown(program))
}

fn shown(program: &[OsString]) -> String {
    let words: Vec<_> = program.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// What the program is told.
struct Change<'a> {
    action: &'a str,
    key: &'a str,
    value: &'a str,
    index: u64,
}

impl<'a> Change<'a> {
    fn of(watched: &'a str, item: &'a WatchItem) -> Self {
        let index = item.index().get();
        match item.event() {
            Some(event) => {
                let Node { key, .. } = &event.node;
                Self { action: event.action.as_str(), key: key.as_str(), value: event.node.text(), index }
            }
            None => Self { action: "resync", key: watched, value: "", index },
        }
    }

    async fn run(&self, program: &[OsString]) -> io::Result<ExitStatus> {
        // `required` of the command line: there is one.
        let [name, args @ ..] = program else { return Err(io::ErrorKind::InvalidInput.into()) };
        let mut command = Command::new(name);
        command
            .args(args)
            .env("ETCD_WATCH_ACTION", self.action)
            .env("ETCD_WATCH_KEY", self.key)
            .env("ETCD_WATCH_VALUE", self.value)
            .env("ETCD_WATCH_MODIFIED_INDEX", self.index.to_string())
            .kill_on_drop(true);
        command.status().await
    }
}
