//! Ends that come from outside: a signal while a program of the user runs, an output that nobody takes.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;

use etcd_testkit::Etcd as _;
use etcd_testkit::memory::MemoryEtcd;
use etcd_tests::{Needs, each_server, eventually};
use rustix::process::Signal;

use crate::program::{end, named, of, ok, program, run};
use crate::running::Running;
use crate::signal;

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

#[tokio::test]
async fn a_signal_ends_modify_and_the_program_that_it_runs() {
    each_server(Needs::members(1), async |etcd| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("id");
        let script = format!("echo $$ > '{}'; exec sleep 100", path.display());
        ok(etcd, &["set", "/modified", "1"]);
        let modify = Running::start(etcd, &["modify", "/modified", "--", "sh", "-c", &script]);
        let id: u32 = eventually("the program runs", async || {
            std::fs::read_to_string(&path).ok().and_then(|id| id.trim_end().parse().ok())
        })
        .await;
        assert_eq!(modify.end(Signal::TERM).await, Some(143));
        eventually("the program is gone", async || (!signal::runs(id)).then_some(())).await;
        assert_eq!(ok(etcd, &["get", "/modified"]), "1\n");
    })
    .await;
}

#[tokio::test]
async fn modify_runs_again_on_what_others_have_written() {
    each_server(Needs::members(1), async |etcd| {
        let directory = tempfile::tempdir().unwrap();
        let seen = directory.path().join("seen");
        ok(etcd, &["set", "/raced", "1"]);
        // The first run is overtaken by another writer.
        let script = format!(
            "v=$(cat); if [ ! -e '{0}' ]; then {1} -s {2} set /raced 5 > /dev/null; fi; \
             echo $v >> '{0}'; echo $((v + 1))",
            seen.display(),
            crate::program::PATH,
            etcd.endpoints()[0],
        );
        assert_eq!(ok(etcd, &["modify", "/raced", "--", "sh", "-c", &script]), "6\n");
        assert_eq!(std::fs::read_to_string(&seen).unwrap(), "1\n5\n");
    })
    .await;
}

#[tokio::test]
async fn a_measurement_that_is_interrupted_leaves_nothing_for_ever() {
    each_server(Needs::members(1), async |etcd| {
        let perf = Running::start(etcd, &["check", "perf", "--for", "60s"]);
        let dir = format!("/etcd-cli-check-perf-{}", perf.child.id().unwrap());
        eventually("it measures", async || {
            (run(etcd, &["exists", &format!("{dir}/0")]).code == Some(0)).then_some(())
        })
        .await;
        assert_eq!(perf.end(Signal::INT).await, Some(130));
        let left: serde_json::Value = serde_json::from_str(&ok(etcd, &["get", &dir, "-w", "json"])).unwrap();
        assert!((240..=300).contains(&left["node"]["ttl"].as_u64().unwrap()), "{left}");
        ok(etcd, &["rm", "-r", &dir]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_finds_no_place_has_happened() {
    let etcd = MemoryEtcd::builder().start().await.unwrap();
    let ended = end(of(&etcd).args(["set", "/a", "1"]).stdout(full()).stderr(Stdio::piped()));
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.ends_with("  the write has happened, only its answer could not be written\n"),
        "{}",
        ended.stderr
    );
    assert_eq!(ok(&etcd, &["get", "/a"]), "1\n");
    let read = end(of(&etcd).args(["get", "/a"]).stdout(full()));
    assert!(read.code == Some(1) && !read.stderr.contains("has happened"), "{}", read.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_whose_token_nobody_has_is_given_back() {
    let etcd = MemoryEtcd::builder().start().await.unwrap();
    let ended = end(of(&etcd).args(["lock", "untold", "-t", "600"]).stdout(full()));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(run(&etcd, &["lock", "untold", "--holder"]).code, Some(16));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_tells_of_a_directory_and_does_not_need_to_be_heard() {
    let etcd = MemoryEtcd::builder().start().await.unwrap();
    let document =
        r#"{"format":"etcd v2 keys 1","root":"/","nodes":[{"key":"/d\u001b[1m","dir":true,"ttl":600}]}"#;
    let import = || {
        let mut command = of(&etcd);
        command.arg("import").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    for heard in [true, true, false] {
        let mut child = import();
        if !heard {
            drop(child.stderr.take());
        }
        child.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
        let ended = child.wait_with_output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(
            (ended.status.code(), &*ended.stdout),
            (Some(0), &b"0 keys, 1 directories\n"[..]),
            "{told}"
        );
        assert!(!told.contains('\u{1b}') && (told.is_empty() || told.contains("/d\\x1b[1m")), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_may_have_arguments_that_are_no_text() {
    let etcd = MemoryEtcd::builder().start().await.unwrap();
    ok(&etcd, &["set", "/a", "1"]);
    let bytes = OsStr::from_bytes(b"\xff");
    for args in [
        &["lock", "bytes"][..],
        &["elect", "bytes", "me"],
        &["exec-watch", "--once", "-i", "1", "/"],
        &["modify", "/a"],
    ] {
        // Fails unless it gets that one byte.
        let script = r#"[ "$(printf %s "$1" | od -An -tx1 | tr -d ' ')" = ff ] && echo 1"#;
        let mut command = of(&etcd);
        command.args(args).args(["--", "sh", "-c", script, "sh"]).arg(bytes);
        let ended = end(&mut command);
        assert_eq!((ended.code, &*ended.stdout), (Some(0), "1\n"), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn the_old_program_says_that_an_empty_list_cannot_be_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = named(directory.path(), "etcd-test");
    let mut command = std::process::Command::new(path);
    crate::program::clear(&mut command);
    let ended = end(command.args(["-s", " ,;", "get", "/a"]));
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
    assert!(ended.stderr.starts_with("etcd_open failed\n"), "{}", ended.stderr);
    // A wrong list is a wrong use of ours.
    assert_eq!(end(program().args(["-s", " ,;", "get", "/a"])).code, Some(2));
}
