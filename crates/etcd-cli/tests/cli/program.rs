//! Running the program.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use etcd_testkit::Etcd;

/// Where it is.
pub(crate) const PATH: &str = env!("CARGO_BIN_EXE_etcd-cli");

/// What it printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program with nothing of etcd in its environment.
pub(crate) fn program() -> Command {
    let mut command = Command::new(PATH);
    clear(&mut command);
    command
}

/// Takes from a program what this machine says of etcd.
pub(crate) fn clear(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let is_ours =
            name.to_str().is_some_and(|name| name.starts_with("ETCDCTL_") || name == "ETCD_SERVERS");
        if is_ours {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
}

/// The program for a server.
pub(crate) fn of(etcd: &dyn Etcd) -> Command {
    let mut command = program();
    command.env("ETCDCTL_ENDPOINTS", etcd.endpoints().join(","));
    command
}

/// Runs it to its end.
pub(crate) fn end(command: &mut Command) -> Ended {
    let output = command.output().expect("it is built");
    let text = |bytes| String::from_utf8(bytes).expect("it prints text");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs it for a server.
pub(crate) fn run(etcd: &dyn Etcd, args: &[&str]) -> Ended {
    end(of(etcd).args(args))
}

/// Runs it for a server, which must go well; what it printed.
pub(crate) fn ok(etcd: &dyn Etcd, args: &[&str]) -> String {
    let ended = run(etcd, args);
    assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
    ended.stdout
}

/// Runs it with this on standard input.
pub(crate) fn feed(command: &mut Command, input: &[u8]) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it is built");
    // It may have ended without reading.
    let _ = child.stdin.take().expect("piped").write_all(input);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("it prints text");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The program under another name.
pub(crate) fn named(directory: &Path, name: impl AsRef<OsStr>) -> PathBuf {
    let path = directory.join(name.as_ref());
    std::os::unix::fs::symlink(PATH, &path).expect("a directory of this test's own");
    path
}
