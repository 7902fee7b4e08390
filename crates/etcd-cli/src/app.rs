//! The program: arguments in, exit code out.

use std::ffi::OsString;
use std::io::Write as _;

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _};

use crate::cli::{Cli, Command, ServerCommand};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::global::{Debug, Global};
use crate::output::Output;
use crate::session::Session;
use crate::signal::Signals;
use crate::{background, case, connect, debug, locks};

/// Runs what the arguments ask for.
pub(crate) fn run(args: Vec<OsString>) -> Exit {
    let cli = match parse(args) {
        Ok(cli) => cli,
        Err(error) => {
            // That nobody reads the message is no reason for another exit code.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let Cli { global, command } = cli;
    let writes = command.writes();
    if global.debug == Some(Debug::Spans) {
        debug::spans();
    }
    match with_runtime(&global, command, writes) {
        Ok(exit) => exit,
        Err(failure) => {
            // To standard error all at once; if that is closed there is nobody to tell.
            let _ = std::io::stderr().write_all(failure.text(writes).as_bytes());
            failure.exit()
        }
    }
}

fn parse(args: Vec<OsString>) -> Result<Cli, clap::Error> {
    let all = Cli::command();
    let color = if case::contains(&args, "--no-color") { ColorChoice::Never } else { ColorChoice::Auto };
    let (args, called) = case::normal(&all, args);
    let mut command = match called {
        Some(called) => alone(&all, called),
        None => all,
    }
    .color(color);
    let matches = command.try_get_matches_from_mut(args)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The command line with one command: clap copies every global option into every command that there is, which would
/// take it longer than all the rest of a `get`.
fn alone(all: &clap::Command, called: &clap::Command) -> clap::Command {
    clap::Command::new("etcd-cli")
        .version(env!("CARGO_PKG_VERSION"))
        .args(all.get_arguments().cloned())
        .subcommand(called.clone())
}

/// One thread is enough for one command, and starts soonest.
fn with_runtime(global: &Global, command: Command, writes: bool) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io("cannot start", &error))?;
    let result = runtime.block_on(async {
        let mut out = Output::new(global);
        let exit = match command {
            Command::OfServer(command) => return until_signal(global, command, out, writes).await,
            Command::Locks(command) => return in_order(global, command, out, writes).await,
            #[cfg(feature = "serve")]
            Command::Serve(serve) => serve.run(&mut out).await?,
            Command::Completions(completions) => completions.run(&mut out)?,
            Command::Man(man) => man.run()?,
        };
        out.finish()?;
        Ok(exit)
    });
    // A thread that still reads standard input must not hold us up.
    runtime.shutdown_background();
    result
}

async fn until_signal(global: &Global, command: ServerCommand, out: Output, writes: bool) -> Result<Exit> {
    // Before there are handlers, so that Ctrl-C at the question for a password ends the program.
    let client = connect::client(global)?;
    let mut session = Session { client, out };
    let mut signals = Signals::listen().map_err(|error| Failure::io("cannot hear signals", &error))?;
    let exit = tokio::select! {
        // A program that the command runs may end by the same Ctrl-C, which is no failure of its own.
        biased;
        exit = signals.recv() => {
            tell_of_signal(writes);
            exit
        }
        exit = command.run(&mut session) => exit?,
    };
    session.out.finish()?;
    Ok(exit)
}

/// What is held is given back, and what was given up is gone, before the program ends; at the second signal it ends.
async fn in_order(global: &Global, command: locks::Command, out: Output, writes: bool) -> Result<Exit> {
    let client = connect::client(global)?;
    let mut session = Session { client, out };
    let mut signals = Signals::listen().map_err(|error| Failure::io("cannot hear signals", &error))?;
    let ended = command.run(&mut session, &mut signals).await;
    if matches!(ended, Ok(Exit::Interrupted | Exit::Terminated)) {
        tell_of_signal(writes);
    }
    let Session { client, mut out } = session;
    drop(client);
    tokio::select! {
        () = background::ended() => {}
        _ = signals.recv() => {}
    }
    // Also before a failure: a token may stand there.
    out.finish()?;
    ended
}

fn tell_of_signal(writes: bool) {
    if writes {
        // What nobody reads need not be said.
        let _ = writeln!(std::io::stderr(), "interrupted: a write that was under way may have happened");
    }
}
