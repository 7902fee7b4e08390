//! Making directories: mkdir, setdir, updatedir.

use clap::Args;

use super::write::{TtlOption, done};
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::Simple;
use crate::session::Session;

/// Makes a directory where no key is
#[derive(Debug, Args)]
#[command(
    visible_alias = "createdir",
    after_help = "Examples:\n  \
    etcd-cli mkdir /fooDir\n  \
    etcd-cli mkdir -t 60 /fooDir               # all in it goes after 60 s"
)]
pub(crate) struct Mkdir {
    key: String,
    #[command(flatten)]
    ttl: TtlOption,
}

/// Makes a directory, also in place of a value
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  etcd-cli setdir /fooDir")]
pub(crate) struct Setdir {
    key: String,
    #[command(flatten)]
    ttl: TtlOption,
}

/// Changes how long a directory lives (not on etcd 3.5, which cannot do it)
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli updatedir -t 60 /fooDir\n  \
    etcd-cli updatedir /fooDir                 # for ever")]
pub(crate) struct Updatedir {
    key: String,
    #[command(flatten)]
    ttl: TtlOption,
}

impl Mkdir {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let mkdir = session.client.create_dir(self.key);
        let made = self.ttl.apply(mkdir, |mkdir, ttl| mkdir.ttl(ttl)).await?;
        done(session, &made, Simple::Nothing)
    }
}

impl Setdir {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let setdir = session.client.set_dir(self.key);
        let made = self.ttl.apply(setdir, |setdir, ttl| setdir.ttl(ttl)).await?;
        done(session, &made, Simple::Nothing)
    }
}

impl Updatedir {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let updatedir = session.client.update_dir(self.key);
        let made = self.ttl.apply(updatedir, |updatedir, ttl| updatedir.ttl(ttl)).await?;
        done(session, &made, Simple::Nothing)
    }
}
