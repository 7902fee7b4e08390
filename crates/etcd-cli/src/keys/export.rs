//! Writing a tree of keys to a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use etcd_client::v2::Node;

use super::copy::{Entry, FORMAT};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Progress;
use crate::session::Session;

/// Writes a key or directory with all below it as JSON, with the ttl that is left
///
/// One consistent state, agreed on by the cluster. Hidden keys (a name that begins with `_`) are shown by etcd only to
/// those who ask for them: export each by its name.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli export > all.json\n  \
    etcd-cli export /foo foo.json")]
pub(crate) struct Export {
    #[arg(default_value = "/")]
    key: String,
    /// The file; standard output without it
    file: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let get = session.client.get(self.key).recursive(true).sorted(true).quorum(true);
        let tree = get.await?.node;
        match &self.file {
            None => {
                let mut writer = BufWriter::new(io::stdout());
                write(&mut writer, &tree).map_err(|error| Failure::output(&error))?;
            }
            Some(path) => {
                let failed =
                    |error: io::Error| Failure::io(format!("cannot write {}", path.display()), &error);
                let file = File::create(path).map_err(failed)?;
                write(&mut BufWriter::new(&file), &tree).and_then(|()| file.sync_all()).map_err(failed)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn write(writer: &mut impl Write, tree: &Node) -> io::Result<()> {
    let skip = usize::from(tree.key.is_root());
    let mut progress = Progress::new("export", tree.walk().count());
    let root = serde_json::to_string(&tree.key)?;
    write!(writer, "{{\"format\":{},\"root\":{root},\"nodes\":[", serde_json::to_string(FORMAT)?)?;
    for (place, node) in tree.walk().skip(skip).enumerate() {
        writer.write_all(if place == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *writer, &Entry::of(node))?;
        progress.step();
    }
    writer.write_all(b"\n]}\n")?;
    writer.flush()
}
