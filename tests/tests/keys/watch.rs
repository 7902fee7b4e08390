//! One event, one poll, one stream.

use std::future::IntoFuture as _;
use std::time::Duration;

use etcd_client::v2::{Action, Compare};
use etcd_tests::{Needs, PATIENCE, Scope, each_etcd, each_server, patient};
use futures_util::StreamExt as _;
use futures_util::future::join_all;

#[tokio::test]
async fn events_are_seen_one_by_one_from_an_index_in_the_past() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, a) = (&scope.client, scope.key("a"));
        let answers = [
            client.create(&a, "1").await.unwrap(),
            client.update(&a, "2").await.unwrap(),
            client.compare_and_swap(&a, "3", Compare::value("2")).await.unwrap(),
            client.set(&a, "4").await.unwrap(),
            client.compare_and_delete(&a, Compare::value("4")).await.unwrap(),
            client.set(&a, "5").await.unwrap(),
            client.delete(&a).await.unwrap(),
        ];
        let mut next = answers[0].index();
        for answer in answers {
            let event = client.watch(&a).from(next).next_event().await.unwrap();
            assert_eq!((&event.action, &event.node), (&answer.action, &answer.node));
            assert_eq!(event.prev_node, answer.prev_node);
            next = event.index().next();
        }
    })
    .await;
}

#[tokio::test]
async fn a_watch_after_an_answer_sees_what_comes_next() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let missing = scope.client.get(scope.key("a")).await.unwrap_err();
        let before = missing.api().unwrap().index;
        let event = scope.client.watch(scope.key("a")).after(before).next_event();
        let (event, set) = tokio::join!(event, scope.client.set(scope.key("a"), "1").into_future());
        assert_eq!(event.unwrap().node, set.unwrap().node);
    })
    .await;
}

#[tokio::test]
async fn a_watch_from_now_on_sees_nothing_of_the_past() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        scope.client.set(scope.key("a"), "old").await.unwrap();
        let mut watch = scope.client.poll(scope.key("a")).await.unwrap();
        let set = scope.client.set(scope.key("a"), "new").await.unwrap();
        let event = watch.events.next().await.unwrap().unwrap();
        assert_eq!((event.node, event.prev_node), (set.node, set.prev_node));
        assert!(watch.events.next().await.is_none(), "a poll has one event");
    })
    .await;
}

#[tokio::test]
async fn only_a_recursive_watch_sees_what_is_below() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let dir = scope.client.create_dir(scope.key("d")).await.unwrap();
        let child = scope.client.set(scope.key("d/x/y"), "1").await.unwrap();
        let gone = scope.client.delete_dir(scope.key("d")).recursive(true).await.unwrap();
        let event = scope.client.watch(scope.key("d")).recursive(true).after(dir.index()).next_event();
        assert_eq!(event.await.unwrap().node, child.node);
        let event = scope.client.watch(scope.key("d")).after(dir.index()).next_event().await.unwrap();
        assert_eq!(event.node, gone.node);
    })
    .await;
}

#[tokio::test]
async fn the_deletion_of_a_directory_is_told_to_watchers_inside() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        scope.client.set(scope.key("d/x"), "1").await.unwrap();
        let mut watch = scope.client.poll(scope.key("d/x")).await.unwrap();
        let deleted = scope.client.delete_dir(scope.key("d")).recursive(true).await.unwrap();
        let event = watch.events.next().await.unwrap().unwrap();
        assert_eq!((&event.action, event.node.key.as_str()), (&Action::Delete, &*scope.key("d")));
        assert!(event.node.dir && event.index() == deleted.index());
    })
    .await;
}

#[tokio::test]
async fn a_stream_brings_one_event_after_the_other() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let mut stream = scope.client.poll(scope.dir()).recursive(true).stream(true).await.unwrap();
        assert!(stream.header.etcd_index.get() > 0 && stream.header.cluster_id.is_some());
        for round in 0..20 {
            let set = scope.client.set(scope.key(&format!("k{round}")), "\n}{\"").await.unwrap();
            let event = stream.events.next().await.unwrap().unwrap();
            assert_eq!((event.action, event.node), (Action::Set, set.node));
        }
    })
    .await;
}

#[tokio::test]
async fn the_clients_limits_end_other_calls_and_never_a_watch() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let hasty = patient(etcd.endpoints()).attempt_timeout(Duration::ZERO).call_timeout(Duration::ZERO);
        let hasty = hasty.build().unwrap();
        let error = hasty.get(scope.dir()).await.unwrap_err();
        assert!(error.is_deadline() || error.is_attempt_timeout(), "{error:?}");
        let mut watch = hasty.poll(scope.key("a")).await.unwrap();
        let set = scope.client.set(scope.key("a"), "1").await.unwrap();
        assert_eq!(watch.events.next().await.unwrap().unwrap().node, set.node);
        // A limit of its own is one on the head of the answer.
        let error = hasty.poll(scope.key("a")).timeout(Duration::ZERO).await.unwrap_err();
        assert!(error.is_deadline() && error.outcome().is_not_applied(), "{error:?}");
        let limited = scope.client.poll(scope.key("b")).timeout(PATIENCE).attempt_timeout(PATIENCE);
        let mut limited = limited.await.unwrap();
        let set = scope.client.set(scope.key("b"), "1").await.unwrap();
        assert_eq!(limited.events.next().await.unwrap().unwrap().node, set.node);
    })
    .await;
}

#[tokio::test]
async fn an_index_that_the_history_no_longer_has_is_an_error() {
    each_server(Needs::members(1), async |server| {
        let scope = Scope::new(server);
        let first = scope.client.set(scope.key("a"), "1").await.unwrap();
        join_all((0..40).map(|key| write_often(&scope, key))).await;
        let error = scope.client.watch(scope.key("a")).from(first.index()).next_event().await.unwrap_err();
        assert!(error.is_event_index_cleared(), "{error:?}");
        assert!(error.outcome().is_not_applied());
        assert!(error.api().unwrap().index.get() >= first.index().get() + 1000);
        assert_eq!(error.http_status().unwrap().as_u16(), 400);
    })
    .await;
}

/// A part of more events than the history holds.
async fn write_often(scope: &Scope, key: u32) {
    for _ in 0..26 {
        scope.client.set(scope.key(&format!("other{key}")), "x").await.unwrap();
    }
}
