//! A program that runs for as long as something is held.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// A running program; dropped it is killed.
pub(super) struct Program {
    name: String,
    child: Child,
}

impl Program {
    /// Starts it, with these variables in its environment. `None` if there is none to start.
    pub(super) fn start(program: &[OsString], variables: &[(String, String)]) -> Result<Option<Self>> {
        let [name, args @ ..] = program else { return Ok(None) };
        let mut command = Command::new(name);
        command.args(args).envs(variables.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        let name = name.to_string_lossy().into_owned();
        let child = command.spawn().map_err(|error| Failure::io(format!("cannot run {name}"), &error))?;
        Ok(Some(Self { name, child }))
    }

    /// Waits for its end.
    ///
    /// Cancel safe.
    pub(super) async fn ended(&mut self) -> Result<Exit> {
        let status = self.child.wait().await;
        let status = status.map_err(|error| Failure::io(format!("cannot wait for {}", self.name), &error))?;
        Ok(Exit::OfProgram(code(status)))
    }

    /// Passes on the signal that this program was asked to end by.
    pub(super) fn pass_on(&self, exit: Exit) {
        self.send(match exit {
            Exit::Interrupted => Signal::INT,
            Exit::HungUp => Signal::HUP,
            _ => Signal::TERM,
        });
    }

    /// Ends it: it has a moment to do so itself.
    pub(super) async fn end(&mut self) {
        self.send(Signal::TERM);
        if timeout(GRACE, self.child.wait()).await.is_err() {
            // It fails for a program that has just ended.
            let _ = self.child.kill().await;
        }
    }

    /// Ends it at once.
    pub(super) fn kill(&mut self) {
        // It fails for a program that has just ended.
        let _ = self.child.start_kill();
    }

    fn send(&self, signal: Signal) {
        // None once it has been waited for: until then nobody else gets its number.
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            // It fails for a program that has just ended.
            let _ = kill_process(id, signal);
        }
    }
}

/// As a shell tells it: 128 and more for an end by a signal.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// How long a program may go on behind a loss before it is killed: no longer than the margin, behind which others may
/// hold what it was run under.
const GRACE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_as_a_shell_tells_it() {
        assert_eq!(code(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(code(ExitStatus::from_raw(9)), 137);
    }
}
