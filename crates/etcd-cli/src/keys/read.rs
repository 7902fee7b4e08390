//! Reading: get, ls, tree, exists.

use clap::Args;
use etcd_client::v2::{self, Node};

use crate::exit::Exit;
use crate::failure::Result;
use crate::global::Format;
use crate::output::{Output, Simple};
use crate::session::Session;

/// Prints the value of a key, or the keys in a directory
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli get /foo/bar\n  \
    etcd-cli get /foo -w json --recursive   # the whole tree, as etcd writes it\n  \
    etcd-cli get /foo/bar --quorum          # agreed on by the cluster: never an old value")]
pub(crate) struct Get {
    key: String,
    #[command(flatten)]
    how: How,
    /// All below a directory too
    #[arg(short, long)]
    recursive: bool,
}

/// Lists the keys in a directory
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli ls\n  \
    etcd-cli ls -r -p /foo\n  \
    etcd-cli ls -w table /foo               # with values, ttl and indexes")]
pub(crate) struct Ls {
    #[arg(default_value = "/")]
    key: String,
    #[command(flatten)]
    how: How,
    /// All below it too
    #[arg(short, long)]
    recursive: bool,
    /// A slash behind each directory
    #[arg(short = 'p', long = "slash")]
    slash: bool,
}

/// Draws a directory and all below it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli tree /foo\n  \
    etcd-cli tree --values /foo")]
pub(crate) struct Tree {
    #[arg(default_value = "/")]
    key: String,
    #[command(flatten)]
    how: How,
    /// With the value of each key
    #[arg(long)]
    values: bool,
}

/// Prints whether a key or directory exists: `true` with exit code 0, `false` with 3
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli exists /foo/bar\n  \
    etcd-cli exists /foo/bar > /dev/null || echo none")]
pub(crate) struct Exists {
    key: String,
    /// Agreed on by the cluster: never an old answer
    #[arg(short, long)]
    quorum: bool,
}

/// How to read.
#[derive(Debug, Args)]
struct How {
    /// Agreed on by the cluster: never an old answer
    #[arg(short, long)]
    quorum: bool,
    /// Nothing: children are always sorted
    #[arg(long, hide = true)]
    sort: bool,
}

impl How {
    fn apply(&self, get: v2::Get) -> v2::Get {
        get.sorted(true).quorum(self.quorum)
    }
}

impl Get {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let read = self.how.apply(session.client.get(self.key)).recursive(self.recursive).await?;
        session.out.keys(&read, Simple::Value)?;
        Ok(Exit::Done)
    }
}

impl Ls {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let read = self.how.apply(session.client.get(self.key)).recursive(self.recursive).await?;
        match session.out.format() {
            Format::Simple if read.node.dir => session.out.keys_below(&read.node, self.slash)?,
            Format::Simple => session.out.keys(&read, Simple::Key)?,
            Format::Extended | Format::Json | Format::Table => session.out.keys(&read, Simple::Key)?,
        }
        Ok(Exit::Done)
    }
}

impl Tree {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let read = self.how.apply(session.client.get(self.key)).recursive(true).await?;
        match session.out.format() {
            Format::Simple => {
                let head = session.out.shown(read.node.key.as_str()).into_owned();
                let head = if read.node.dir { session.out.style().dir(&head) } else { head };
                session.out.line(&head)?;
                branches(&mut session.out, &read.node, "", self.values)?;
            }
            Format::Extended | Format::Json | Format::Table => session.out.keys(&read, Simple::Value)?,
        }
        Ok(Exit::Done)
    }
}

/// The children of a node, one a line, each with its own below it.
fn branches(out: &mut Output, node: &Node, indent: &str, values: bool) -> Result<()> {
    for (place, child) in node.nodes.iter().enumerate() {
        let last = place + 1 == node.nodes.len();
        let (branch, below) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
        let name = crate::output::escape::line(child.key.name());
        let name = if child.dir { out.style().dir(&format!("{name}/")) } else { name.into_owned() };
        let value = match &child.value {
            Some(value) if values => format!(" = {}", crate::output::escape::line(value)),
            Some(_) | None => String::new(),
        };
        out.line(&format!("{indent}{branch}{name}{value}"))?;
        branches(out, child, &format!("{indent}{below}"), values)?;
    }
    Ok(())
}

impl Exists {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let exists = session.client.exists(self.key).quorum(self.quorum).await?;
        match session.out.format() {
            Format::Json => session.out.json(&exists)?,
            Format::Simple | Format::Extended | Format::Table => session.out.line(&exists.to_string())?,
        }
        Ok(if exists { Exit::Done } else { Exit::NotFound })
    }
}
