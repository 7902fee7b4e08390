//! Holds a lock while a command runs, and ends the command if the lock is lost.
//!
//! `cargo run --example lock -- [NAME COMMAND [ARGUMENTS]]`; without them two jobs want the lock `example` at once. The
//! command finds its fencing token in `ETCD_LOCK_TOKEN`. The program ends as the command does; with status 75 (try again
//! later) if the lock was lost, and 1 for errors. Stopped by a signal it leaves the lock to its ttl.

use std::error::Error;
use std::ffi::OsString;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use etcd_client::v2::Client;
use etcd_lock::{Lock, LockGuard};
use tokio::process::Command;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            match error.downcast_ref::<etcd_lock::Error>() {
                Some(error) if error.is_lost() => ExitCode::from(LOST),
                Some(_) | None => ExitCode::FAILURE,
            }
        }
    }
}

async fn run() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let name = args.next().map(|name| name.into_string().map_err(|_| "the name is no text")).transpose()?;
    // Lives as long as this function.
    let etcd = etcd_examples::cluster().await?;
    let client = etcd.builder().build()?;
    match (name, args.next()) {
        (Some(name), Some(program)) => {
            let status = hold(&client, &name, program, args.collect()).await?;
            // No code: ended by a signal.
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
        }
        (None, _) => {
            let job = |text: &str| {
                let script =
                    format!("echo '{text} begins by token '$ETCD_LOCK_TOKEN; sleep 1; echo '{text} ends'");
                hold(&client, "example", "sh".into(), vec!["-c".into(), script.into()])
            };
            let (first, second) = tokio::join!(job("one job"), job("another job"));
            let ended_well = first?.success() && second?.success();
            Ok(if ended_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        (Some(_), None) => Err("which command? lock NAME COMMAND [ARGUMENTS]".into()),
    }
}

/// Waits for the lock, and runs the command under it.
async fn hold(
    client: &Client,
    name: &str,
    program: OsString,
    args: Vec<OsString>,
) -> Result<ExitStatus, Box<dyn Error>> {
    let lock =
        Lock::new(client, name).ttl(Duration::from_secs(10)).owner(format!("process {}", std::process::id()));
    let guard = lock.acquire().await?;
    let ended = command(&guard, program, args).await;
    // Also behind a command that could not be started. After a loss it says nothing new.
    let released = guard.release().await;
    let status = ended?;
    released?;
    Ok(status)
}

async fn command(
    guard: &LockGuard,
    program: OsString,
    args: Vec<OsString>,
) -> Result<ExitStatus, Box<dyn Error>> {
    let mut command = Command::new(program);
    command.args(args).env("ETCD_LOCK_TOKEN", guard.token().to_string());
    // Where the lock is lost `run` drops this future, and with it the child, which is killed then.
    let name = command.as_std().get_program().display().to_string();
    let mut child =
        command.kill_on_drop(true).spawn().map_err(|error| format!("cannot start {name}: {error}"))?;
    Ok(guard.run(async move { child.wait().await }).await??)
}

/// `EX_TEMPFAIL` of sysexits.h.
const LOST: u8 = 75;
