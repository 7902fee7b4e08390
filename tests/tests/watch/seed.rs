//! The examples of the seeds' manuals, on every etcd.

use std::future::IntoFuture as _;

use etcd_client::v2::WatchItem;
use etcd_tests::{Scope, each_etcd};
use futures_util::{StreamExt as _, TryStreamExt as _};

#[tokio::test]
async fn watch_waits_for_one_event_of_a_key_or_of_all_below() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        for (recursive, key) in [(false, "foo"), (true, "foo/bar")] {
            let before = scope.client.set(scope.key("other"), "1").await.unwrap();
            let watch = scope.client.watch(scope.key("foo")).recursive(recursive).after(before.index());
            let (event, set) =
                tokio::join!(watch.next_event(), scope.client.set(scope.key(key), "x").into_future());
            assert_eq!(event.unwrap().node, set.unwrap().node);
            scope.client.delete_dir(scope.key("foo")).recursive(true).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn watch_from_a_wait_index_sees_what_has_happened_since() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let first = scope.client.set(scope.key("foo"), "1").await.unwrap();
        let second = scope.client.set(scope.key("foo"), "2").await.unwrap();
        let mut events = scope.client.watch(scope.key("foo")).from(first.index()).start();
        for set in [first, second] {
            let item = events.next().await.unwrap().unwrap();
            assert_eq!(item.event().unwrap().node, set.node);
        }
    })
    .await;
}

#[tokio::test]
async fn keep_watching_sees_one_event_after_the_other() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let mut events = scope.client.watch(scope.key("foo")).recursive(true).with_snapshot(true).start();
        assert!(matches!(events.next().await.unwrap().unwrap(), WatchItem::Resync { snapshot: None, .. }));
        for round in 0..30 {
            let set = scope.client.set(scope.key(&format!("foo/{}", round % 3)), "x").await.unwrap();
            let item = events.next().await.unwrap().unwrap();
            assert_eq!(item, WatchItem::Event(item.event().unwrap().clone()));
            assert_eq!(item.event().unwrap().node, set.node);
        }
    })
    .await;
}

#[tokio::test]
async fn watch_until_only_three_times_delivers_the_third_event_too() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let before = scope.client.set(scope.key("foo"), "0").await.unwrap();
        let mut seen = 0;
        let three = scope.client.watch(scope.key("foo")).after(before.index()).until(move |_| {
            seen += 1;
            seen == 3
        });
        for value in ["1", "2", "3", "4"] {
            scope.client.set(scope.key("foo"), value).await.unwrap();
        }
        let items: Vec<WatchItem> = three.try_collect().await.unwrap();
        let values: Vec<_> = items.iter().map(|item| item.event().unwrap().node.text()).collect();
        assert_eq!(values, ["1", "2", "3"]);
    })
    .await;
}
