//! The service of typed calls.

use std::time::Duration;

use etcd_proto::v2::keys::{Get, Set, Watch};
use etcd_proto::v2::{Call, ErrorCode, Key, Request, Response};
use etcd_testkit::memory::{Change, ConnectRefused, Fault, Rule};
use futures_util::StreamExt as _;
use tower::ServiceExt as _;

use super::cluster;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn typed_calls_are_answered_by_typed_answers() {
    let etcd = cluster(1);
    let set = etcd.operation_service().oneshot(Request::new(Set::new(key("/a"), "1"))).await.unwrap();
    assert_eq!(Set::response(set).unwrap().text(), "1");
    let get = etcd.operation_service().oneshot(Request::new(Get::new(key("/a")))).await.unwrap();
    assert_eq!(Get::response(get).unwrap().text(), "1");
    let missing = etcd.operation_service().oneshot(Request::new(Get::new(key("/b")))).await.unwrap_err();
    let error = missing.downcast::<etcd_proto::Error>().unwrap();
    assert_eq!(error.api().unwrap().code, Some(ErrorCode::KeyNotFound));
}

#[tokio::test(start_paused = true)]
async fn a_watch_brings_events_as_they_come() {
    let etcd = cluster(1);
    let request = Request::new(Watch::new(key("/a")));
    let Response::Watch(mut watch) = etcd.operation_service().oneshot(request).await.unwrap() else {
        panic!()
    };
    let waits = tokio::time::timeout(Duration::from_secs(60), watch.events.next()).await;
    assert!(waits.is_err(), "nothing has happened");
    etcd.operation_service().oneshot(Request::new(Set::new(key("/a"), "1"))).await.unwrap();
    let event = watch.events.next().await.unwrap().unwrap();
    assert_eq!(event.node.key, key("/a"));
    drop(watch);
    assert_eq!(etcd.with_store(|store, _| store.watcher_count(0)), 0);
}

#[tokio::test(start_paused = true)]
async fn typed_calls_meet_the_same_faults() {
    let etcd = cluster(2);
    etcd.faults().add(Rule::new(Fault::DropAnswer).key_prefix("/a").nth(1));
    let lost = etcd.operation_service().oneshot(Request::new(Set::new(key("/a"), "1"))).await.unwrap_err();
    assert!(lost.is::<etcd_testkit::memory::Disconnected>());
    let get = etcd.operation_service().to(1).oneshot(Request::new(Get::new(key("/a")))).await.unwrap();
    assert_eq!(Get::response(get).unwrap().text(), "1", "it was made all the same");
    etcd.faults().apply(Change::Kill(0)).unwrap();
    let refused = etcd.operation_service().oneshot(Request::new(Get::new(key("/a")))).await.unwrap_err();
    assert!(refused.is::<ConnectRefused>());
}

#[tokio::test(start_paused = true)]
async fn a_watch_whose_answer_is_an_error_is_an_error() {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(Fault::Unavailable).watches());
    let request = Request::new(Watch::new(key("/a")));
    let error = etcd.operation_service().oneshot(request).await.unwrap_err();
    let error = error.downcast::<etcd_proto::Error>().unwrap();
    assert_eq!(error.http_status().unwrap(), 503);
}
