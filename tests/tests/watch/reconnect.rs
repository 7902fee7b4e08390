//! Connections that are lost, and what is asked then, and when.

use std::time::Duration;

use etcd_client::v2::{WatchItem, WatchState, WatchStream};
use etcd_testkit::memory::{Change, Fault, InProcess, LogEntry, Rule};
use tokio::time::Instant;

use crate::support::{cluster, next, nothing_for};

fn kill_all(etcd: &InProcess) {
    (0..3).for_each(|member| etcd.faults().apply(Change::Kill(member)).unwrap());
}

fn restart_all(etcd: &InProcess) {
    (0..3).for_each(|member| etcd.faults().apply(Change::Restart(member)).unwrap());
}

/// A watch of `/a` that waits by one poll.
async fn idle() -> (InProcess, etcd_client::v2::Client, WatchStream) {
    let (etcd, client) = cluster();
    let set = client.set("/a", "1").await.unwrap();
    let mut watch = client.watch("/a").after(set.index()).start();
    nothing_for(&mut watch, Duration::from_secs(1)).await;
    etcd.log().clear();
    (etcd, client, watch)
}

fn polls(etcd: &InProcess) -> Vec<LogEntry> {
    etcd.log().entries().into_iter().filter(|entry| entry.target.contains("wait=true")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_is_cut_is_made_again_at_once_at_the_next_member() {
    let (etcd, client, mut watch) = idle().await;
    for round in 0..3 {
        etcd.log().clear();
        let begun = Instant::now();
        etcd.faults().add(Rule::new(Fault::ResetAfterHead).watches().first(1));
        client.set("/a", format!("{round}")).await.unwrap();
        next(&mut watch).await;
        // The poll behind that event is cut, and the one behind that is good.
        nothing_for(&mut watch, Duration::from_millis(1)).await;
        let polls = polls(&etcd);
        assert_eq!(polls.len(), 2, "{polls:?}");
        assert_ne!(polls[0].member, polls[1].member);
        assert!(begun.elapsed() < Duration::from_millis(20), "{:?}", begun.elapsed());
        etcd.faults().clear();
        nothing_for(&mut watch, Duration::from_secs(2)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn members_that_answer_and_cut_at_once_are_asked_with_pauses() {
    let (etcd, client, mut watch) = idle().await;
    etcd.faults().add(Rule::new(Fault::ResetAfterHead).watches());
    client.set("/a", "2").await.unwrap();
    next(&mut watch).await;
    nothing_for(&mut watch, Duration::from_secs(20)).await;
    // Half a second on average, after some shorter ones.
    let polls = polls(&etcd).len();
    assert!((20..=100).contains(&polls), "{polls} polls in 20 s");
    etcd.faults().clear();
    client.set("/a", "3").await.unwrap();
    assert_eq!(next(&mut watch).await.event().unwrap().node.text(), "3");
}

#[tokio::test(start_paused = true)]
async fn a_watch_without_a_connection_says_so_and_one_that_has_not_begun_begins_later() {
    let (etcd, client) = cluster();
    kill_all(&etcd);
    let mut fresh = client.watch("/a").start();
    let mut snapshot = client.watch("/a").with_snapshot(true).start();
    for watch in [&mut fresh, &mut snapshot] {
        nothing_for(watch, Duration::from_secs(30)).await;
        assert_eq!(watch.state(), WatchState::Reconnecting);
    }
    restart_all(&etcd);
    assert!(matches!(next(&mut snapshot).await, WatchItem::Resync { .. }));
    nothing_for(&mut fresh, Duration::from_secs(30)).await;
    assert_eq!(fresh.state(), WatchState::Idle);
    client.set("/a", "1").await.unwrap();
    for watch in [&mut fresh, &mut snapshot] {
        assert_eq!(next(watch).await.event().unwrap().node.text(), "1");
    }
}

#[tokio::test(start_paused = true)]
async fn with_zero_time_to_reconnect_the_first_failure_is_the_end() {
    let (etcd, client) = cluster();
    let set = client.set("/a", "1").await.unwrap();
    let mut watch = client.watch("/a").after(set.index()).reconnect_for(Duration::ZERO).start();
    nothing_for(&mut watch, Duration::from_secs(5)).await;
    kill_all(&etcd);
    let begun = Instant::now();
    let error = futures_util::StreamExt::next(&mut watch).await.unwrap().unwrap_err();
    assert!(error.is_body_interrupted(), "{error:?}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
