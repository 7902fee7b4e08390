//! Rules of the state machine that show only under one certain trouble.

use std::time::Duration;

use etcd_client::v2::{Index, Key, OnHistoryLost, Position, Tree, WatchItem, WatchState};
use etcd_testkit::memory::{Change, Fault, InProcess, Rule};
use tokio::time::{Instant, sleep, timeout};

use futures_util::StreamExt as _;

use crate::double::{Once, between};
use crate::support::{Consumer, cluster, next, nothing_for, values};

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

#[tokio::test(start_paused = true)]
async fn where_a_loss_is_to_be_an_error_a_tree_is_not_read_for_it() {
    let (etcd, client) = cluster();
    let first = client.set("/d/a", "1").await.unwrap();
    client.set("/d/a", "2").await.unwrap();
    etcd.faults().apply(Change::ClearHistory).unwrap();
    etcd.log().clear();
    let watch = client.watch("/d").recursive(true).from(first.index());
    let mut watch = watch.on_history_lost(OnHistoryLost::Fail).start();
    assert!(watch.next().await.unwrap().unwrap_err().is_event_index_cleared());
    let entries = etcd.log().entries();
    assert!(entries.iter().all(|entry| entry.target.contains("wait=true")), "{entries:?}");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_directory_on_a_busy_store_is_resynced_and_a_tree_shows_that_nothing_changed() {
    let (_etcd, client) = cluster();
    client.set("/quiet/a", "1").await.unwrap();
    let mut watch = client.watch("/quiet").recursive(true).with_snapshot(true).start();
    let mut tree = Tree::new(Key::new("/quiet").unwrap());
    assert_eq!(tree.apply(&next(&mut watch).await).len(), 2);
    nothing_for(&mut watch, Duration::from_secs(5)).await;
    for other in 0..1_100 {
        client.set(format!("/busy/{}", other % 7), "x").await.unwrap();
    }
    let begun = Instant::now();
    let item = next(&mut watch).await;
    // Not before the poll is renewed: as long as one is open, it loses nothing however far behind its index is.
    assert!((25..=45).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(item.is_loss());
    assert_eq!(tree.apply(&item), []);
    client.set("/quiet/a", "2").await.unwrap();
    assert_eq!(next(&mut watch).await.event().unwrap().node.text(), "2");
}

#[tokio::test(start_paused = true)]
async fn a_write_below_it_now_and_then_keeps_a_directory_inside_the_history() {
    let (_etcd, client) = cluster();
    let mut watch = client.watch("/quiet").recursive(true).with_snapshot(true).start();
    next(&mut watch).await;
    for _ in 0..3 {
        for other in 0..500 {
            client.set(format!("/busy/{}", other % 7), "x").await.unwrap();
        }
        client.set("/quiet/beat", "x").await.unwrap();
        assert!(next(&mut watch).await.event().is_some());
        nothing_for(&mut watch, Duration::from_secs(50)).await;
    }
}

/// The targets of all polls and streams so far.
fn watches(etcd: &InProcess) -> Vec<String> {
    let targets = etcd.log().entries().into_iter().map(|entry| entry.target);
    targets.filter(|target| target.contains("wait=true")).collect()
}

#[tokio::test(start_paused = true)]
async fn by_polls_only_no_stream_is_opened_whatever_happens() {
    let (etcd, client) = cluster();
    let first = client.set("/d/a", "0").await.unwrap();
    for round in 1..50 {
        client.set("/d/a", format!("{round}")).await.unwrap();
    }
    let watch = client.watch("/d").recursive(true).polls_only(true);
    let mut watches_now = [watch.clone().from(first.index()).start(), watch.with_snapshot(true).start()];
    values(&mut watches_now[0], 50).await;
    next(&mut watches_now[1]).await;
    etcd.faults().apply(Change::ClearHistory).unwrap();
    client.set("/d/a", "last").await.unwrap();
    for watch in &mut watches_now {
        next(watch).await;
        nothing_for(watch, Duration::from_secs(50)).await;
    }
    let targets = watches(&etcd);
    assert!(targets.iter().all(|target| !target.contains("stream")), "{targets:?}");
}

#[tokio::test(start_paused = true)]
async fn one_event_is_waited_for_by_polls_alone() {
    let (etcd, client) = cluster();
    let first = client.set("/d/_hidden", "0").await.unwrap();
    for round in 1..20 {
        client.set("/d/_hidden", format!("{round}")).await.unwrap();
    }
    client.set("/d/a", "1").await.unwrap();
    let watch = client.watch("/d").recursive(true);
    let event = watch.clone().from(first.index()).next_event().await.unwrap();
    assert_eq!(event.node.text(), "1");
    let (event, _) = tokio::join!(watch.next_event(), async {
        sleep(Duration::from_secs(100)).await;
        client.set("/d/a", "2").await.unwrap()
    });
    assert_eq!(event.unwrap().node.text(), "2");
    let targets = watches(&etcd);
    assert!(targets.iter().all(|target| !target.contains("stream")), "{targets:?}");
    // 20 of the history and what came of it; one, and its renewals.
    assert!(targets.len() <= 21 + 1 + 3, "{targets:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_without_a_cluster_id_is_not_asked_for_streams_in_a_burst() {
    let (etcd, writer) = cluster();
    let client = between(&etcd, async |_, answer| {
        answer.map(|mut answer| {
            answer.header.cluster_id = None;
            answer
        })
    });
    let first = writer.set("/d/a", "0").await.unwrap();
    for round in 1..50 {
        writer.set("/d/a", format!("{round}")).await.unwrap();
    }
    let mut watch = client.watch("/d").recursive(true).from(first.index()).start();
    values(&mut watch, 50).await;
    assert!(watches(&etcd).iter().all(|target| !target.contains("stream")));
}

#[tokio::test(start_paused = true)]
async fn by_polls_only_a_head_may_come_with_the_event_and_is_asked_for_once() {
    let (etcd, client) = cluster();
    let set = client.set("/a", "1").await.unwrap();
    etcd.log().clear();
    etcd.faults().add(Rule::new(Fault::DelayAnswer(Duration::from_secs(25))).watches().first(1));
    let begun = Instant::now();
    let mut watch = client.watch("/a").from(set.index()).polls_only(true).start();
    next(&mut watch).await;
    // And the one behind it.
    assert_eq!((begun.elapsed().as_secs(), watches(&etcd).len()), (25, 2));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_is_given_up_after_ten_seconds_whatever_the_service() {
    let (etcd, writer) = cluster();
    let hang = Once::default();
    let hangs = hang.clone();
    let client = between(&etcd, move |_, answer| {
        let hangs = hangs.take();
        async move { if hangs { std::future::pending().await } else { answer } }
    });
    let set = writer.set("/a", "1").await.unwrap();
    hang.set();
    let begun = Instant::now();
    let mut watch = client.watch("/a").from(set.index()).start();
    next(&mut watch).await;
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_position_belongs_to_its_cluster_and_one_of_a_watch_that_had_not_begun_is_from_now_on() {
    let (etcd, client) = cluster();
    let set = client.set("/a", "1").await.unwrap();
    let mut watch = client.watch("/a").after(set.index()).start();
    nothing_for(&mut watch, Duration::from_secs(1)).await;
    let position: Position = watch.position().to_string().parse().unwrap();
    assert_eq!(position, watch.position());
    etcd.faults().apply(Change::ClusterId(7)).unwrap();
    let other = etcd_tests::Wire::client(&etcd);
    let error = other.watch("/a").resume(&position).start().next().await.unwrap().unwrap_err();
    assert!(error.is_cluster_changed(), "{error:?}");
    // By letters of the other case it is the same.
    let shouted: Position = format!("{}@{:X}", position.next().get(), 7).parse().unwrap();
    let mut watch = other.watch("/a").resume(&shouted).start();
    nothing_for(&mut watch, Duration::from_secs(1)).await;
    let mut watch = other.watch("/a").resume(&"0".parse().unwrap()).start();
    nothing_for(&mut watch, Duration::from_secs(3)).await;
    other.set("/a", "2").await.unwrap();
    assert_eq!(next(&mut watch).await.event().unwrap().node.text(), "2");
}

#[tokio::test(start_paused = true)]
async fn no_index_is_bad_input_and_never_the_beginning_of_all() {
    let (etcd, client) = cluster();
    for watch in [client.watch("/a").after(Index::NONE), client.watch("/a").from(Index::NONE)] {
        let error = watch.start().next().await.unwrap().unwrap_err();
        assert!(error.is_invalid_index(), "{error:?}");
    }
    assert_eq!(etcd.log().count(), 0);
}
