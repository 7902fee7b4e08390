//! The chores of the workspace: `cargo xtask CHORE`.
//!
//! One file per chore; `cargo xtask help` lists them. What CI runs is in `.ci/run`, which calls these.
#![forbid(unsafe_code)]

mod alone;
mod apt;
mod cold;
mod deny;
mod differential;
mod etcd;
mod failover;
mod failure;
mod fuzz;
mod locks;
mod model;
mod mutants;
mod peers;
mod run;
mod secrets;
mod test;
mod tool;
mod tree;
mod watch;
mod workspace;

use std::env;
use std::process::ExitCode;

use crate::failure::Failure;
use crate::workspace::Workspace;

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "help".to_owned());
    let args: Vec<_> = args.collect();
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        help();
        return ExitCode::SUCCESS;
    }
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        eprintln!("xtask: no chore `{name}`; `cargo xtask help` lists them");
        return ExitCode::from(2);
    };
    match Workspace::load().and_then(|workspace| (chore.run)(&workspace, &args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask {name}: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn help() {
    println!("cargo xtask CHORE\n");
    for chore in CHORES {
        println!("  {:<28} {}", format!("{} {}", chore.name, chore.arguments), chore.about);
    }
    println!("  {:<28} this list", "help");
}

/// Something to do for the workspace.
struct Chore {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&Workspace, &[String]) -> Result<(), Failure>,
}

const CHORES: &[Chore] = &[
    Chore {
        name: "etcd",
        arguments: "",
        about: "fetch etcd 3.4 and 3.5 into target/etcd, from the distribution's packages",
        run: etcd::run,
    },
    Chore {
        name: "test",
        arguments: "[CARGO TEST ARGUMENT…]",
        about: "run every test on every etcd that can be had, and on the one in memory",
        run: test::run,
    },
    Chore {
        name: "differential",
        arguments: "[--ops N] [--seed S] [--series 3.4|3.5]",
        about: "compare the server in memory with real ones, 100000 random operations each by default",
        run: differential::run,
    },
    Chore {
        name: "failover",
        arguments: "[--rounds N] [--series 3.4|3.5]",
        about: "kill and freeze members of real clusters and print what callers see, as medians",
        run: failover::run,
    },
    Chore {
        name: "cold",
        arguments: "[--runs N]",
        about: "print the processor time of a cold `etcd-cli get` of a release build, beside etcdctl's",
        run: cold::run,
    },
    Chore {
        name: "locks",
        arguments: "[--part N] [--only NAME] [--series 3.4|3.5]",
        about: "stop and kill holders, leaders and answers on real clusters and print what locks make of it",
        run: locks::run,
    },
    Chore {
        name: "secrets",
        arguments: "[CARGO TEST ARGUMENT…]",
        about: "run the tests at TRACE with a password on every client, and search all output for it",
        run: secrets::run,
    },
    Chore {
        name: "watch",
        arguments: "[TEST NAME…]",
        about: "run the tests of watches at their full counts, and print what they see",
        run: watch::run,
    },
    Chore {
        name: "tree",
        arguments: "",
        about: "check which crates may depend on which, and how many the client pulls in",
        run: tree::run,
    },
    Chore {
        name: "alone",
        arguments: "",
        about: "build each library crate outside the workspace",
        run: alone::run,
    },
    Chore {
        name: "fuzz",
        arguments: "[--seconds N] [TARGET…]",
        about: "fuzz each decoder of etcd-proto, 60 s each by default",
        run: fuzz::run,
    },
    Chore {
        name: "model",
        arguments: "",
        about: "look at every state of the models of the recipes, also with three clients",
        run: model::run,
    },
    Chore {
        name: "mutants",
        arguments: "[NAME…]",
        about: "break each rule of the recipes in a copy and see a test fail",
        run: mutants::run,
    },
    Chore {
        name: "peers",
        arguments: "",
        about: "play etcdctl and python-etcd (from PyPI) on etcd and on etcd-memory",
        run: peers::run,
    },
    Chore {
        name: "deny",
        arguments: "",
        about: "check bans, licences and sources of all dependencies",
        run: deny::run,
    },
];
