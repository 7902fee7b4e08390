//! On a terminal: what is shown there, and Ctrl-C.

use std::time::Duration;

use etcd_testkit::Etcd;
use etcd_tests::{Needs, PATIENCE, each_server};
use pty_process::{Command, Pty, open};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Child;
use tokio::time::{Instant, timeout};

use crate::program::{PATH, ok};

/// The program on a terminal of its own.
struct OnTerminal {
    terminal: Pty,
    child: Child,
    seen: String,
}

impl OnTerminal {
    fn start(etcd: &dyn Etcd, args: &[&str]) -> Self {
        let (terminal, end) = open().unwrap();
        let command = Command::new(PATH).args(args).kill_on_drop(true).env("TERM", "xterm");
        let command = command.env("ETCDCTL_ENDPOINTS", etcd.endpoints().join(",")).env_remove("NO_COLOR");
        let child = command.spawn(end).unwrap();
        Self { terminal, child, seen: String::new() }
    }

    /// Reads until this has been seen.
    async fn until(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let mut bytes = [0; 4096];
            let read = timeout(PATIENCE, self.terminal.read(&mut bytes)).await;
            let read = read.unwrap_or_else(|_| panic!("no {text:?} in {:?}", self.seen));
            let read = read.unwrap_or_else(|error| panic!("no {text:?} in {:?}: {error}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }

    /// Reads to the end; what was shown.
    async fn end(mut self) -> (Option<i32>, String) {
        let mut bytes = [0; 4096];
        // A terminal whose last program has gone says so by an error.
        while let Ok(Ok(read @ 1..)) = timeout(PATIENCE, self.terminal.read(&mut bytes)).await {
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        (status.code(), self.seen)
    }

    async fn press(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn ctrl_c_ends_a_watch_soon_and_with_its_own_code() {
    each_server(Needs::members(1), async |etcd| {
        let mut took = Vec::new();
        // On a busy machine a process may wait for its turn; a watch that waits for anything else never makes it.
        for round in 0..10 {
            let key = format!("/pty/{round}");
            ok(etcd, &["set", &key, "first"]);
            let mut watch = OnTerminal::start(etcd, &["watch", &key, "--snapshot"]);
            watch.until("first").await;
            // Another process writes meanwhile.
            ok(etcd, &["set", &key, "second"]);
            watch.until(&format!("set {key} second")).await;
            let pressed = Instant::now();
            watch.press("\u{3}").await;
            let status = timeout(PATIENCE, watch.child.wait()).await.expect("Ctrl-C ends it").unwrap();
            took.push(pressed.elapsed());
            assert_eq!(status.code(), Some(130));
            if took.last() < Some(&LIMIT) {
                break;
            }
        }
        assert!(took.last() < Some(&LIMIT), "{took:?}");
    })
    .await;
}

#[tokio::test]
async fn ctrl_c_ends_a_program_and_gives_its_lock_back() {
    each_server(Needs::members(1), async |etcd| {
        let script = "echo ready; exec sleep 100";
        let mut lock = OnTerminal::start(etcd, &["lock", "pty", "--", "sh", "-c", script]);
        lock.until("ready").await;
        lock.press("\u{3}").await;
        assert_eq!(lock.end().await.0, Some(130));
        assert_eq!(crate::program::run(etcd, &["lock", "pty", "--holder"]).code, Some(16));
    })
    .await;
}

#[tokio::test]
async fn no_value_changes_the_terminal() {
    each_server(Needs::members(1), async |etcd| {
        let evil = "a\u{1b}[2Jb\u{7}\u{9b}31m\tc\nd\u{202e}";
        ok(etcd, &["set", "/evil/k\u{1b}[1m", evil]);
        for args in [
            &["get", "/evil/k\u{1b}[1m"][..],
            &["get", "/evil/k\u{1b}[1m", "-w", "extended"],
            &["get", "/evil/k\u{1b}[1m", "-w", "json"],
            &["ls", "/evil"],
            &["tree", "--values", "/evil"],
            &["get", "/evil", "-r", "-w", "table"],
            &["get", "/evil/none\u{1b}[1m"],
            &["get", "/evil/\u{1b}[1m/../x"],
            &["rm", "/evil/k\u{1b}[1m", "-p", "x\u{1b}[1m"],
            &["exists", "/evil/k\u{1b}[1m"],
        ] {
            let (_, shown) = OnTerminal::start(etcd, &[args, &["--no-color"]].concat()).end().await;
            let bad = |c: char| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || c == '\u{202e}';
            assert!(!shown.is_empty() && !shown.contains(bad), "{args:?}: {shown:?}");
        }
        ok(etcd, &["role", "add", "evil\u{9b}1m"]);
        ok(etcd, &["user", "add", "evil:pw", "--roles", "evil\u{9b}1m"]);
        let (_, shown) = OnTerminal::start(etcd, &["user", "get", "evil"]).end().await;
        assert_eq!(shown, "User: evil\r\nRoles: evil\\u{9b}1m\r\n");
        let (code, shown) = OnTerminal::start(etcd, &["get", "/evil/k\u{1b}[1m"]).end().await;
        assert_eq!((code, &*shown), (Some(0), "a\\x1b[2Jb\\x07\\u{9b}31m\tc\r\nd\\u{202e}\r\n"));
        // Not on a terminal: byte by byte.
        assert_eq!(ok(etcd, &["get", "/evil/k\u{1b}[1m"]), format!("{evil}\n"));
    })
    .await;
}

#[tokio::test]
async fn colours_and_tables_are_for_terminals() {
    each_server(Needs::members(1), async |etcd| {
        ok(etcd, &["set", "/colour/d/a", "1"]);
        let coloured = "\u{1b}[1;34m/colour/d\u{1b}[0m";
        assert!(OnTerminal::start(etcd, &["ls", "/colour"]).end().await.1.contains(coloured));
        assert_eq!(OnTerminal::start(etcd, &["ls", "/colour", "--no-color"]).end().await.1, "/colour/d\r\n");
        assert_eq!(ok(etcd, &["ls", "/colour"]), "/colour/d\n");
        assert!(OnTerminal::start(etcd, &["members"]).end().await.1.contains("PEER URLS"));
        assert!(!ok(etcd, &["members"]).contains("PEER URLS"));
    })
    .await;
}

#[tokio::test]
async fn a_long_command_says_how_far_it_is_and_wipes_that_away() {
    each_server(Needs::members(1), async |etcd| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made").to_str().unwrap().to_owned();
        let node = |number: u32| format!("{{\"key\":\"/bar/{number}\",\"value\":\"\"}}");
        let nodes: Vec<_> = (0..50).map(node).collect();
        let head = "{\"format\":\"etcd v2 keys 1\",\"root\":\"/bar\",\"nodes\":[";
        std::fs::write(&path, format!("{head}{}]}}", nodes.join(","))).unwrap();
        let (code, shown) = OnTerminal::start(etcd, &["import", &path]).end().await;
        assert!(code == Some(0) && shown.contains("\rimport [") && shown.contains("/50"), "{shown:?}");
        assert!(shown.ends_with("\r\u{1b}[K50 keys, 0 directories\r\n"), "{shown:?}");
        // Not on a terminal: nothing but the answer.
        let ended = crate::program::run(etcd, &["import", &path]);
        assert_eq!((&*ended.stdout, &*ended.stderr), ("50 keys, 0 directories\n", ""));
    })
    .await;
}

#[tokio::test]
async fn a_password_is_asked_for_and_not_shown() {
    each_server(Needs::members(1).auth("secret"), async |etcd| {
        let mut list = OnTerminal::start(etcd, &["-u", "root", "user", "list"]);
        list.until("Password of root: ").await;
        list.press("wrong\u{15}secreX\u{7f}t\r").await;
        let (code, shown) = list.end().await;
        assert!(code == Some(0) && shown.contains("root"), "{shown:?}");
        assert!(!shown.contains("secre") && !shown.contains("wrong"), "{shown:?}");
        let mut refused = OnTerminal::start(etcd, &["-u", "root", "user", "list"]);
        refused.until("Password of root: ").await;
        refused.press("\u{3}").await;
        assert_eq!(refused.end().await.0, Some(130));
    })
    .await;
}

#[tokio::test]
async fn a_missing_value_is_not_waited_for_on_a_terminal() {
    each_server(Needs::members(1), async |etcd| {
        let (code, shown) = OnTerminal::start(etcd, &["set", "/a"]).end().await;
        assert!(code == Some(2) && shown.contains("standard input is a terminal"), "{shown:?}");
    })
    .await;
}

/// How long a program may go on after Ctrl-C.
const LIMIT: Duration = Duration::from_millis(100);
