//! `etcd-memory`: an etcd v2 server in memory, for programs in any language.
//!
//! It prints the client URL of each member, one a line, and runs until SIGINT or SIGTERM.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use etcd_testkit::memory::{MemoryBuilder, MemoryEtcd, Profile};
use etcd_testkit::{Etcd as _, Series};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    // What is no text is no argument of ours either: it is shown as far as it can be, and refused.
    let args: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let builder = match parse(&args) {
        Ok(builder) => builder,
        Err(message) => {
            eprintln!("etcd-memory: {message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(builder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("etcd-memory: {error}{}", reason(&*error));
            ExitCode::FAILURE
        }
    }
}

fn parse(args: &[String]) -> Result<MemoryBuilder, String> {
    let mut builder = MemoryEtcd::builder().listen(SocketAddr::from(([127, 0, 0, 1], 2379)));
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (name, inline) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&**arg, None),
        };
        if !["--listen", "--members", "--profile"].contains(&name) {
            return Err(format!("unknown argument `{arg}`"));
        }
        let value = inline.or_else(|| args.next().map(String::as_str));
        let value = value.ok_or_else(|| format!("{name} needs a value"))?;
        builder = match name {
            "--listen" => builder
                .listen(value.parse().map_err(|_| format!("`{value}` is no address like 127.0.0.1:2379"))?),
            "--members" => builder.members(members(value)?),
            _ => builder.profile(profile(value)?),
        };
    }
    Ok(builder)
}

fn members(text: &str) -> Result<usize, String> {
    let members = text.parse().ok().filter(|members| (1..=100).contains(members));
    members.ok_or_else(|| format!("`{text}` is no number of members, which are 1 to 100"))
}

fn profile(text: &str) -> Result<Profile, String> {
    match text.parse::<Series>() {
        Ok(Series::V3_4) => Ok(Profile::V3_4),
        Ok(Series::V3_5) => Ok(Profile::V3_5),
        // A series of later that has no profile reads as unknown.
        Ok(_) | Err(_) => Err(format!("`{text}` is no profile: 3.4 or 3.5")),
    }
}

fn run(builder: MemoryBuilder) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before the URLs are out: whoever reads them may end us at once.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let etcd = builder.start().await?;
        print(&etcd.endpoints())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

fn print(endpoints: &[String]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    for endpoint in endpoints {
        writeln!(stdout, "{endpoint}")?;
    }
    stdout.flush()
}

/// What is behind an error, each after a colon.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

const USAGE: &str = "\
An etcd v2 server in memory, for tests.

usage: etcd-memory [--listen ADDR] [--members N] [--profile 3.4|3.5]

  --listen ADDR   where the first member listens (default 127.0.0.1:2379); the others
                  take the ports after it, or free ones with port 0
  --members N     1 to 100 (default 1)
  --profile V     which etcd to behave like (default 3.5)

Prints the client URL of each member, one a line. Ends at SIGINT or SIGTERM.";
