//! Ends an etcd whose test process was killed.

use std::io;
use std::process::{Child, Command, Stdio};

/// A sleeping `sh` that kills one process as soon as the process that made the guard is gone.
///
/// It reads from a pipe whose other end only the test process holds: that end closes however the process ends.
/// A parent-death signal would be the usual way, but it needs `unsafe` code between fork and exec, and it fires
/// when the *thread* that started etcd ends, which for a test's thread is too early.
#[derive(Debug)]
pub(super) struct Guard(Child);

impl Guard {
    /// Watches over the process `pid`; drop the guard before that process is reaped, or as soon as possible after.
    pub(super) fn over(pid: u32) -> io::Result<Self> {
        // Ctrl-C reaches the whole process group; the guard must outlive it to see the test process end.
        let script = r#"trap '' HUP INT TERM; read -r _; kill -KILL "$0""#;
        Command::new("sh")
            .args(["-c", script, &pid.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Self)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // `wait` closes the pipe, but only after the signal is on its way: the guard does not get to see that.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
