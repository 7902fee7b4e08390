//! Servers whose clocks differ.

use std::sync::Arc;

use etcd_client::v2::Client;
use etcd_recipe::{Queue, SkewProbe, TokioClock};
use etcd_testkit::memory::{Change, Fault, InProcess, Rule};

use crate::support::{cluster, secs, sleep, soon, word};

fn queue(client: &Client, probe: &SkewProbe) -> Queue {
    Queue::new(client, "/locks/a").ttl(secs(20)).clock(Arc::new(TokioClock::new())).skew_probe(probe)
}

/// How often the leader was looked for.
fn looks(etcd: &InProcess) -> usize {
    etcd.log().entries().iter().filter(|entry| entry.path().contains("members")).count()
}

#[tokio::test(start_paused = true)]
async fn clocks_that_agree_are_looked_at_once_in_a_term() {
    let (etcd, client) = cluster();
    let probe = SkewProbe::new();
    assert!(probe.report().is_none());
    for _ in 0..3 {
        let held = soon(queue(&client, &probe).acquire()).await.unwrap();
        soon(held.release()).await.unwrap();
    }
    let report = probe.report().unwrap();
    assert_eq!(report.seconds, Some(0));
    let words: Vec<_> = etcd.log().entries().iter().map(word).collect();
    // The look is two reads: who leads, and the own key there.
    let first = ["put", "list", "read", "read", "delete"];
    assert_eq!(words, [&first[..], &["put", "list", "delete"], &["put", "list", "delete"]].concat());
    // Another leader is another look, also in the middle of a holding.
    let held = soon(queue(&client, &probe).acquire()).await.unwrap();
    etcd.faults().apply(Change::NoLeader(secs(1))).unwrap();
    sleep(40).await;
    assert_eq!(looks(&etcd), 2);
    assert!(probe.report().unwrap().term > report.term);
    held.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_that_ends_early_is_believed_in_for_as_long_as_the_leader_shows() {
    let (etcd, client) = cluster();
    let probe = SkewProbe::new();
    // As if the member that took the write were 5 s behind the leader.
    let jump = Fault::Change(Change::ClockForward(secs(5)));
    etcd.faults().add(Rule::new(jump).path_prefix("/v2/members").first(1));
    let held = soon(queue(&client, &probe).acquire()).await.unwrap();
    // Shown are 15 s, of which one may be gone, and the margin is 2 s.
    assert!(held.remaining() <= secs(12), "{:?}", held.remaining());
    assert!(held.remaining() >= secs(11), "{:?}", held.remaining());
    assert!(probe.report().unwrap().seconds.is_some_and(|seconds| (-7..=-5).contains(&seconds)));
    // From then on it is renewed through the leader, where nothing is short.
    sleep(8).await;
    assert!(held.remaining() >= secs(15), "{:?}", held.remaining());
    let renewal = etcd.log().entries().into_iter().rfind(|entry| word(entry) == "put").unwrap();
    assert_eq!(renewal.member, 0, "the leader");
}

#[tokio::test(start_paused = true)]
async fn where_the_leader_is_not_to_be_had_it_goes_on_without() {
    for fault in [Fault::Unavailable, Fault::Hang, Fault::Refuse] {
        let (etcd, client) = cluster();
        let probe = SkewProbe::new();
        etcd.faults().add(Rule::new(fault.clone()).path_prefix("/v2/members"));
        let held = soon(queue(&client, &probe).acquire()).await.unwrap();
        held.check().unwrap();
        assert_eq!(probe.report().unwrap().seconds, None, "{fault:?}");
    }
    // And where the client does not even know of endpoints.
    let (etcd, _) = cluster();
    let client = Client::from_service(etcd.operation_service());
    let probe = SkewProbe::new();
    soon(queue(&client, &probe).acquire()).await.unwrap().check().unwrap();
    assert_eq!(probe.report().unwrap().seconds, None);
    assert_eq!(looks(&etcd), 0);
}

#[tokio::test(start_paused = true)]
async fn a_second_look_sees_the_same_difference_as_the_first() {
    let (etcd, client) = cluster();
    let probe = SkewProbe::new();
    // As if the member that took the write were 5 s behind each leader.
    for nth in 1..=2 {
        let jump = Fault::Change(Change::ClockForward(secs(5)));
        etcd.faults().add(Rule::new(jump).path_prefix("/v2/members").nth(nth));
    }
    let held = soon(queue(&client, &probe).acquire()).await.unwrap();
    let first = probe.report().unwrap();
    assert!(first.seconds.is_some_and(|seconds| (-7..=-5).contains(&seconds)), "{first:?}");
    // Behind the renewal that follows. In the next term the belief is short already, by what is known of the last one.
    sleep(1).await;
    etcd.faults().apply(Change::NoLeader(secs(1))).unwrap();
    sleep(12).await;
    let second = probe.report().unwrap();
    assert!(second.term > first.term, "{second:?}");
    assert!(second.seconds.is_some_and(|seconds| (-7..=-5).contains(&seconds)), "{second:?}");
    held.check().unwrap();
}
