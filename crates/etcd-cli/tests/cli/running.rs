//! A program that runs on while the test does something else.

use std::process::Stdio;

use etcd_tests::PATIENCE;
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::program::of;

/// A program whose lines are read as they come.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub(crate) fn start(etcd: &dyn etcd_testkit::Etcd, args: &[&str]) -> Self {
        let mut command = Command::from(of(etcd));
        command.args(args);
        Self::of(command)
    }

    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("a line comes");
        line.unwrap().expect("the program still runs")
    }

    pub(crate) async fn code(mut self) -> Option<i32> {
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap().code()
    }

    /// Ends it by a signal; its exit code.
    pub(crate) async fn end(self, signal: Signal) -> Option<i32> {
        crate::signal::send(self.child.id().expect("it runs"), signal);
        self.code().await
    }
}
