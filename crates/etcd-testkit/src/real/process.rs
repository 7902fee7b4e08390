//! One etcd process.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::error::{Error, ErrorKind, Result};
use super::guard::Guard;

/// A child process that does not outlive this value.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// `None` once the child was reaped: its id may then belong to somebody else.
    guard: Option<Guard>,
}

impl Process {
    /// Starts `command`; its output is added to the file `log`.
    pub(super) fn spawn(mut command: Command, log: &Path) -> Result<Self> {
        let failed = |source: io::Error| {
            let text = format!("cannot start the etcd that logs to {}", log.display());
            Error::new(ErrorKind::Start, text).with_source(source)
        };
        let output = OpenOptions::new().create(true).append(true).open(log).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let child = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn().map_err(failed)?;
        // From here on an early return kills the child.
        let mut process = Self { child, guard: None };
        process.guard = Some(Guard::over(process.id()).map_err(failed)?);
        Ok(process)
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, `None` while it runs. Reaps it.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        if status.is_some() {
            self.guard = None;
        }
        status
    }

    /// Sends SIGKILL and waits for the end.
    pub(super) fn kill(&mut self) -> Result<()> {
        // A process that was reaped before is left alone by `Child::kill`.
        self.child.kill().map_err(|source| no_signal("SIGKILL", source))?;
        self.guard = None;
        self.child.wait().map(|_| ()).map_err(|source| no_signal("SIGKILL", source))
    }

    /// Sends SIGSTOP and waits until the process stands still.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.signal(Signal::STOP, "SIGSTOP")?;
        // EXITED as well, or the wait would never end if the process did; NOWAIT leaves reaping to `ended`.
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        loop {
            match waitid(WaitId::Pid(self.pid()), options) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(no_signal("SIGSTOP", error.into())),
            }
        }
    }

    /// Sends SIGCONT.
    pub(super) fn resume(&mut self) -> Result<()> {
        self.signal(Signal::CONT, "SIGCONT")
    }

    /// Sends SIGTERM; a stopped process is resumed so that it can obey.
    pub(super) fn terminate(&mut self) -> Result<()> {
        self.signal(Signal::TERM, "SIGTERM")?;
        self.resume()
    }

    fn signal(&mut self, signal: Signal, name: &str) -> Result<()> {
        if let Some(status) = self.ended() {
            return Err(Error::new(ErrorKind::NotRunning, format!("etcd has ended by itself ({status})")));
        }
        kill_process(self.pid(), signal).map_err(|error| no_signal(name, error.into()))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nobody is left to tell; SIGKILL to an own child fails only if it was reaped already.
        let _ = self.kill();
    }
}

fn no_signal(name: &str, source: io::Error) -> Error {
    Error::new(ErrorKind::Signal, format!("{name} could not be sent to etcd")).with_source(source)
}
