//! Rules of the state machine that show only under one certain trouble.

use std::time::Duration;

use etcd_client::v2::{Index, WatchItem, WatchState};
use etcd_testkit::memory::{Change, Fault, Rule};
use tokio::time::{Instant, sleep, timeout};

use futures_util::StreamExt as _;

use crate::support::{Consumer, cluster, next, nothing_for};

#[tokio::test(start_paused = true)]
async fn a_stream_at_a_member_that_is_cut_off_is_given_up_for_another_members() {
    let (etcd, client) = cluster();
    let mut watch = client.watch("/d").recursive(true).with_snapshot(true).start();
    next(&mut watch).await;
    assert_eq!(watch.state(), WatchState::Live);
    let streams = |entry: &etcd_testkit::memory::LogEntry| entry.target.contains("stream=true");
    let member = etcd.log().entries().into_iter().rfind(streams).unwrap().member;
    etcd.faults().apply(Change::Lag { member, lasts: Duration::from_secs(3_600) }).unwrap();
    let writer = tokio::spawn(async move {
        for round in 0..3_000 {
            client.set("/d/a", format!("{round}")).await.unwrap();
            sleep(Duration::from_millis(1)).await;
        }
    });
    let mut consumer = Consumer::new("/d");
    let begun = Instant::now();
    while consumer.events.len() < 3_000 && consumer.losses == 0 {
        let item = timeout(Duration::from_secs(30), watch.next()).await.unwrap();
        consumer.take(&item.unwrap().unwrap());
    }
    writer.await.unwrap();
    assert_eq!((consumer.events.len(), consumer.losses), (3_000, 0));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_head_may_take_as_long_as_the_caller_says() {
    let (etcd, client) = cluster();
    let set = client.set("/a", "1").await.unwrap();
    etcd.faults().add(Rule::new(Fault::DelayAnswer(Duration::from_secs(12))).watches());
    let mut watch = client.watch("/a").from(set.index()).attempt_timeout(Duration::from_secs(20)).start();
    let begun = Instant::now();
    assert_eq!(next(&mut watch).await.index(), set.index());
    assert_eq!(begun.elapsed().as_secs(), 12);
}

#[tokio::test(start_paused = true)]
async fn only_time_without_any_answer_ends_a_watch_that_reconnects_for_so_long() {
    let (etcd, client) = cluster();
    let members = |change: fn(usize) -> Change| {
        (0..3).for_each(|member| etcd.faults().apply(change(member)).unwrap());
    };
    let set = client.set("/a", "1").await.unwrap();
    let limit = Duration::from_secs(60);
    let mut watch = client.watch("/a").after(set.index()).reconnect_for(limit).start();
    // Cut again and again, and silent in between: each time a member has answered.
    for _ in 0..10 {
        nothing_for(&mut watch, Duration::from_secs(20)).await;
        members(Change::Kill);
        nothing_for(&mut watch, Duration::from_secs(1)).await;
        members(Change::Restart);
    }
    nothing_for(&mut watch, Duration::from_secs(20)).await;
    members(Change::Kill);
    let begun = Instant::now();
    let error = timeout(limit * 3, watch.next()).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    assert!((60..=71).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn odd_answers_far_apart_do_not_end_a_quiet_watch() {
    let (etcd, client) = cluster();
    let set = client.set("/a", "1").await.unwrap();
    let mut watch = client.watch("/a").after(set.index()).start();
    for _ in 0..12 {
        nothing_for(&mut watch, Duration::from_secs(50)).await;
        // A page of a proxy to the next poll at whichever member.
        etcd.faults().clear();
        for member in 0..3 {
            etcd.faults().add(Rule::new(Fault::Html(http::StatusCode::OK)).watches().member(member).first(1));
        }
    }
    client.set("/a", "2").await.unwrap();
    assert_eq!(next(&mut watch).await.event().unwrap().node.text(), "2");
}

#[tokio::test(start_paused = true)]
async fn the_position_of_a_watch_that_begins_by_a_snapshot_is_nothing_before_it() {
    let (_etcd, client) = cluster();
    let watch = client.watch("/a").from(7).with_snapshot(true).start();
    assert_eq!(watch.position().next(), Index::NONE);
    let mut watch = client.watch("/a").from(7).start();
    assert_eq!(watch.position().next().get(), 7);
    let _ = timeout(Duration::from_secs(1), watch.next()).await;
    let mut watch = client.watch("/a").with_snapshot(true).start();
    let item = next(&mut watch).await;
    assert!(matches!(item, WatchItem::Resync { .. }));
    assert_eq!(watch.position().next(), item.index().next());
}
