//! An etcd in memory.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{MemoryEtcd, Profile};

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::signal::Signals;
use crate::value;

/// Runs an etcd in memory, for development: nothing is kept, nobody is kept out
///
/// Prints the URL of each member, one a line, and runs until Ctrl-C or SIGTERM.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli serve\n  \
    etcd-cli serve --for 10m --listen 127.0.0.1:0 --members 3")]
pub(crate) struct Serve {
    /// Ends after this time; by default it runs for ever
    #[arg(long = "for", value_name = "TIME", value_parser = value::duration)]
    time: Option<Duration>,
    /// Where the first member listens; the others take the ports after it, or free ones with port 0
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2379")]
    listen: SocketAddr,
    /// How many members there are; they share one state
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    members: u16,
    /// Which etcd it behaves like
    #[arg(long, value_name = "VERSION", default_value = "3.5")]
    profile: Behaviour,
}

/// Which etcd to behave like.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Behaviour {
    #[value(name = "3.4")]
    V3_4,
    #[value(name = "3.5")]
    V3_5,
}

impl Serve {
    pub(crate) async fn run(self, out: &mut Output) -> Result<Exit> {
        // Before the URLs are out: whoever reads them may end us at once.
        let mut signals = Signals::listen().map_err(|error| Failure::io("cannot hear signals", &error))?;
        let profile = match self.profile {
            Behaviour::V3_4 => Profile::V3_4,
            Behaviour::V3_5 => Profile::V3_5,
        };
        let builder = MemoryEtcd::builder().listen(self.listen).members(self.members.into()).profile(profile);
        let etcd = builder.start().await.map_err(|error| {
            let cause =
                std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            Failure::new(Exit::Failed, format!("{error}{cause}"))
        })?;
        // The URLs alone are for programs; this is for people.
        let _ =
            writeln!(io::stderr(), "an etcd in memory, for development: nothing is kept, nobody is kept out");
        for endpoint in etcd.endpoints() {
            out.line(&endpoint)?;
        }
        out.finish()?;
        let time_is_up = async {
            match self.time {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = signals.recv() => {}
            () = time_is_up => {}
        }
        Ok(Exit::Done)
    }
}
