//! A contender in a process of its own, which can be stopped and killed.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::AbortHandle;

use super::journal::Journal;
use super::said::{Said, boottime};

/// What a contender in a process is told to do.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// The members, in the order in which it is to ask them.
    pub endpoints: Vec<String>,
    /// What it contends for.
    pub dir: String,
    /// The ttl of its keys.
    pub ttl: Duration,
    /// What it writes to while it holds.
    pub resource: SocketAddr,
}

/// A contender in a process of its own.
///
/// The process is killed when this is dropped, and also when the process that made it is killed.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: Pid,
    child: Child,
    /// Closing it ends the process.
    _input: ChildStdin,
    reader: AbortHandle,
    /// Last: it is told to go before it could see the pipe close.
    guard: Child,
}

impl Task {
    /// The arguments of a program that calls [`contend`](super::contend) with what [`read`](Self::read) makes of
    /// them.
    pub fn args(&self) -> Vec<OsString> {
        let Self { name, endpoints, dir, ttl, resource } = self;
        let (endpoints, ttl) = (endpoints.join(","), ttl.as_secs().to_string());
        [name, &endpoints, dir, &ttl, &resource.to_string()].into_iter().map(OsString::from).collect()
    }

    /// From the arguments.
    ///
    /// # Errors
    /// If there are too few or too many, or one is not what it should be.
    pub fn read(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let args: Vec<_> = args.collect();
        let [name, endpoints, dir, ttl, resource] = args.as_slice() else {
            return Err(format!("wants NAME ENDPOINTS DIR TTL RESOURCE, not {args:?}"));
        };
        let ttl = ttl.parse().map_err(|error| format!("ttl {ttl:?}: {error}"))?;
        let resource = resource.parse().map_err(|error| format!("resource {resource:?}: {error}"))?;
        Ok(Self {
            name: name.clone(),
            endpoints: endpoints.split(',').map(str::to_owned).collect(),
            dir: dir.clone(),
            ttl: Duration::from_secs(ttl),
            resource,
        })
    }
}

impl Process {
    /// Starts one that begins to contend at once; what it says is noted in the journal.
    ///
    /// `program` is one that calls [`contend`](super::contend) when its first argument is `contend`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(program: &Path, task: &Task, journal: &Arc<Journal>) -> Self {
        let mut command = Command::new(program);
        command.arg("contend").args(task.args()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().expect("a program of this package");
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let pid = pid.expect("a child that was not waited for has an id");
        let output = child.stdout.take().expect("it is piped");
        let input = child.stdin.take().expect("it is piped");
        let reader = tokio::spawn(listen(output, task.name.clone(), Arc::clone(journal)));
        let guard = guard(pid);
        Self { name: task.name.clone(), pid, child, _input: input, reader: reader.abort_handle(), guard }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Stops it (SIGSTOP) and waits until it stands still: the time of that.
    ///
    /// # Panics
    /// If it has ended.
    pub fn stop(&self) -> Duration {
        kill_process(self.pid, Signal::STOP).expect("an own child that was not waited for");
        // EXITED as well, or the wait would never end if it did; NOWAIT leaves it to the handle.
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(self.pid), options).expect("an own child");
        assert!(status.is_some_and(|status| status.stopped()), "{} has ended by itself", self.name);
        boottime()
    }

    /// Lets it go on (SIGCONT): the time just before.
    ///
    /// # Panics
    /// If it has ended.
    pub fn resume(&self) -> Duration {
        let now = boottime();
        kill_process(self.pid, Signal::CONT).expect("an own child that was not waited for");
        now
    }

    /// Kills it (SIGKILL) and waits for its end: the time just before.
    ///
    /// # Panics
    /// If it cannot be waited for.
    pub async fn kill(&mut self) -> Duration {
        let now = boottime();
        // First the guard: the id belongs to nobody, or to somebody else, once the child was waited for.
        self.guard.kill().await.expect("an own child");
        self.child.kill().await.expect("an own child");
        now
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.reader.abort();
        // Both are killed on drop as well; this order keeps the guard from a process that is gone.
        let _ = self.guard.start_kill();
        let _ = self.child.start_kill();
    }
}

async fn listen(output: ChildStdout, name: String, journal: Arc<Journal>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        journal.note(&name, line.parse().unwrap_or_else(|why| Said::Failed { why }));
    }
}

/// A sleeping `sh` that kills the process when this one is gone, however it ended: a stopped one would stay for ever.
fn guard(pid: Pid) -> Child {
    // Ctrl-C reaches the whole process group; the guard must outlive it.
    let script = r#"trap '' HUP INT TERM; read -r _; kill -KILL "$0""#;
    let mut command = Command::new("sh");
    command.args(["-c", script, &pid.as_raw_nonzero().to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().expect("a shell")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_comes_back_from_its_arguments() {
        let task = Task {
            name: "c1".to_owned(),
            endpoints: vec!["http://127.0.0.1:1".to_owned(), "http://127.0.0.1:2".to_owned()],
            dir: "/locks/a".to_owned(),
            ttl: Duration::from_secs(5),
            resource: SocketAddr::from(([127, 0, 0, 1], 7)),
        };
        let args = || task.args().into_iter().map(|arg| arg.into_string().unwrap());
        assert_eq!(format!("{:?}", Task::read(args()).unwrap()), format!("{task:?}"));
        assert!(Task::read(args().take(4)).is_err());
        assert!(Task::read(args().chain(["more".to_owned()])).is_err());
    }
}
