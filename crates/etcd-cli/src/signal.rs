//! Ending when asked to.

use std::{fs, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// SIGINT, SIGTERM and SIGHUP, heard from the moment that this is made.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Option<Signal>,
    hangup: Option<Signal>,
}

impl Signals {
    /// Begins to listen; without a reason of its own the program no longer ends by these signals.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: unless_ignored(SignalKind::interrupt())?,
            hangup: unless_ignored(SignalKind::hangup())?,
        })
    }

    /// Waits for the first of them.
    ///
    /// Cancel safe: one that has come is not lost.
    pub(crate) async fn recv(&mut self) -> Exit {
        tokio::select! {
            _ = self.terminate.recv() => Exit::Terminated,
            () = heard(&mut self.interrupt) => Exit::Interrupted,
            () = heard(&mut self.hangup) => Exit::HungUp,
        }
    }
}

/// Listens for a signal, unless who started us has it ignored: `nohup` does so with SIGHUP, and a shell with SIGINT for
/// what it runs in the background.
fn unless_ignored(kind: SignalKind) -> io::Result<Option<Signal>> {
    // Where there is no such file (outside Linux), nothing is taken for ignored.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if ignored(&status) & bit(kind) != 0 { Ok(None) } else { signal(kind).map(Some) }
}

/// The signals that a process ignores, by the `SigIgn` of its status.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

fn bit(kind: SignalKind) -> u64 {
    let number = u32::try_from(kind.as_raw_value()).unwrap_or_default();
    number.checked_sub(1).and_then(|place| 1_u64.checked_shl(place)).unwrap_or_default()
}

async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read_from_the_status() {
        let status = "Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert_ne!(ignored(status) & bit(SignalKind::hangup()), 0);
        assert_eq!(ignored(status) & bit(SignalKind::interrupt()), 0);
        assert_eq!(ignored(""), 0);
    }
}
