//! Get and exists.

use etcd_client::v2::{Action, ErrorCode, Node};
use etcd_tests::{Peer, Refused, Scope, each_etcd, patient};

/// The keys of a listing below `dir`, in its order, each without `dir`.
fn names(node: &Node, dir: &str) -> Vec<String> {
    node.walk().skip(1).map(|node| node.key.as_str().trim_start_matches(dir).to_owned()).collect()
}

#[tokio::test]
async fn a_directory_is_listed_one_level_deep_or_whole_and_in_byte_order() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        for key in ["b/x", "b/y/z", "10", "1", "2", "C", "_hidden", "b/_hidden/x"] {
            scope.client.set(scope.key(key), key).await.unwrap();
        }
        scope.client.create_dir(scope.key("empty")).await.unwrap();
        let one = scope.client.get(scope.dir()).sorted(true).await.unwrap();
        assert_eq!((&one.action, one.node.dir, &one.node.value), (&Action::Get, true, &None));
        assert_eq!(names(&one.node, scope.dir()), ["/1", "/10", "/2", "/C", "/b", "/empty"]);
        let whole = scope.client.get(scope.dir()).recursive(true).sorted(true).await.unwrap();
        let all = ["/1", "/10", "/2", "/C", "/b", "/b/x", "/b/y", "/b/y/z", "/empty"];
        assert_eq!(names(&whole.node, scope.dir()), all);
        let unsorted = scope.client.get(scope.dir()).recursive(true).await.unwrap();
        let mut unsorted = names(&unsorted.node, scope.dir());
        unsorted.sort_unstable();
        assert_eq!(unsorted, all);
        let empty = scope.client.get(scope.key("empty")).await.unwrap().node;
        assert!(empty.dir && empty.nodes.is_empty());
        assert_eq!(scope.client.get(scope.key("b/_hidden/x")).await.unwrap().text(), "b/_hidden/x");
    })
    .await;
}

#[tokio::test]
async fn a_quorum_read_sees_the_last_write() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        for round in ["1", "2", "3"] {
            let set = scope.client.set(scope.key("a"), round).await.unwrap();
            let read = scope.client.get(scope.key("a")).quorum(true).await.unwrap();
            assert_eq!((read.text(), &read.node), (round, &set.node));
            assert!(read.header.etcd_index >= set.header.etcd_index);
        }
    })
    .await;
}

#[tokio::test]
async fn a_missing_key_is_an_error_that_names_the_first_missing_element() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        scope.client.create_dir(scope.key("d")).await.unwrap();
        let error = scope.client.get(scope.key("d/none/x")).await.unwrap_err();
        assert!(error.is_key_not_found() && error.outcome().is_not_applied());
        let api = error.api().unwrap();
        assert_eq!((api.code, api.cause.clone()), (Some(ErrorCode::KeyNotFound), Some(scope.key("d/none"))));
        assert!(api.index.get() > 0);
        assert_eq!(error.to_string(), format!("get {}: key not found", scope.key("d/none/x")));
    })
    .await;
}

#[tokio::test]
async fn the_root_is_a_directory() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        scope.client.set(scope.key("a"), "1").await.unwrap();
        let root = scope.client.get("/").await.unwrap().node;
        assert!(root.dir && root.key.is_root() && root.modified_index.is_none());
        assert!(root.nodes.iter().any(|node| node.key.as_str() == scope.dir()));
    })
    .await;
}

#[tokio::test]
async fn existence_is_denied_by_error_100_alone() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        scope.client.set(scope.key("d/f"), "").await.unwrap();
        assert!(scope.client.exists(scope.key("d/f")).await.unwrap());
        assert!(scope.client.exists(scope.key("d")).quorum(true).await.unwrap());
        assert!(!scope.client.exists(scope.key("none")).await.unwrap());
        let error = scope.client.exists(scope.key("d/f/x")).await.unwrap_err();
        assert!(error.is_not_a_directory(), "through a file: {error:?}");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_not_said_to_be_missing() {
    let refused = Refused::new();
    let client = patient([refused.endpoint()]).build().unwrap();
    assert!(client.exists("/a").await.unwrap_err().is_connect());
    for (status, body) in [
        ("404 Not Found", "404 page not found\n"),
        ("404 Not Found", "<html>"),
        ("404 Not Found", ""),
        ("404 Not Found", r#"{"message":"Not found"}"#),
        ("503 Service Unavailable", r#"{"errorCode":300,"message":"Raft Internal Error"}"#),
    ] {
        let peer = Peer::with_body(status, "text/plain", body).await;
        let client = patient([peer.endpoint()]).build().unwrap();
        let error = client.exists("/a").await.unwrap_err();
        assert!(!error.is_key_not_found(), "{body}: {error:?}");
    }
}
