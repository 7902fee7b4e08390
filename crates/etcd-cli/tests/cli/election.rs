//! Elections: in a queue, and as the old `leader` held them.

use std::path::Path;

use etcd_testkit::Etcd;
use etcd_tests::{Needs, each_server, eventually};
use rustix::process::Signal;
use tokio::process::Command;

use crate::program::{end, named, ok, run};
use crate::running::Running;

#[tokio::test]
async fn a_leader_is_set_asked_for_and_removed_by_name() {
    each_server(Needs::members(1), async |etcd| {
        let get = |election: &str| run(etcd, &["elect", election, "--get"]);
        assert_eq!(get("reports").code, Some(16));
        let token = ok(etcd, &["elect", "reports", "--set", "worker 7", "-t", "60"]);
        assert_eq!(ok(etcd, &["elect", "reports", "--get"]), "worker 7\n");
        // The same again renews it.
        assert_eq!(ok(etcd, &["elect", "reports", "--set", "worker 7", "-t", "60"]), token);
        let json: serde_json::Value =
            serde_json::from_str(&ok(etcd, &["elect", "reports", "--get", "-w", "json"])).unwrap();
        assert_eq!(
            (json["value"].as_str(), json["token"].as_str()),
            (Some("worker 7"), Some(token.trim_end()))
        );
        assert_eq!(ok(etcd, &["elect", "reports", "--remove", "worker 7"]), "");
        let ended = run(etcd, &["elect", "reports", "--remove", "worker 7"]);
        assert!(ended.code == Some(16) && ended.stderr.contains("worker 7"), "{}", ended.stderr);
        assert!(get("reports").stderr.contains("nobody leads reports"));
    })
    .await;
}

#[tokio::test]
async fn a_candidate_leads_in_its_turn_and_resigns_on_a_signal() {
    each_server(Needs::members(1), async |etcd| {
        let mut first = Running::start(etcd, &["elect", "turn", "one"]);
        let token = first.line().await;
        let script = "echo $ETCD_ELECT_KEY $ETCD_ELECT_REV $ETCD_ELECT_TOKEN; exit 7";
        let mut second = Running::start(etcd, &["elect", "turn", "two", "--", "sh", "-c", script]);
        let waits = async || (ok(etcd, &["ls", "/elections/turn"]).lines().count() == 2).then_some(());
        eventually("the second waits", waits).await;
        assert_eq!(ok(etcd, &["elect", "turn", "--get"]), "one\n");
        assert_eq!(first.end(Signal::TERM).await, Some(143));
        let line = second.line().await;
        assert!(line.starts_with("/elections/turn/"), "{line}");
        let number = |token: &str| token.split('@').next().unwrap().parse::<u64>().unwrap();
        assert!(number(line.split(' ').nth(2).unwrap()) > number(&token), "{line}");
        assert_eq!(second.code().await, Some(7));
        assert_eq!(run(etcd, &["elect", "turn", "--get"]).code, Some(16));
    })
    .await;
}

#[tokio::test]
async fn who_leads_no_more_ends_its_program() {
    each_server(Needs::members(1), async |etcd| {
        let args = ["elect", "deposed", "me", "-t", "5", "--", "sh", "-c", "echo $$; exec sleep 100"];
        let mut leading = Running::start(etcd, &args);
        let child = leading.line().await.parse().unwrap();
        ok(etcd, &["elect", "deposed", "--remove", "me"]);
        assert_eq!(leading.code().await, Some(15));
        assert!(!crate::signal::runs(child));
    })
    .await;
}

#[tokio::test]
async fn an_observer_prints_each_leader_at_once() {
    each_server(Needs::members(1), async |etcd| {
        let mut lines = Running::start(etcd, &["elect", "seen", "--observe"]);
        let mut json = Running::start(etcd, &["elect", "seen", "--observe", "-w", "json"]);
        assert_eq!(lines.line().await, "nobody");
        assert_eq!(json.line().await, "{\"leader\":null}");
        for name in ["one", "two\nlines"] {
            let token = ok(etcd, &["elect", "seen", "--set", name, "-t", "60"]);
            let token = token.trim_end();
            assert_eq!(lines.line().await, format!("leader {token} {}", name.replace('\n', "\\n")));
            let document: serde_json::Value = serde_json::from_str(&json.line().await).unwrap();
            assert_eq!(
                (&document["leader"]["value"], &document["leader"]["token"]),
                (&name.into(), &token.into())
            );
            ok(etcd, &["elect", "seen", "--remove", name]);
            assert_eq!(lines.line().await, "nobody");
            assert_eq!(json.line().await, "{\"leader\":null}");
        }
        assert_eq!(lines.end(Signal::INT).await, Some(130));
    })
    .await;
}

/// The old program, by its name.
fn leader(path: &Path, etcd: &dyn Etcd, args: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(path);
    crate::program::clear(&mut command);
    command.env("ETCD_SERVERS", etcd.endpoints().join(",")).args(args);
    command
}

#[tokio::test]
async fn the_old_election_tells_of_the_gain_and_of_the_loss() {
    let directory = tempfile::tempdir().unwrap();
    let path = named(directory.path(), "leader");
    each_server(Needs::members(1), async |etcd| {
        for by_name in [false, true] {
            let key = format!("/old/{by_name}");
            let args = ["-k", &key, "-n", "me", "-f", "-7"];
            let mut me = match by_name {
                true => Running::of(Command::from(leader(&path, etcd, &args))),
                false => Running::start(etcd, &[&["run-for-leader"], &args[..]].concat()),
            };
            assert_eq!(me.line().await, "leader is me");
            assert_eq!(me.line().await, "Bow down before me!");
            assert_eq!(ok(etcd, &["get", &key]), "me,2,-7\n");
            let mut other = Running::start(etcd, &["run-for-leader", "-k", &key, "-n", "other", "-t", "6"]);
            assert_eq!(other.line().await, "leader is me");
            // As a program that does not ask overwrites it.
            ok(etcd, &["set", &key, "third,2,1", "-t", "2"]);
            assert!(me.line().await.starts_with("I lead no more: "));
            assert_eq!(other.line().await, "leader is third");
            assert_eq!(other.line().await, "leader is other");
            assert_eq!(other.line().await, "Bow down before me!");
            assert_eq!(me.end(Signal::INT).await, Some(130));
            assert_eq!(other.end(Signal::TERM).await, Some(143));
            // Resigned: the key is gone with the programs.
            assert_eq!(run(etcd, &["get", &key]).code, Some(3));
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_that_holds_no_vote_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = named(directory.path(), "leader");
    each_server(Needs::members(1), async |etcd| {
        ok(etcd, &["set", "/nsr", "a,b"]);
        for ended in [run(etcd, &["run-for-leader", "-n", "me"]), end(&mut leader(&path, etcd, &["-nme"]))] {
            assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
            assert!(ended.stderr.contains("the key holds no vote: /nsr"), "{}", ended.stderr);
            assert!(ended.stderr.contains("this text has 2"), "{}", ended.stderr);
        }
        assert_eq!(ok(etcd, &["get", "/nsr"]), "a,b\n");
        for args in [&["-t", "5"][..], &["x"], &["-f", "much"]] {
            let ended = end(&mut leader(&path, etcd, args));
            assert!(ended.code == Some(1) && ended.stderr.starts_with("Usage: "), "{}", ended.stderr);
        }
        let help = end(&mut leader(&path, etcd, &["-h"]));
        assert!(help.code == Some(0) && help.stderr.contains("nodename"), "{}", help.stderr);
    })
    .await;
}
