//! `etcd-cli`: etcd on the command line.
//!
//! Keys, directories and watches of etcd's v2 API (0.4 to 3.5), locks and elections, its members, users and roles, and
//! an etcd in memory for development. `etcd-cli help` lists the commands, `docs/command-line.md` says the rules, and
//! `docs/from-the-seeds.md` what was called what before.
//!
//! Called as `etcd-test` or `leader` it speaks as the C client's program of that name did.
#![forbid(unsafe_code)]

mod app;
mod background;
mod case;
mod cli;
mod cluster;
mod connect;
mod debug;
mod document;
mod exit;
mod failure;
mod global;
mod host;
mod keys;
mod locks;
mod output;
mod password;
mod perf;
mod seed;
#[cfg(feature = "serve")]
mod serve;
mod session;
mod signal;
mod value;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let name = args.first().and_then(|path| Path::new(path).file_name()).and_then(|name| name.to_str());
    match name {
        Some("etcd-test") => seed::run(&args),
        Some("leader") => seed::lead(&args),
        _ => app::run(args),
    }
    .into()
}
