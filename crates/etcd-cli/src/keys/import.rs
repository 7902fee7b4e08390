//! Reading a tree of keys from a file.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use etcd_client::v2::{Client, Key, Ttl};
use etcd_client::{Error, ErrorKind};
use futures_util::stream::{self, StreamExt as _};

use super::copy::{Document, Entry, FORMAT};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{Progress, escape};
use crate::session::Session;
use crate::value;

/// Writes all keys of a file that `export` has made
///
/// Keys that are there are overwritten, keys that are not in the file stay. An import that was interrupted can be run
/// again: what it has written it writes once more. A ttl begins anew with the import.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli import foo.json\n  \
    etcd-cli import --to /copy foo.json\n  \
    etcd-cli export /foo | etcd-cli -s other import")]
pub(crate) struct Import {
    /// The file; standard input without it
    file: Option<PathBuf>,
    /// Puts what was below the exported key below this one
    #[arg(long, value_name = "KEY")]
    to: Option<String>,
    /// Leaves keys alone that are there
    #[arg(long)]
    keep: bool,
    /// How many writes are under way at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    parallel: u16,
}

impl Import {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let document = self.read().await?;
        let entries = moved(document, self.to.as_deref())?;
        let writer = Writer { client: session.client.clone(), keep: self.keep };
        let mut progress = Progress::new("import", entries.len());
        // Directories first and one by one: each stands behind the one that it is in.
        let (dirs, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.dir);
        for dir in &dirs {
            writer.dir(dir).await?;
            progress.step();
        }
        let writes = files.iter().map(|entry| writer.file(entry));
        let mut writes = stream::iter(writes).buffer_unordered(usize::from(self.parallel));
        while let Some(written) = writes.next().await {
            written?;
            progress.step();
        }
        drop((writes, progress));
        session.out.line(&format!("{} keys, {} directories", files.len(), dirs.len()))?;
        Ok(Exit::Done)
    }

    async fn read(&self) -> Result<Document> {
        let (text, name) = match &self.file {
            None => (value::stdin("the document").await?, "standard input".to_owned()),
            Some(path) => {
                let name = path.display().to_string();
                let bytes =
                    std::fs::read(path).map_err(|error| Failure::io(format!("cannot read {name}"), &error));
                (value::text(bytes?, &name)?, name)
            }
        };
        // serde quotes values in some of its texts; the place says enough.
        let document: Document = serde_json::from_str(&text).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            Failure::usage(format!("{name} is no export: it goes wrong at {place}"))
        })?;
        match document.format.as_str() {
            FORMAT => Ok(document),
            other => Err(Failure::usage(format!("{name} has the format {other:?}, not {FORMAT:?}"))),
        }
    }
}

/// The entries, below another key if one is given.
fn moved(document: Document, to: Option<&str>) -> Result<Vec<Entry>> {
    let Document { root, nodes, .. } = document;
    let Some(to) = to else { return Ok(nodes) };
    let to = Key::new(to).map_err(|error| Failure::usage(error.to_string()))?;
    let moved = nodes.into_iter().map(|entry| {
        let outside = || Failure::usage(format!("{} is not below {root}", entry.key));
        let key = match entry.key.relative_to(&root).ok_or_else(outside)? {
            "" => to.clone(),
            below => to.join(below).map_err(|error| Failure::usage(error.to_string()))?,
        };
        Ok(Entry { key, ..entry })
    });
    moved.collect()
}

/// Writes entries.
struct Writer {
    client: Client,
    keep: bool,
}

impl Writer {
    async fn dir(&self, entry: &Entry) -> Result<()> {
        let ttl = ttl(entry)?;
        if entry.key.is_root() {
            return Ok(());
        }
        let Some(ttl) = ttl else { return Ok(self.client.ensure_dir(&entry.key).await?) };
        match self.client.create_dir(&entry.key).ttl(ttl).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_key_exists() && self.keep => Ok(()),
            Err(error) if error.is_key_exists() => match self.client.update_dir(&entry.key).ttl(ttl).await {
                Ok(_) => Ok(()),
                Err(error) if error.kind() == ErrorKind::DirectoryTtl => {
                    let key = escape::line(entry.key.as_str());
                    // What nobody reads need not be said.
                    let _ = writeln!(
                        io::stderr(),
                        "import: {key} is there and keeps its ttl: etcd 3.5 cannot change it"
                    );
                    Ok(())
                }
                Err(error) => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    async fn file(&self, entry: &Entry) -> Result<()> {
        let ttl = ttl(entry)?;
        let value = entry.value.as_deref().unwrap_or_default();
        let written = if self.keep {
            let create = self.client.create(&entry.key, value);
            match ttl {
                Some(ttl) => create.ttl(ttl),
                None => create,
            }
            .no_value_on_success(true)
            .await
        } else {
            // Whoever imports wants these values, also over a copy of them.
            let set = self.client.set(&entry.key, value).idempotent(true);
            match ttl {
                Some(ttl) => set.ttl(ttl),
                None => set,
            }
            .no_value_on_success(true)
            .await
        };
        match written {
            Ok(_) => Ok(()),
            Err(error) if self.keep && is_there(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn is_there(error: &Error) -> bool {
    error.is_key_exists() && error.outcome().is_not_applied()
}

fn ttl(entry: &Entry) -> Result<Option<Ttl>> {
    let ttl = entry.ttl.map(Ttl::from_secs).transpose();
    ttl.map_err(|error| Failure::usage(format!("{}: {error}", entry.key)))
}
