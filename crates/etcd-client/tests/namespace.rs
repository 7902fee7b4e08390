//! Namespaces: keys get the prefix on the way in and lose it on the way out.

#![cfg(feature = "v2")]

mod double;

use double::{operation_double, refusal, success};
use etcd_client::v2::{Client, Key, KeysEvent, Operation, Request, Response, WatchResponse};
use futures_util::{StreamExt, stream};

const TREE: &str = r#"{"action":"get","node":{"key":"/app/a","dir":true,"nodes":[{"key":"/app/a/b","value":"1"}]},
    "prevNode":{"key":"/app/a","value":"0"}}"#;

#[tokio::test]
async fn keys_of_calls_get_the_prefix_and_all_nodes_of_answers_lose_it() {
    let (client, log) = operation_double(|operation| success(operation, TREE));
    let answer = client.namespace("/app").unwrap().get("/a").recursive(true).await.unwrap();
    assert_eq!(log.calls(), ["get /app/a"]);
    let keys: Vec<_> = answer.node.walk().map(|node| node.key.as_str()).collect();
    assert_eq!(keys, ["/a", "/a/b"]);
    assert_eq!(answer.prev_node.unwrap().key.as_str(), "/a");
}

#[tokio::test]
async fn the_root_of_a_namespace_is_its_prefix() {
    let body = r#"{"action":"get","node":{"key":"/app","dir":true}}"#;
    let (client, log) = operation_double(move |operation| success(operation, body));
    let answer = client.namespace("/app").unwrap().get("/").await.unwrap();
    assert_eq!(log.calls(), ["get /app"]);
    assert!(answer.node.key.is_root());
}

#[tokio::test]
async fn namespaces_can_be_nested() {
    let body = r#"{"action":"get","node":{"key":"/a/b/c","value":""}}"#;
    let (client, log) = operation_double(move |operation| success(operation, body));
    let inner = client.namespace("/a").unwrap().namespace("/b").unwrap();
    assert_eq!(inner.get("/c").await.unwrap().node.key.as_str(), "/c");
    assert_eq!(log.calls(), ["get /a/b/c"]);
}

#[tokio::test]
async fn causes_that_are_keys_lose_the_prefix_and_others_stay() {
    for (status, code, cause, seen) in [
        (404, 100, "/app/x", "/x"),
        (404, 100, "/app", "/"),
        (403, 102, "/app/x", "/x"),
        (400, 104, "/app/x", "/x"),
        (412, 105, "/app/x/y", "/x/y"),
        (403, 108, "/app/x", "/x"),
        (500, 300, "nodePath /1/app/x : Not a file ()", "nodePath /1/x : Not a file ()"),
        (500, 300, "etcdserver: request timed out", "etcdserver: request timed out"),
        (412, 101, "[/app/x != /app/y]", "[/app/x != /app/y]"),
        (
            400,
            401,
            "the requested history has been cleared [3/1]",
            "the requested history has been cleared [3/1]",
        ),
    ] {
        let (client, _) = operation_double(move |operation| Err(refusal(operation, status, code, cause)));
        let error = client.namespace("/app").unwrap().get("/x").await.unwrap_err();
        assert_eq!(error.api().unwrap().cause.as_deref(), Some(seen), "{code}");
        assert_eq!(error.key().unwrap().as_str(), "/x");
        assert!(
            !format!("{error} {}", std::error::Error::source(&error).unwrap()).contains("/app/x"),
            "{code}"
        );
    }
}

/// A watch of the namespace's root that brings events on `keys`.
async fn watched(keys: &'static [&'static str]) -> Vec<String> {
    let double = tower::service_fn(move |request: Request| async move {
        assert!(matches!(&request.operation, Operation::Watch(watch) if watch.key.as_str() == "/app"));
        let event = |key: &&str| {
            let json = format!(r#"{{"action":"delete","node":{{"key":"{key}","modifiedIndex":7}}}}"#);
            Ok::<KeysEvent, etcd_client::BoxError>(serde_json::from_str(&json).unwrap())
        };
        let events = stream::iter(keys.iter().map(event));
        Ok::<_, etcd_client::BoxError>(Response::Watch(WatchResponse::new(Default::default(), events)))
    });
    let client = Client::from_service(double).namespace("/app").unwrap();
    let watch = client.poll("/").recursive(true).await.unwrap();
    watch.events.map(|event| event.unwrap().node.key.as_str().to_owned()).collect().await
}

#[tokio::test]
async fn events_lose_the_prefix_and_a_deletion_above_it_names_the_root() {
    assert_eq!(watched(&["/app/a", "/app", "/"]).await, ["/a", "/", "/"]);
}

#[tokio::test]
async fn an_event_beside_the_prefix_is_kept_but_under_a_hidden_key() {
    let keys = watched(&["/ap", "/apple"]).await;
    assert_eq!(keys, ["/_outside-the-namespace", "/_outside-the-namespace"]);
    assert!(Key::new(&keys[0]).unwrap().is_hidden());
}

#[tokio::test]
async fn a_key_that_is_too_long_with_the_prefix_is_refused_before_it_is_sent() {
    let (client, log) = operation_double(|operation| success(operation, TREE));
    let client = client.namespace(format!("/{}", "p".repeat(2000))).unwrap();
    assert!(client.get("k".repeat(2000)).await.is_ok());
    let error = client.get("k".repeat(3000)).await.unwrap_err();
    assert!(error.is_invalid_key() && error.outcome().is_not_applied());
    assert_eq!(log.calls().len(), 1);
    assert!(client.namespace("/a/../b").unwrap_err().is_invalid_key());
}

#[tokio::test]
async fn the_root_of_a_namespace_stays_a_directory() {
    let (client, log) = operation_double(|operation| success(operation, TREE));
    let client = client.namespace("/app").unwrap();
    assert!(client.set("/", "v").await.unwrap_err().is_root_read_only());
    assert!(client.delete("/").await.unwrap_err().is_root_read_only());
    assert!(log.calls().is_empty());
    client.ensure_dir("/").await.unwrap();
    client.delete_dir("/").await.unwrap();
    assert_eq!(log.calls(), ["create dir /app", "delete dir /app"]);
}

#[tokio::test]
async fn calls_about_no_key_pass_unchanged() {
    let (client, log) = operation_double(|_| Ok(Response::Machines(vec!["http://a:1".into()])));
    assert_eq!(client.namespace("/app").unwrap().machines().await.unwrap(), ["http://a:1"]);
    assert_eq!(log.calls(), ["machines"]);
}
