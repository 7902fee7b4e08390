//! What is left when a server, a test or a test process ends.
#![cfg(target_os = "linux")]

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use etcd_testkit::real::{Server, binaries_under_test};
use tokio::time::{sleep, timeout};

/// The state letter of a process, `None` when it is gone.
pub(crate) fn state(pid: u32) -> Option<char> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it is in brackets and may itself hold some.
    text.rsplit_once(')')?.1.trim_start().chars().next()
}

fn pids(server: &Server) -> Vec<u32> {
    server.members().iter().map(|member| member.pid().unwrap()).collect()
}

#[tokio::test]
async fn a_dropped_server_leaves_no_process_and_no_data() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).members(3).start().await.unwrap();
        let pids = pids(&server);
        let directory = server.member(0).log_path().parent().unwrap().to_owned();
        assert!(directory.is_dir());
        server.member(1).stop().unwrap();
        drop(server);
        for pid in pids {
            assert_eq!(state(pid), None);
        }
        assert!(!directory.exists());
    }
}

#[tokio::test]
async fn a_panicking_test_leaves_no_process() {
    for binary in binaries_under_test().unwrap() {
        let server = Server::builder(binary).start().await.unwrap();
        let pids = pids(&server);
        let outcome = std::thread::spawn(move || {
            let _held = server;
            panic!("on purpose");
        })
        .join();
        assert!(outcome.is_err());
        assert_eq!(state(pids[0]), None);
    }
}

#[tokio::test]
async fn a_dropped_start_leaves_no_process() {
    // A setting that no other server on this machine has, to know its process by.
    let mark = format!("--snapshot-count={}", 1_000_000 + std::process::id());
    for binary in binaries_under_test().unwrap() {
        let start = Server::builder(binary).arg(mark.as_str()).start();
        assert!(timeout(Duration::from_millis(100), start).await.is_err());
    }
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        assert!(!line.contains(&mark), "{:?} still runs", process.path());
    }
}

#[tokio::test]
async fn a_lifetime_ends_the_whole_server_for_good() {
    for binary in binaries_under_test().unwrap() {
        let lifetime = Duration::from_millis(300);
        let server = Server::builder(binary).members(3).lifetime(lifetime).start().await.unwrap();
        while server.members().iter().any(|member| member.is_running()) {
            sleep(Duration::from_millis(20)).await;
        }
        assert!(server.member(0).restart().await.unwrap_err().is_expired());
        assert!(server.restart().await.unwrap_err().is_expired());
    }
}

/// The test runs itself once more as another process, and kills that.
#[tokio::test]
async fn a_killed_test_process_leaves_no_etcd() {
    const CHILD: &str = "TESTKIT_TEST_IS_CHILD";
    if env::var_os(CHILD).is_some() {
        let binary = binaries_under_test().unwrap().remove(0);
        let server = Server::builder(binary).start().await.unwrap();
        let member = server.member(0);
        println!("\netcd is {} {}", member.pid().unwrap(), member.log_path().parent().unwrap().display());
        std::future::pending::<()>().await;
    }
    if binaries_under_test().unwrap().is_empty() {
        return;
    }
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "end::a_killed_test_process_leaves_no_etcd", "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let line = output
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("etcd is ").map(str::to_owned))
        .unwrap();
    let (pid, directory) = line.split_once(' ').unwrap();
    let pid: u32 = pid.parse().unwrap();
    assert!(state(pid).is_some());
    child.kill().unwrap();
    child.wait().unwrap();
    // Whoever inherits it need not reap it at once.
    while !matches!(state(pid), None | Some('Z' | 'X')) {
        sleep(Duration::from_millis(20)).await;
    }
    // What the module's documentation says is left behind.
    std::fs::remove_dir_all(directory).unwrap();
}
