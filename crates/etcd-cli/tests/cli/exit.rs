//! What a script can tell apart: one exit code for each sort of end, on a server that goes wrong on purpose.

use std::time::Duration;

use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{Change, Fault, MemoryEtcd, Rule};
use etcd_tests::{Needs, Peer, Refused, each_server};
use http::{Method, StatusCode};

use crate::program::{end, of, ok, program, run};

async fn memory() -> MemoryEtcd {
    MemoryEtcd::builder().start().await.unwrap()
}

#[tokio::test]
async fn refusals_of_etcd_have_codes_of_their_own() {
    each_server(Needs::members(1), async |etcd| {
        ok(etcd, &["set", "/a", "1"]);
        ok(etcd, &["set", "/d/a", "1"]);
        for (args, code) in [
            (&["get", "/none"][..], 3),
            (&["set", "/a", "2", "-p", "x"], 4),
            (&["mk", "/a", "2"], 5),
            (&["set", "/d", "2"], 10),
            (&["set", "/a/b", "2"], 10),
            (&["rmdir", "/d"], 10),
            (&["rm", "-r", "/"], 10),
            (&["user", "get", "nobody"], 3),
            (&["role", "remove", "nobody"], 3),
            (&["members", "remove", "1234"], 3),
        ] {
            let ended = run(etcd, args);
            assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.stderr);
            assert_eq!(ended.stdout, "", "{args:?}");
            assert!(ended.stderr.starts_with("error: "), "{args:?}: {}", ended.stderr);
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_and_nothing_was_written() {
    let dead = Refused::new();
    let ended = end(program().args(["-s", &dead.endpoint(), "set", "/a", "1"]));
    assert_eq!(ended.code, Some(7), "{}", ended.stderr);
    assert!(ended.stderr.contains(&dead.endpoint()) && ended.stderr.contains("refused"), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("  nothing was written\n"), "{}", ended.stderr);
    let read = end(program().args(["-s", &dead.endpoint(), "get", "/a"]));
    assert!(read.code == Some(7) && !read.stderr.contains("written"), "{}", read.stderr);
}

#[tokio::test]
async fn a_lock_and_an_election_of_nobody_that_answers_end_all_the_same() {
    let dead = Refused::new();
    for args in [
        &["lock", "a", "--holder"][..],
        &["lock", "a", "-i", "5", "-t", "5"],
        &["unlock", "a", "-i", "5"],
        &["lock", "a", "-t", "5"],
        &["lock", "a", "-t", "5", "--", "true"],
        &["elect", "a", "me", "-t", "5"],
        &["elect", "a", "--get"],
        &["elect", "a", "--remove", "me"],
    ] {
        let ended = end(program().args(["-s", &dead.endpoint()]).args(args));
        assert_eq!((ended.code, &*ended.stdout), (Some(7), ""), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(&dead.endpoint()), "{args:?}: {}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_without_an_answer_is_unknown_and_says_so() {
    let etcd = memory().await;
    for fault in [Fault::DropAnswer, Fault::ResetBeforeHead, Fault::Hang] {
        etcd.faults().add(Rule::new(fault.clone()).method(Method::PUT));
        let ended = end(of(&etcd).args(["set", "/a", "1", "--timeout", "1", "--total-timeout", "2"]));
        assert_eq!(ended.code, Some(8), "{fault:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("the write may have happened"), "{fault:?}: {}", ended.stderr);
        etcd.faults().clear();
    }
    // One write each: nothing was sent twice.
    let puts = etcd.log().entries().into_iter().filter(|entry| entry.method == Method::PUT).count();
    assert_eq!(puts, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_cut_has_happened() {
    let etcd = memory().await;
    etcd.faults().add(Rule::new(Fault::CutBody(5)).method(Method::PUT));
    let ended = run(&etcd, &["set", "/a", "1"]);
    assert_eq!(ended.code, Some(12), "{}", ended.stderr);
    assert!(ended.stderr.contains("the write has happened"), "{}", ended.stderr);
    etcd.faults().clear();
    assert_eq!(ok(&etcd, &["get", "/a"]), "1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_without_an_answer_is_not_in_time() {
    let etcd = memory().await;
    etcd.faults().add(Rule::new(Fault::Hang));
    let ended = end(of(&etcd).args(["get", "/a", "--timeout", "300ms", "--total-timeout", "1s"]));
    assert_eq!(ended.code, Some(9), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_etcd_is_told_from_one_with_v2_off() {
    let etcd = memory().await;
    etcd.faults().add(Rule::new(Fault::Html(StatusCode::OK)));
    let ended = run(&etcd, &["get", "/a"]);
    assert_eq!(ended.code, Some(11), "{}", ended.stderr);
    let off = Peer::with_body("404 Not Found", "text/plain; charset=utf-8", "404 page not found\n").await;
    let ended = end(program().args(["-s", &off.endpoint(), "get", "/a"]));
    assert!(ended.code == Some(11) && ended.stderr.contains("--enable-v2"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_down_makes_the_cluster_unwell() {
    let etcd = MemoryEtcd::builder().members(3).start().await.unwrap();
    // One server is enough to find them all.
    let one = &etcd.endpoints()[0];
    let health = end(program().args(["-s", one, "cluster-health"]));
    assert!(health.stdout.matches(" is healthy: ").count() == 3, "{}{}", health.stdout, health.stderr);
    assert!(health.stdout.ends_with("cluster is healthy\n"));
    etcd.kill(2).await.unwrap();
    let ended = run(&etcd, &["cluster-health"]);
    assert_eq!(ended.code, Some(13), "{}", ended.stderr);
    assert!(ended.stdout.contains(" is unreachable: "), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("cluster is degraded\n"), "{}", ended.stdout);
    let json: serde_json::Value =
        serde_json::from_str(&run(&etcd, &["cluster-health", "-w", "json"]).stdout).unwrap();
    assert_eq!(json["cluster"], "degraded");
    assert_eq!(
        json["members"].as_array().unwrap().iter().filter(|member| member["healthy"] == true).count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_lost_end_a_watch_that_wants_all() {
    let etcd = memory().await;
    ok(&etcd, &["set", "/a", "1"]);
    ok(&etcd, &["set", "/a", "2"]);
    etcd.faults().apply(Change::ClearHistory).unwrap();
    let ended = run(&etcd, &["watch", "/", "-i", "1", "--fail-on-loss"]);
    assert_eq!(ended.code, Some(14), "{}", ended.stderr);
    // Without it: what is stored now.
    let resync = ok(&etcd, &["watch", "/", "-i", "1", "--once"]);
    let lines: Vec<_> = resync.lines().collect();
    assert!(lines[0].starts_with("resync / index "), "{resync}");
    assert_eq!(lines[1..], ["get /a 2"]);
    let json: serde_json::Value =
        serde_json::from_str(&ok(&etcd, &["watch", "/", "-i", "1", "--once", "-w", "json"])).unwrap();
    assert_eq!(json["resync"]["node"]["nodes"][0]["value"], "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_write_says_that_it_may_have_happened() {
    let etcd = memory().await;
    etcd.faults().add(Rule::new(Fault::Hang).method(Method::PUT));
    let mut command = of(&etcd);
    command.args(["set", "/a", "1"]).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    etcd_tests::eventually("the write is on its way", async || {
        etcd.log().entries().iter().any(|entry| entry.method == Method::PUT).then_some(())
    })
    .await;
    crate::signal::send(child.id(), rustix::process::Signal::INT);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("may have happened"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_is_no_trouble() {
    let etcd = memory().await;
    ok(&etcd, &["set", "/big", &"x".repeat(100_000)]);
    let mut command = of(&etcd);
    command.args(["get", "/big"]).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(141), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds() {
    let etcd = memory().await;
    etcd.faults().add(Rule::new(Fault::Delay(Duration::from_secs(600))));
    // It ends at all, long before the default limits.
    let ended = end(of(&etcd).args(["--total-timeout=200ms", "get", "/a"]));
    assert_eq!(ended.code, Some(9), "{}", ended.stderr);
}
