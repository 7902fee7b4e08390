//! What each call costs, in requests: the figures of `docs/locks-and-leaders.md`.

use std::sync::Arc;

use etcd_leader::{TokioClock, TwoStep};
use etcd_testkit::memory::{InProcess, LogEntry};
use http::Method;

use crate::support::{cluster, election, secs, sleep, soon};

/// What was asked since the last time, a word for each.
fn asked(etcd: &InProcess) -> Vec<&'static str> {
    let asked = etcd.log().entries().iter().map(word).collect();
    etcd.log().clear();
    asked
}

fn word(entry: &LogEntry) -> &'static str {
    let query = entry.target.split_once('?').map_or("", |(_, query)| query);
    match entry.method {
        Method::GET if query.contains("wait=true") => "wait",
        Method::GET if query.contains("recursive=true") => "list",
        Method::GET => "read",
        Method::PUT => "put",
        Method::DELETE => "delete",
        _ => "other",
    }
}

#[tokio::test(start_paused = true)]
async fn to_lead_at_once_and_to_resign_takes_three_requests_and_a_renewal_each_third_of_the_ttl() {
    let (etcd, client) = cluster();
    let leading = soon(election(&client).ttl(secs(15)).campaign("me")).await.unwrap();
    assert_eq!(asked(&etcd), ["put", "list"]);
    sleep(61).await;
    assert_eq!(asked(&etcd), ["put"; 12]);
    soon(leading.resign()).await.unwrap();
    assert_eq!(asked(&etcd), ["delete"]);
}

#[tokio::test(start_paused = true)]
async fn to_wait_for_a_turn_takes_four() {
    let (etcd, client) = cluster();
    let leading = soon(election(&client).campaign("first")).await.unwrap();
    asked(&etcd);
    let second = tokio::spawn(election(&client).campaign("second"));
    sleep(1).await;
    assert_eq!(asked(&etcd), ["put", "list", "wait"]);
    soon(leading.resign()).await.unwrap();
    soon(second).await.unwrap().unwrap().check().unwrap();
    assert_eq!(asked(&etcd)[..2], ["delete", "list"]);
}

#[tokio::test(start_paused = true)]
async fn the_calls_by_name_take_a_few() {
    let (etcd, client) = cluster();
    let election = election(&client);
    soon(election.set("a", secs(60))).await.unwrap();
    assert_eq!(asked(&etcd), ["list", "put", "list", "put"]);
    soon(election.set("a", secs(60))).await.unwrap();
    assert_eq!(asked(&etcd), ["list", "list", "put"]);
    soon(election.leader()).await.unwrap();
    assert_eq!(asked(&etcd), ["list"]);
    soon(election.remove("a")).await.unwrap();
    assert_eq!(asked(&etcd), ["list", "list", "delete"]);
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_not_woken_by_renewals() {
    let (etcd, client) = cluster();
    let leading = soon(election(&client).ttl(secs(5)).campaign("me")).await.unwrap();
    let mut leaders = election(&client).observe().unwrap();
    crate::support::next(&mut leaders).await;
    crate::support::nothing_for(&mut leaders, secs(10)).await;
    asked(&etcd);
    crate::support::nothing_for(&mut leaders, secs(20)).await;
    assert!(asked(&etcd).iter().filter(|asked| **asked != "put").count() <= 2);
    leading.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn two_steps_take_four() {
    let (etcd, client) = cluster();
    let candidate = TwoStep::new(&client, "/nsr", "a").clock(Arc::new(TokioClock::new()));
    let leading = soon(candidate.without_skew_probe().campaign()).await.unwrap();
    soon(leading.resign()).await.unwrap();
    assert_eq!(asked(&etcd), ["read", "put", "put", "delete"]);
}
