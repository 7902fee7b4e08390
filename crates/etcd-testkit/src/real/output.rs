//! What a program prints before it ends, which it must do soon.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// Runs `command` and gives what it printed to its standard output; kills it if it has not ended within `limit`.
///
/// # Errors
///
/// [`io::ErrorKind::TimedOut`] after `limit`, else what the system says.
pub(super) fn within(limit: Duration, command: &mut Command) -> io::Result<String> {
    // A file and no pipe: the end of a pipe may be far away, if the program leaves a child behind that holds it.
    let mut output = tempfile::tempfile()?;
    let child = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(Stdio::null()).spawn()?;
    Killed(child).end_within(limit)?;
    text(&mut output)
}

fn text(output: &mut File) -> io::Result<String> {
    let mut text = Vec::new();
    output.rewind()?;
    output.take(OUTPUT_LIMIT).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// A child process that is dead and reaped once this is dropped.
struct Killed(Child);

impl Killed {
    fn end_within(&self, limit: Duration) -> io::Result<()> {
        let pid = Pid::from_child(&self.0);
        let (ended, end) = mpsc::channel();
        // It lives no longer than the child.
        thread::Builder::new().name("etcd-version".to_owned()).spawn(move || {
            // NOWAIT leaves reaping to the owner, so that the id stays the child's for as long as it may be killed.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
            // Nobody listens any more after the limit.
            let _ = ended.send(());
        })?;
        end.recv_timeout(limit).map_err(|_| io::ErrorKind::TimedOut.into())
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // SIGKILL to an own child fails only if it was reaped already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// In bytes; who prints more than that is not asked for it.
const OUTPUT_LIMIT: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, kill_process, test_kill_process};

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_program_prints_is_given_whether_it_succeeds_or_not() {
        let limit = Duration::from_secs(60);
        assert_eq!(within(limit, &mut shell("echo one; echo two >&2; exit 3")).unwrap(), "one\n");
        let absent = within(limit, &mut Command::new("/nonexistent/etcd")).unwrap_err();
        assert_eq!(absent.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let endless = Killed(shell("exec sleep 600").spawn().unwrap());
        let pid = Pid::from_child(&endless.0);
        assert_eq!(
            endless.end_within(Duration::from_millis(50)).unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
        assert!(test_kill_process(pid).is_ok());
        drop(endless);
        assert!(test_kill_process(pid).is_err(), "{pid:?} still runs");
    }

    #[test]
    fn a_child_that_is_left_behind_is_not_waited_for() {
        let limit = Duration::from_secs(60);
        let left = within(limit, &mut shell("sleep 600 & echo $!")).unwrap();
        let pid = Pid::from_raw(left.trim().parse().unwrap()).unwrap();
        assert!(test_kill_process(pid).is_ok());
        kill_process(pid, Signal::KILL).unwrap();
    }
}
