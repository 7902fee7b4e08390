//! As the C client's programs `etcd-test` and `leader`: their verbs, their lines, their exit codes 0 and 1.
//!
//! Where that one was wrong this one is not: values may hold any character, `-s` wins over `ETCD_SERVERS`, and a watch
//! loses nothing and takes no pause between events.

mod args;
mod leader;
mod verb;

use std::ffi::OsString;
use std::io::{self, Write as _};

use etcd_client::Endpoints;
use etcd_client::v2::Client;

use self::args::{Args, Verb};
use crate::background;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Output;
use crate::signal::Signals;

pub(crate) use self::leader::run as lead;

/// Runs what the arguments ask for.
pub(crate) fn run(args: &[OsString]) -> Exit {
    let name = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let servers = std::env::var("ETCD_SERVERS").ok();
    let args = match Args::parse(args.get(1..).unwrap_or_default(), servers) {
        Ok(args) => args,
        Err(()) => {
            tell(&format!("Usage: {name} {}", args::USAGE));
            return Exit::Failed;
        }
    };
    let failed = args.verb.failed();
    let client = match client(&args.servers) {
        Ok(client) => client,
        Err(failure) => {
            tell(&format!("etcd_open failed\n{}", failure.text(false)));
            return Exit::Failed;
        }
    };
    match with_runtime(async |out, signals| with_signals(client, args.verb, out, signals).await) {
        // Done, or as a signal ends any program.
        Ok(exit) => exit,
        Err(failure) => {
            // Ours says why, behind the line that theirs had.
            tell(&format!("{failed} failed\n{}", failure.text(false)));
            Exit::Failed
        }
    }
}

fn with_runtime(run: impl AsyncFnOnce(&mut Output, &mut Signals) -> Result<Exit>) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io("cannot start", &error))?;
    runtime.block_on(async {
        let mut out = Output::new(&Global::default());
        let mut signals = Signals::listen().map_err(|error| Failure::io("cannot hear signals", &error))?;
        let ended = run(&mut out, &mut signals).await;
        // Also before a failure: what it was about to do stands there.
        out.finish()?;
        // What it has waited for is given up before it ends, but for a second signal.
        tokio::select! {
            () = background::ended() => ended,
            exit = signals.recv() => ended.map(|_| exit),
        }
    })
}

async fn with_signals(client: Client, verb: Verb, out: &mut Output, signals: &mut Signals) -> Result<Exit> {
    tokio::select! {
        ended = verb::run(verb, &client, out) => ended.map(|()| Exit::Done),
        exit = signals.recv() => Ok(exit),
    }
}

/// A client of a list in the C client's grammar, whose default port is 4001.
fn client(list: &str) -> Result<Client> {
    let endpoints = Endpoints::parse_with_default_port(list, 4001);
    let endpoints = endpoints.map_err(|error| Failure::usage(error.to_string()))?;
    let retry = etcd_client::RetryConfig::new().max_attempts(Some(endpoints.len()));
    let urls: Vec<_> = endpoints.iter().map(ToString::to_string).collect();
    Ok(Client::builder().endpoints(urls).retry(retry).build()?)
}

fn tell(text: &str) {
    // What nobody reads need not be said.
    let _ = writeln!(io::stderr(), "{}", text.trim_end());
}

impl Verb {
    /// What the line of a failure begins with.
    fn failed(&self) -> &'static str {
        match self {
            Self::Get { .. } => "etcd_get",
            Self::Set { .. } => "etcd_set",
            Self::Delete { .. } => "etcd_delete",
            Self::Watch { .. } => "etcd_watch",
            Self::Leader => "etcd_leader",
            Self::Lock { .. } => "etcd_lock",
            Self::Unlock { .. } => "etcd_unlock",
        }
    }
}
