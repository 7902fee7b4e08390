//! Signals, by the id of a process that this test has started.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// Sends one.
pub(crate) fn send(id: u32, signal: Signal) {
    kill_process(pid(id), signal).expect("it runs");
}

/// Whether a process is there that a program of this test has started.
pub(crate) fn runs(id: u32) -> bool {
    test_kill_process(pid(id)).is_ok()
}

fn pid(id: u32) -> Pid {
    i32::try_from(id).ok().and_then(Pid::from_raw).expect("the id of a child")
}
