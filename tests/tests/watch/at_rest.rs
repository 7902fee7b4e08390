//! A watch to which little happens.

use std::time::Duration;

use etcd_client::v2::{Position, WatchState};
use etcd_testkit::memory::{Fault, Rule};
use tokio::time::Instant;

use crate::support::{cluster, next, nothing_for, values, watchers};

#[tokio::test(start_paused = true)]
async fn a_quiet_poll_is_renewed_within_45_seconds_at_the_next_member_and_not_before_30() {
    let (etcd, client) = cluster();
    let set = client.set("/a", "1").await.unwrap();
    let mut watch = client.watch("/a").after(set.index()).start();
    nothing_for(&mut watch, Duration::from_secs(1)).await;
    assert_eq!(watch.state(), WatchState::Idle);
    etcd.log().clear();
    nothing_for(&mut watch, Duration::from_secs(28)).await;
    assert_eq!(etcd.log().count(), 0, "renewed too early");
    nothing_for(&mut watch, Duration::from_secs(120)).await;
    let polls = etcd.log().entries();
    assert!((3..=5).contains(&polls.len()), "{polls:?}");
    for (one, two) in polls.iter().zip(&polls[1..]) {
        assert_ne!(one.member, two.member, "{polls:?}");
        assert!(one.target.contains(&format!("waitIndex={}", set.index().get() + 1)), "{polls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_left_within_45_seconds() {
    let (etcd, client) = cluster();
    let set = client.set("/a", "1").await.unwrap();
    let mut watch = client.watch("/a").after(set.index()).start();
    nothing_for(&mut watch, Duration::from_secs(1)).await;
    let member = etcd.log().entries().last().unwrap().member;
    // Its connections stay open and bring nothing any more.
    etcd.faults()
        .apply(etcd_testkit::memory::Change::Lag { member, lasts: Duration::from_secs(3_600) })
        .unwrap();
    let begun = Instant::now();
    etcd.faults().add(Rule::new(Fault::Hang).watches().member(member));
    client.set("/a", "2").await.unwrap();
    let item = next(&mut watch).await;
    assert_eq!(item.event().unwrap().node.text(), "2");
    assert!(begun.elapsed() <= Duration::from_secs(46), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn after_a_burst_a_watch_is_one_poll_again() {
    let (etcd, client) = cluster();
    let mut watch = client.watch("/d").recursive(true).with_snapshot(true).start();
    next(&mut watch).await;
    for round in 0..20 {
        client.set(format!("/d/{round}"), "x").await.unwrap();
        next(&mut watch).await;
    }
    nothing_for(&mut watch, Duration::from_secs(5)).await;
    assert_eq!(watch.state(), WatchState::Idle);
    assert_eq!(watchers(&etcd).await, 1, "one poll at rest");
    drop(watch);
    assert_eq!(watchers(&etcd).await, 0, "nothing is left behind");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_before_the_first_poll_and_nothing_without_polls() {
    let (etcd, client) = cluster();
    let watch = client.watch("/a").start();
    assert_eq!((watch.state(), watch.position().next().get()), (WatchState::Starting, 0));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(etcd.log().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_position_is_behind_what_was_delivered_and_another_watch_goes_on_there() {
    let (_etcd, client) = cluster();
    let mut watch = client.watch("/d").recursive(true).with_snapshot(true).start();
    next(&mut watch).await;
    let mut written = Vec::new();
    for round in 0..10 {
        written.push(client.set(format!("/d/{round}"), "x").await.unwrap().index());
    }
    for index in &written[..4] {
        let item = next(&mut watch).await;
        assert_eq!(item.index(), *index);
    }
    let stored = watch.position().to_string();
    drop(watch);
    let position: Position = stored.parse().unwrap();
    assert_eq!(position.next(), written[3].next());
    assert!(position.cluster_id().is_some());
    let mut watch = client.watch("/d").recursive(true).resume(&position).start();
    for index in &written[4..] {
        assert_eq!(next(&mut watch).await.index(), *index);
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_answers_503_for_minutes_does_not_end_a_watch() {
    let (etcd, client) = cluster();
    let set = client.set("/a", "1").await.unwrap();
    etcd.faults().add(Rule::new(Fault::Unavailable).watches());
    let mut watch = client.watch("/a").after(set.index()).start();
    nothing_for(&mut watch, Duration::from_secs(600)).await;
    etcd.faults().clear();
    client.set("/a", "2").await.unwrap();
    assert_eq!(values(&mut watch, 1).await, ["2"]);
}
