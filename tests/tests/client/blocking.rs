//! Programs without async.

use std::thread;

use etcd_client::blocking::Wait as _;
use etcd_tests::{Peer, Scope, each_etcd, patient};

#[tokio::test]
async fn calls_are_made_from_a_plain_thread() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        thread::spawn(move || {
            let set = scope.client.set(scope.key("a"), "1").wait().unwrap();
            assert_eq!(scope.client.get(scope.key("a")).quorum(true).wait().unwrap().node, set.node);
            assert!(scope.client.exists(scope.key("a")).wait().unwrap());
            assert!(scope.client.get(scope.key("none")).wait().unwrap_err().is_key_not_found());
            scope.client.ensure_dir(scope.key("d")).wait().unwrap();
            let changed = scope.client.modify(scope.key("a"), |text| Some(text.repeat(2))).wait().unwrap();
            assert_eq!(changed.text(), "11");
            assert_eq!(scope.client.members().by_id().wait().unwrap().len(), 1);
            assert!(scope.client.health().wait().unwrap().healthy);
        })
        .join()
        .unwrap();
    })
    .await;
}

#[tokio::test]
async fn one_thread_waits_for_an_event_that_another_makes() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let before = scope.client.set(scope.key("a"), "1").await.unwrap();
        // Not the connections of this thread's runtime, which stands still in `join`.
        let client = patient(etcd.endpoints()).build().unwrap();
        let watch = client.watch(&before.node.key).after(before.index());
        let watcher = thread::spawn(move || watch.next_event().wait());
        let write = client.set(&before.node.key, "2");
        let writer = thread::spawn(move || write.wait());
        let set = writer.join().unwrap().unwrap();
        assert_eq!(watcher.join().unwrap().unwrap().node, set.node);
    })
    .await;
}

#[tokio::test]
async fn inside_a_runtime_waiting_is_refused_and_nothing_is_sent() {
    let peer = Peer::with_body("200 OK", "application/json", "{}").await;
    let client = patient([peer.endpoint()]).build().unwrap();
    let error = client.set("/a", "1").wait().unwrap_err();
    assert!(error.is_invalid_config() && error.outcome().is_not_applied(), "{error:?}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("inside a tokio runtime"), "{source}");
    let in_blocking = {
        let client = client.clone();
        tokio::task::spawn_blocking(move || client.get("/a").wait()).await.unwrap()
    };
    assert!(in_blocking.unwrap_err().is_invalid_config());
    assert_eq!(peer.connections(), 0);
}

#[test]
fn bad_input_is_told_as_in_async_programs() {
    let client = patient(["127.0.0.1:1"]).build().unwrap();
    assert!(client.get("/a/../b").wait().unwrap_err().is_invalid_key());
    assert!(client.get("/a").wait().unwrap_err().is_connect());
}
