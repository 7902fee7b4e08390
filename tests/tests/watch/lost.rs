//! Events that the server no longer has.

use std::time::Duration;

use etcd_client::v2::{OnHistoryLost, ResyncCause, WatchItem};
use etcd_testkit::memory::Change;

use crate::support::{cluster, next, nothing_for, stored, values};

#[tokio::test(start_paused = true)]
async fn a_recursive_watch_is_given_what_is_stored_now_and_goes_on_behind_it() {
    let (etcd, client) = cluster();
    let first = client.set("/d/a", "1").await.unwrap();
    client.set("/d/b", "2").await.unwrap();
    etcd.faults().apply(Change::ClearHistory).unwrap();
    let mut watch = client.watch("/d").recursive(true).from(first.index()).start();
    match next(&mut watch).await {
        WatchItem::Resync { snapshot: Some(node), index, cause: ResyncCause::HistoryCleared } => {
            assert_eq!((node.nodes.len(), index), (2, first.index().next()));
        }
        other => panic!("no resync: {other:?}"),
    }
    client.set("/d/a", "3").await.unwrap();
    assert_eq!(values(&mut watch, 1).await, ["3"]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_error_where_that_is_wanted() {
    let (etcd, client) = cluster();
    let first = client.set("/d/a", "1").await.unwrap();
    client.set("/d/a", "2").await.unwrap();
    etcd.faults().apply(Change::ClearHistory).unwrap();
    for key in ["/d", "/d/a"] {
        let watch = client.watch(key).recursive(key == "/d").from(first.index());
        let mut watch = watch.on_history_lost(OnHistoryLost::Fail).start();
        let error = futures_util::StreamExt::next(&mut watch).await.unwrap().unwrap_err();
        assert!(error.is_event_index_cleared() && error.outcome().is_not_applied(), "{error:?}");
        assert!(futures_util::StreamExt::next(&mut watch).await.is_none());
        assert_eq!(watch.state(), etcd_client::v2::WatchState::Ended);
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_key_on_a_busy_store_is_never_resynced() {
    let (etcd, client) = cluster();
    let set = client.set("/quiet", "1").await.unwrap();
    let watch = client.watch("/quiet").after(set.index());
    let mut watches = [watch.clone().start(), watch.on_history_lost(OnHistoryLost::Fail).start()];
    for _ in 0..4 {
        for watch in &mut watches {
            nothing_for(watch, Duration::from_secs(50)).await;
        }
        // More than the history holds, and a renewal of the poll at an index that is gone.
        for other in 0..1_100 {
            client.set(format!("/busy/{}", other % 7), "x").await.unwrap();
        }
    }
    etcd.advance(Duration::from_secs(1)).await;
    client.set("/quiet", "2").await.unwrap();
    for watch in &mut watches {
        assert_eq!(values(watch, 1).await, ["2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_went_back_is_told_and_a_member_that_lags_is_not() {
    let (etcd, client) = cluster();
    client.set("/d/a", "1").await.unwrap();
    let mut watch = client.watch("/d").recursive(true).with_snapshot(true).start();
    next(&mut watch).await;
    nothing_for(&mut watch, Duration::from_secs(3)).await;

    etcd.faults().apply(Change::Lag { member: 1, lasts: Duration::from_secs(200) }).unwrap();
    etcd.faults().apply(Change::Lag { member: 2, lasts: Duration::from_secs(200) }).unwrap();
    client.set("/d/a", "2").await.unwrap();
    assert_eq!(values(&mut watch, 1).await, ["2"]);
    nothing_for(&mut watch, Duration::from_secs(150)).await;
    etcd.advance(Duration::from_secs(100)).await;

    let index = etcd.with_store(|store, _| store.index());
    etcd.faults().apply(Change::Index(index / 2)).unwrap();
    match next(&mut watch).await {
        WatchItem::Resync { cause: ResyncCause::IndexWentBack, index: at, .. } => {
            assert_eq!(at.get(), index / 2)
        }
        other => panic!("no resync: {other:?}"),
    }
    client.set("/d/a", "3").await.unwrap();
    assert_eq!(values(&mut watch, 1).await, ["3"]);
    assert_eq!(stored(&client, "/d").await.len(), 2);
}
