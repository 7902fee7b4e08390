//! One member of a server.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::binary::Binary;
use super::error::{Error, ErrorKind, Result};
use super::process::Process;
use super::ready::{self, Probe};

/// One etcd process of a [`Server`](super::Server), or the place where it was and will be again.
///
/// Its data directory and its ports stay the same as long as the server lives.
#[derive(Debug)]
pub struct Member {
    plan: Plan,
    slot: Arc<Slot>,
}

/// How a member is started, each time.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) client_authority: String,
    pub(super) client_url: String,
    pub(super) peer_url: String,
    pub(super) binary: Binary,
    pub(super) args: Vec<OsString>,
    pub(super) log: PathBuf,
    pub(super) probe: Probe,
    pub(super) start_limit: Duration,
}

/// Where a member's process is kept. The lifetime's task holds it too.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    process: Option<Process>,
    /// Set once, when the lifetime is over: nothing is started afterwards.
    expired: bool,
}

// === impl Member ===

impl Member {
    pub(super) fn new(plan: Plan) -> Self {
        Self { plan, slot: Arc::default() }
    }

    /// etcd's `--name`, unique among all servers of this harness.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// The URL for clients, such as `http://127.0.0.1:34567`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.plan.client_url
    }

    /// The URL for other members.
    #[must_use]
    pub fn peer_url(&self) -> &str {
        &self.plan.peer_url
    }

    /// The file that the process's output goes to; a restart adds to it.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.plan.log
    }

    /// The process id, `None` if the member is not running.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.slot.running(|process| process.id())
    }

    /// True if the process exists; a stopped one does.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.pid().is_some()
    }

    /// Kills the process (SIGKILL) and waits for its end; nothing happens if it is not running.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Signal`] if the system refuses.
    pub fn kill(&self) -> Result<()> {
        self.slot.kill()
    }

    /// Lets the process end in good order (SIGTERM) and waits for that, at most 10 s; nothing happens if
    /// it is not running.
    ///
    /// etcd uses the time to hand over leadership.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Signal`] if the system refuses or the process has not ended after 10 s; it then still runs.
    ///
    /// # Cancel safety
    ///
    /// After a drop the process ends all the same, unobserved.
    pub async fn terminate(&self) -> Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        self.slot.with_process(Process::terminate)?;
        let deadline = Instant::now() + TERMINATE_LIMIT;
        while self.is_running() {
            if Instant::now() >= deadline {
                return Err(Error::new(ErrorKind::Signal, format!("{} ignores SIGTERM", self.name())));
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Stops the process (SIGSTOP) and waits until it stands still: its connections stay open and nothing answers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRunning`] without a process, [`ErrorKind::Signal`] if the system refuses.
    pub fn stop(&self) -> Result<()> {
        self.slot.with_process(Process::stop)
    }

    /// Lets a stopped process go on (SIGCONT); one that was not stopped does not notice.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRunning`] without a process, [`ErrorKind::Signal`] if the system refuses.
    pub fn resume(&self) -> Result<()> {
        self.slot.with_process(Process::resume)
    }

    /// Starts the member again with the same data and ports, and waits until it is ready; a running process
    /// is killed first.
    ///
    /// In a cluster it gets ready only if, with it, a majority runs; [`Server::restart`](super::Server::restart)
    /// starts all members at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Start`] if the process ends at once, [`ErrorKind::NotReady`] if it does not answer within the
    /// start limit, [`ErrorKind::Expired`] after the server's lifetime.
    ///
    /// # Cancel safety
    ///
    /// After a drop the member may run or not; call it again.
    pub async fn restart(&self) -> Result<()> {
        let deadline = Instant::now() + self.plan.start_limit;
        self.kill()?;
        loop {
            self.launch()?;
            match ready::wait(&[self], deadline).await {
                // The port was free for as long as the member was down; a passing connection may hold it.
                Err(error) if error.is_start() && self.port_was_taken() && Instant::now() < deadline => {
                    sleep(PORT_PAUSE).await;
                }
                result => return result,
            }
        }
    }

    /// Starts the process and returns at once.
    pub(super) fn launch(&self) -> Result<()> {
        let mut state = self.slot.lock();
        if state.expired {
            return Err(Error::new(ErrorKind::Expired, format!("the lifetime of {} is over", self.name())));
        }
        let mut command = self.plan.binary.command();
        command.args(&self.plan.args);
        state.process = Some(Process::spawn(command, &self.plan.log)?);
        Ok(())
    }

    pub(super) fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.slot)
    }

    pub(super) fn authority(&self) -> &str {
        &self.plan.client_authority
    }

    pub(super) fn probe(&self) -> &Probe {
        &self.plan.probe
    }

    /// Fails with the end of the log if the process has ended.
    pub(super) fn assert_running(&self) -> Result<()> {
        if self.is_running() {
            return Ok(());
        }
        if self.slot.lock().expired {
            return Err(Error::new(ErrorKind::Expired, format!("the lifetime of {} is over", self.name())));
        }
        Err(Error::new(
            ErrorKind::Start,
            format!("{} ended while it started{}", self.name(), self.log_tail()),
        ))
    }

    /// True if the last lines of the log say that a port was in use.
    pub(super) fn port_was_taken(&self) -> bool {
        self.log_tail().contains("address already in use")
    }

    /// The last lines of the log as a part of an error's text.
    pub(super) fn log_tail(&self) -> String {
        let log = fs::read(&self.plan.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
        format!("; the last lines of its log:\n{}", tail.join("\n"))
    }
}

// === impl Slot ===

impl Slot {
    /// Kills the process, if there is one, and keeps any other from being started.
    pub(super) fn expire(&self) {
        self.lock().expired = true;
        // SIGKILL to an own child does not fail, and there is nobody to tell.
        let _ = self.kill();
    }

    fn kill(&self) -> Result<()> {
        self.lock().process.take().map_or(Ok(()), |mut process| process.kill())
    }

    fn with_process(&self, act: impl FnOnce(&mut Process) -> Result<()>) -> Result<()> {
        match &mut self.lock().process {
            Some(process) => act(process),
            None => Err(Error::new(ErrorKind::NotRunning, "the member is not running")),
        }
    }

    fn running<T>(&self, ask: impl FnOnce(&Process) -> T) -> Option<T> {
        let mut state = self.lock();
        let process = state.process.as_mut()?;
        if process.ended().is_some() {
            state.process = None;
            return None;
        }
        Some(ask(process))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it was held leaves nothing half done: each change is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const TERMINATE_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);
const PORT_PAUSE: Duration = Duration::from_millis(500);
const LOG_LINES: usize = 12;
