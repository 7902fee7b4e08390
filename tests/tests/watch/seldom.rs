//! Consumers that look seldom, and stores that are busier than the history is long.

use std::time::Duration;

use etcd_client::v2::{OnHistoryLost, ResyncCause, WatchItem, WatchState};
use etcd_testkit::memory::Change;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::{sleep, timeout};

use crate::double::double;
use crate::support::{Consumer, cluster, next, nothing_for};

#[tokio::test(start_paused = true)]
async fn a_consumer_that_only_looks_in_now_and_then_is_not_left_with_a_stream_that_was_dropped() {
    let (_etcd, client) = cluster();
    let mut watch = client.watch("/d").recursive(true).with_snapshot(true).start();
    let mut consumer = Consumer::new("/d");
    consumer.take(&next(&mut watch).await);
    nothing_for(&mut watch, Duration::from_millis(1)).await;
    assert_eq!(watch.state(), WatchState::Live);
    // More than the server keeps for a stream.
    for round in 0..300 {
        client.set("/d/a", format!("{round}")).await.unwrap();
    }
    for _ in 0..1_000 {
        while let Some(item) = watch.next().now_or_never() {
            consumer.take(&item.unwrap().unwrap());
        }
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!((consumer.events.len(), consumer.losses), (300, 0));
}

#[tokio::test(start_paused = true)]
async fn at_more_than_5000_writes_a_second_elsewhere_a_quiet_directory_is_not_resynced_again_and_again() {
    let (_etcd, client) = cluster();
    client.set("/quiet/a", "1").await.unwrap();
    let writer = client.clone();
    let writing = tokio::spawn(async move {
        for round in 0..1_000 {
            for other in 0..8 {
                writer.set(format!("/busy/{other}"), format!("{round}")).await.unwrap();
            }
            sleep(Duration::from_millis(1)).await;
        }
    });
    let mut watch = client.watch("/quiet").recursive(true).with_snapshot(true).start();
    next(&mut watch).await;
    let mut resyncs = 0;
    while let Ok(item) = timeout(Duration::from_secs(5), watch.next()).await {
        resyncs += usize::from(item.unwrap().unwrap().is_loss());
    }
    writing.await.unwrap();
    // One behind the start, where no poll is open yet when the stream is silent for the first time.
    assert!(resyncs <= 1, "{resyncs} resyncs over nothing in a second");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_went_back_between_a_burst_and_the_stream_for_it_is_told() {
    // Four events at once, then a stream of a store that is only at 3; what is stored has index 7.
    let (client, _) = double(|from| match from {
        Some(from) if from < 20 => (20, Some(from)),
        Some(_) => (20, None),
        None => (3, Some(4)),
    });
    let mut watch = client.watch("/d").recursive(true).from(16).start();
    for index in 16..20 {
        assert_eq!(next(&mut watch).await.index().get(), index);
    }
    match timeout(Duration::from_secs(5), watch.next()).await.expect("at once").unwrap().unwrap() {
        WatchItem::Resync { cause: ResyncCause::IndexWentBack, index, .. } => assert_eq!(index.get(), 7),
        other => panic!("no resync: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_stored_a_position_of_another_cluster_is_an_error_all_the_same() {
    let (_etcd, client) = cluster();
    client.set("/b", "1").await.unwrap();
    let position = "7@abc".parse().unwrap();
    for polls_only in [false, true] {
        let watch = client.watch("/missing").resume(&position).with_snapshot(true).polls_only(polls_only);
        let error = watch.start().next().await.unwrap().unwrap_err();
        assert!(error.is_cluster_changed(), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_in_the_way_of_the_watched_key_is_no_end_of_the_watch() {
    let (etcd, client) = cluster();
    let first = client.set("/d/a/b", "1").await.unwrap();
    let mut watches = [
        client.watch("/d/a/b").start(),
        client.watch("/d/a/b").with_snapshot(true).start(),
        client.watch("/d/a").recursive(true).from(first.index()).start(),
    ];
    client.delete_dir("/d").recursive(true).await.unwrap();
    client.set("/d", "a file").await.unwrap();
    etcd.faults().apply(Change::ClearHistory).unwrap();
    for watch in &mut watches[1..] {
        let item = next(watch).await;
        assert!(matches!(item, WatchItem::Resync { snapshot: None, .. }), "{item:?}");
    }
    nothing_for(&mut watches[0], Duration::from_secs(5)).await;
    client.delete("/d").await.unwrap();
    client.set("/d/a/b", "2").await.unwrap();
    for watch in &mut watches {
        let item = loop {
            match next(watch).await {
                // The file was at a path above.
                WatchItem::AncestorRemoved(event) => assert_eq!(event.node.key.as_str(), "/d"),
                item => break item,
            }
        };
        assert_eq!(item.event().unwrap().node.text(), "2");
    }
}

#[tokio::test(start_paused = true)]
async fn what_ends_a_watch_of_a_quiet_key_is_what_happened_last() {
    let (etcd, client) = cluster();
    let set = client.set("/quiet", "1").await.unwrap();
    let watch = client.watch("/quiet").after(set.index()).on_history_lost(OnHistoryLost::Fail);
    let mut watch = watch.start();
    nothing_for(&mut watch, Duration::from_secs(1)).await;
    for _ in 0..20 {
        client.set("/busy", "x").await.unwrap();
    }
    etcd.faults().apply(Change::ClearHistory).unwrap();
    // The poll is renewed at an index that is gone, and nothing has happened to the key.
    nothing_for(&mut watch, Duration::from_secs(50)).await;
    etcd.faults().apply(Change::Index(set.index().get())).unwrap();
    let error = timeout(Duration::from_secs(60), watch.next()).await.unwrap().unwrap().unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.is_event_index_cleared() && source.contains("went back"), "{error:?}");
}
