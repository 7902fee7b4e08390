//! Keys and directories, one file per family of commands.

mod compare;
mod copy;
mod dir;
mod exec_watch;
mod export;
mod import;
mod modify;
mod read;
mod remove;
mod watch;
mod write;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Result;
use crate::session::Session;

/// Commands about keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Get(read::Get),
    Ls(read::Ls),
    Tree(read::Tree),
    Exists(read::Exists),
    Set(write::Set),
    Mk(write::Mk),
    Update(write::Update),
    Push(write::Push),
    Refresh(write::Refresh),
    Modify(modify::Modify),
    Cas(compare::Cas),
    Cad(compare::Cad),
    #[command(visible_alias = "delete")]
    Rm(remove::Rm),
    Mkdir(dir::Mkdir),
    Setdir(dir::Setdir),
    Updatedir(dir::Updatedir),
    Rmdir(remove::Rmdir),
    Watch(watch::Watch),
    ExecWatch(exec_watch::ExecWatch),
    Export(export::Export),
    Import(import::Import),
}

impl Command {
    /// Whether it changes anything in etcd.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Get(_)
            | Self::Ls(_)
            | Self::Tree(_)
            | Self::Exists(_)
            | Self::Watch(_)
            | Self::ExecWatch(_)
            | Self::Export(_) => false,
            Self::Set(_)
            | Self::Mk(_)
            | Self::Update(_)
            | Self::Push(_)
            | Self::Refresh(_)
            | Self::Modify(_)
            | Self::Cas(_)
            | Self::Cad(_)
            | Self::Rm(_)
            | Self::Mkdir(_)
            | Self::Setdir(_)
            | Self::Updatedir(_)
            | Self::Rmdir(_)
            | Self::Import(_) => true,
        }
    }

    /// Runs it.
    pub(crate) async fn run(self, session: &mut Session) -> Result<Exit> {
        match self {
            Self::Get(get) => get.run(session).await,
            Self::Ls(ls) => ls.run(session).await,
            Self::Tree(tree) => tree.run(session).await,
            Self::Exists(exists) => exists.run(session).await,
            Self::Set(set) => set.run(session).await,
            Self::Mk(mk) => mk.run(session).await,
            Self::Update(update) => update.run(session).await,
            Self::Push(push) => push.run(session).await,
            Self::Refresh(refresh) => refresh.run(session).await,
            Self::Modify(modify) => modify.run(session).await,
            Self::Cas(cas) => cas.run(session).await,
            Self::Cad(cad) => cad.run(session).await,
            Self::Rm(rm) => rm.run(session).await,
            Self::Mkdir(mkdir) => mkdir.run(session).await,
            Self::Setdir(setdir) => setdir.run(session).await,
            Self::Updatedir(updatedir) => updatedir.run(session).await,
            Self::Rmdir(rmdir) => rmdir.run(session).await,
            Self::Watch(watch) => watch.run(session).await,
            Self::ExecWatch(exec_watch) => exec_watch.run(session).await,
            Self::Export(export) => export.run(session).await,
            Self::Import(import) => import.run(session).await,
        }
    }
}
