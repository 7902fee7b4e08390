//! Watching by a pipe: each item is there when it happens.

use std::time::Duration;

use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, each_server};
use tokio::time::timeout;

use crate::program::ok;
use crate::running::Running;

/// The index of the next write, for a watch that begins there whenever it is ready.
fn next_index(etcd: &dyn etcd_testkit::Etcd) -> String {
    let json: serde_json::Value =
        serde_json::from_str(&ok(etcd, &["set", "/index", "x", "-w", "json"])).unwrap();
    (json["node"]["modifiedIndex"].as_u64().unwrap() + 1).to_string()
}

#[tokio::test]
async fn each_item_is_one_line_at_once() {
    each_server(Needs::members(1), async |etcd| {
        let from = next_index(etcd);
        let mut watch = Running::start(etcd, &["watch", "/w", "-i", &from]);
        for (args, line) in [
            (&["set", "/w/a", "1"][..], "set /w/a 1"),
            (&["mk", "/w/d/b", "two\nlines\u{1b} \\"], "create /w/d/b two\\nlines\\x1b \\\\"),
            (&["update", "/w/a", "3"], "update /w/a 3"),
            (&["cas", "-p", "3", "/w/a", "4"], "compareAndSwap /w/a 4"),
            (&["rm", "/w/a"], "delete /w/a"),
            (&["mkdir", "/w/e"], "create /w/e"),
            (&["rm", "-r", "/w"], "delete /w"),
        ] {
            ok(etcd, args);
            // The next write follows only when the line is there: it is not held back.
            assert_eq!(watch.line().await, line);
        }
        let child = watch.child.id().unwrap();
        crate::signal::send(child, rustix::process::Signal::TERM);
        assert_eq!(watch.code().await, Some(143));
    })
    .await;
}

#[tokio::test]
async fn in_json_each_item_is_one_document_a_line() {
    each_server(Needs::members(1), async |etcd| {
        let from = next_index(etcd);
        let mut watch = Running::start(etcd, &["watch", "-r", "-f", "-w", "json", "--index", &from, "/j"]);
        for value in ["1", "two\nlines"] {
            ok(etcd, &["set", "/j/a", value]);
            let event: serde_json::Value = serde_json::from_str(&watch.line().await).unwrap();
            assert_eq!((&event["action"], &event["node"]["value"]), (&"set".into(), &value.into()));
        }
        let first: u64 = from.parse().unwrap();
        let after = (first - 1).to_string();
        let once =
            Running::start(etcd, &["watch", "/j", "--after-index", &after, "--once", "-w", "extended"]);
        let mut once = once;
        assert_eq!(once.line().await, "[set] /j/a");
        assert_eq!(once.line().await, "Key: /j/a");
        assert_eq!(once.line().await, format!("Created-Index: {first}"));
        assert_eq!(once.code().await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn exact_is_the_key_alone_and_a_snapshot_comes_first() {
    each_server(Needs::members(1), async |etcd| {
        let from = next_index(etcd);
        ok(etcd, &["set", "/e/a", "1"]);
        ok(etcd, &["mkdir", "/f"]);
        let args = ["watch", "/e", "--exact", "-i", &from];
        let mut exact = Running::start(etcd, &args);
        ok(etcd, &["rm", "-r", "/e"]);
        assert_eq!(exact.line().await, "delete /e");
        ok(etcd, &["set", "/s/a", "1"]);
        let mut snapshot = Running::start(etcd, &["watch", "/s", "--snapshot"]);
        assert!(snapshot.line().await.starts_with("resync /s index "));
        assert_eq!(snapshot.line().await, "get /s/a 1");
        ok(etcd, &["set", "/s/b", "2"]);
        assert_eq!(snapshot.line().await, "set /s/b 2");
    })
    .await;
}

#[tokio::test]
async fn a_program_is_told_each_change_in_etcdctls_variables() {
    each_server(Needs::members(1), async |etcd| {
        let from = next_index(etcd);
        let script = "printf '%s %s [%s] %s\\n' \"$ETCD_WATCH_ACTION\" \"$ETCD_WATCH_KEY\" \"$ETCD_WATCH_VALUE\" \
                      \"$ETCD_WATCH_MODIFIED_INDEX\"; exit 3";
        let args = ["exec-watch", "/x", "-i", &from, "--", "sh", "-c", script];
        let mut watch = Running::start(etcd, &args);
        let index: u64 = from.parse().unwrap();
        ok(etcd, &["set", "/x/y", "6"]);
        assert_eq!(watch.line().await, format!("set /x/y [6] {index}"));
        // What the program ends with does not end the watch.
        ok(etcd, &["rm", "/x/y"]);
        assert_eq!(watch.line().await, format!("delete /x/y [] {}", index + 1));
        let once = ["exec-watch", "/x", "-i", &from, "--once", "--", "false"];
        assert_eq!(Running::start(etcd, &once).code().await, Some(1));
        let once = ["exec-watch", "/x", "-i", &from, "--once", "--", "true"];
        assert_eq!(Running::start(etcd, &once).code().await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn from_now_on_is_from_the_start_of_the_program() {
    each_server(Needs::members(1), async |etcd| {
        ok(etcd, &["set", "/n", "before"]);
        let mut watch = Running::start(etcd, &["watch", "/n"]);
        // Nothing says when it is ready: a write every now and then, until one is heard.
        let mut number = 0;
        let first = loop {
            number += 1;
            ok(etcd, &["set", "/n", &number.to_string()]);
            if let Ok(line) = timeout(Duration::from_millis(100), watch.lines.next_line()).await {
                break line.unwrap().unwrap();
            }
        };
        let first: u32 = first.strip_prefix("set /n ").unwrap().parse().unwrap();
        for later in first + 1..=number {
            assert_eq!(watch.line().await, format!("set /n {later}"));
        }
    })
    .await;
}

#[tokio::test]
async fn as_etcd_test_a_watch_prints_what_that_one_did() {
    let directory = tempfile::tempdir().unwrap();
    let path = crate::program::named(directory.path(), "etcd-test");
    each_server(Needs::members(1), async |etcd| {
        let from = next_index(etcd);
        let mut command = tokio::process::Command::new(&path);
        let endpoints = etcd.endpoints().join(",");
        command.args(["watch", "-s", &endpoints, "-i", &from, "/t"]);
        let mut watch = Running::of(command);
        let index: u64 = from.parse().unwrap();
        ok(etcd, &["set", "/t/a", "1"]);
        assert_eq!(watch.line().await, format!("index is {index}"));
        assert_eq!(watch.line().await, "key /t/a was set to 1");
        ok(etcd, &["rm", "/t/a"]);
        assert_eq!(watch.line().await, format!("index is {}", index + 1));
        assert_eq!(watch.line().await, "key /t/a was deleted");
    })
    .await;
}
