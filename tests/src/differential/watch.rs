//! Watches that wait on both sides.

use etcd_testkit::memory::{WatchMode, WatcherId};
use tokio::time::{Duration, Instant, sleep};

use super::answer::{self, Answer};
use super::memory::Memory;
use super::operation::Operation;
use super::real::{OpenBody, PATIENCE};

/// A watch that was opened on both sides with the same head.
#[derive(Debug)]
pub(crate) struct OpenWatch {
    pub(crate) number: u64,
    pub(crate) operation: Operation,
    watcher: WatcherId,
    mode: WatchMode,
    ours: Answer,
    ended: bool,
    theirs: OpenBody,
    /// How far both have been compared.
    compared: usize,
}

impl OpenWatch {
    pub(crate) fn new(
        number: u64,
        operation: Operation,
        (watcher, mode): (WatcherId, WatchMode),
        ours: Answer,
        theirs: OpenBody,
    ) -> Self {
        Self { number, operation, watcher, mode, ours, ended: false, theirs, compared: 0 }
    }

    /// Reads our side and waits for as many events on theirs; how many there were, or what differs.
    pub(crate) async fn follow(&mut self, memory: &mut Memory) -> Result<u64, String> {
        let before = lines(&self.ours.body);
        if !self.ended {
            self.ended = memory.read(self.watcher, self.mode, &mut self.ours.body);
        }
        if self.ours.body.len() == self.compared
            && self.theirs.len() == self.compared
            && !self.theirs.has_ended()
        {
            return Ok(0);
        }
        let deadline = Instant::now() + PATIENCE;
        while (lines(&self.theirs.bytes()) < lines(&self.ours.body) || self.ended && !self.theirs.has_ended())
            && Instant::now() < deadline
        {
            sleep(Duration::from_millis(1)).await;
        }
        if self.ended != self.theirs.has_ended() {
            return Err(format!("the watch has ended: {} and not {}", self.ended, self.theirs.has_ended()));
        }
        let theirs = self.theirs.bytes();
        answer::compare_bodies(&self.ours.body, &theirs, true)?;
        // Times may differ in length; from here on only growth is of interest.
        self.compared = if theirs.len() == self.ours.body.len() { theirs.len() } else { 0 };
        Ok(u64::try_from(lines(&self.ours.body) - before).unwrap_or(0))
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn close(&self, memory: &mut Memory) {
        memory.close(self.watcher);
    }

    /// What both sides have said so far.
    pub(crate) fn bodies(&self) -> (Answer, Answer) {
        (self.ours.clone(), Answer { body: self.theirs.bytes(), ..self.ours.clone() })
    }
}

fn lines(body: &[u8]) -> usize {
    body.iter().filter(|&&byte| byte == b'\n').count()
}
