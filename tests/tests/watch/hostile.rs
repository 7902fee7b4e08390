//! Servers, and boxes before them, that answer as no etcd should.

use std::time::Duration;

use etcd_client::v2::{ResyncCause, WatchItem, WatchState};
use etcd_testkit::memory::{Change, MemoryEtcd};
use etcd_tests::Wire;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::{sleep, timeout};

use crate::double::{Once, between, double};
use crate::support::{Consumer, next, nothing_for};

#[tokio::test(start_paused = true)]
async fn events_before_the_wanted_index_are_a_failure_with_pauses_and_an_end() {
    let (client, count) = double(|_| (7, Some(3)));
    let mut watch = client.watch("/d").recursive(true).from(5).start();
    let error = timeout(Duration::from_secs(60), watch.next()).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_unreadable(), "{error:?}");
    assert!((2..=10).contains(&count.get()), "{} requests", count.get());
    assert!(watch.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_greatest_index_there_is_does_no_harm() {
    // Five events, and then silence at an index that no store reaches.
    let (client, _) = double(|from| (u64::MAX, from.filter(|from| *from < 10)));
    let mut watch = client.watch("/d").recursive(true).from(5).start();
    for index in 5..10 {
        assert_eq!(next(&mut watch).await.index().get(), index);
    }
    nothing_for(&mut watch, Duration::from_secs(100)).await;
    assert_eq!(watch.state(), WatchState::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_history_without_end_is_delivered_in_order_by_bounded_steps() {
    let (client, count) = double(|from| (u64::MAX / 2, from));
    let mut watch = client.watch("/d").recursive(true).from(5).start();
    for index in 5..10_000 {
        assert_eq!(next(&mut watch).await.index().get(), index);
    }
    // Eight walkers read at once, and of all but the first nothing can be used.
    assert!(count.get() < 9 * 12_000, "{} requests", count.get());
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_head_has_no_index_is_not_joined() {
    let etcd = MemoryEtcd::builder().in_process().unwrap();
    let client = between(&etcd, async |stream, answer| {
        answer.map(|mut answer| {
            if stream {
                answer.header.etcd_index = etcd_client::v2::Index::NONE;
            }
            answer
        })
    });
    let writer = Wire::client(&etcd);
    let first = writer.set("/d/a", "0").await.unwrap();
    for round in 1..300 {
        writer.set("/d/a", format!("{round}")).await.unwrap();
    }
    let writing = tokio::spawn(async move {
        for round in 300..600 {
            writer.set("/d/a", format!("{round}")).await.unwrap();
            sleep(Duration::from_micros(300)).await;
        }
    });
    let mut watch = client.watch("/d").recursive(true).from(first.index()).start();
    let mut consumer = Consumer::new("/d");
    while let Ok(item) = timeout(Duration::from_secs(60), watch.next()).await {
        consumer.take(&item.unwrap().unwrap());
    }
    writing.await.unwrap();
    assert_eq!((consumer.events.len(), consumer.losses), (600, 0));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_went_back_is_told_though_what_is_stored_cannot_be_read_at_first() {
    let etcd = MemoryEtcd::builder().in_process().unwrap();
    let fails = Once::default();
    let (store, failing) = (etcd.clone(), fails.clone());
    let client = between(&etcd, move |stream, answer| {
        let (store, fails) = (store.clone(), stream && failing.take());
        async move {
            if fails {
                // Meanwhile the restored store goes on, beyond where the watch was.
                store.faults().apply(Change::Index(500)).unwrap();
                return Err("not now".into());
            }
            answer
        }
    });
    for round in 0..100 {
        client.set("/d/a", format!("{round}")).await.unwrap();
    }
    let mut watch = client.watch("/d").recursive(true).with_snapshot(true).start();
    next(&mut watch).await;
    nothing_for(&mut watch, Duration::from_secs(5)).await;
    etcd.faults().apply(Change::Index(20)).unwrap();
    fails.set();
    match next(&mut watch).await {
        WatchItem::Resync { cause: ResyncCause::IndexWentBack, index, .. } => assert_eq!(index.get(), 500),
        other => panic!("no resync: {other:?}"),
    }
}

#[test]
fn without_a_runtime_a_watch_can_be_made_polled_and_dropped_without_a_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = etcd_client::v2::Client::connect("http://127.0.0.1:1").unwrap();
    let mut watch = client.watch("/a").start();
    let error = watch.next().now_or_never().expect("an answer at once").unwrap().unwrap_err();
    assert!(error.is_no_runtime(), "{error:?}");
    // Under way, and dropped where no runtime is.
    let etcd = MemoryEtcd::builder().in_process().unwrap();
    let mut watch = Wire::client(&etcd).watch("/a").start();
    runtime.block_on(async { assert!(timeout(Duration::from_millis(50), watch.next()).await.is_err()) });
    drop(runtime);
    drop(watch);
}
