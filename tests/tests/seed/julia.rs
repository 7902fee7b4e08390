//! Values, machines, statistics and one-event watches, as Etcd.jl (J1, and J2 where it differs) shows them.

use std::time::Duration;

use etcd_client::Error;
use etcd_client::v2::{Action, Compare, ErrorCode, KeysResponse};
use etcd_tests::{Refused, Scope, each_etcd, patient};

const MINUTE: Duration = Duration::from_secs(60);

/// `action`, `node.value`, and that the node was written by this very call.
fn assert_written(answer: &KeysResponse, action: &Action, value: &str) {
    assert_eq!((&answer.action, answer.node.value.as_deref()), (action, Some(value)));
    assert_eq!(answer.node.modified_index, answer.header.etcd_index);
    assert_eq!(answer.node.key.as_str(), "/foo/bar");
}

/// `errorCode`, `message` and `index`, as J1 returns and J2 throws them.
fn assert_code(error: &Error, code: ErrorCode, message: &str) {
    let api = error.api().unwrap();
    assert_eq!((api.code, api.message.as_str()), (Some(code), message));
    assert!(api.cause.is_some() && api.index.get() > 0, "{api:?}");
    assert!(error.outcome().is_not_applied());
}

#[tokio::test]
async fn set_and_get() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        let first = client.set("/foo/bar", "Hello World").await.unwrap();
        assert_written(&first, &Action::Set, "Hello World");
        assert!(first.node.ttl.is_none() && first.prev_node.is_none());
        let second = client.set("/foo/bar", "Hello World").ttl(MINUTE).await.unwrap();
        assert_written(&second, &Action::Set, "Hello World");
        assert_eq!(second.node.ttl, Some(60));
        assert!(second.node.expiration.is_some());
        assert_eq!(second.node.created_index, second.node.modified_index);
        assert_eq!(second.prev_node, Some(first.node));
        let got = client.get("/foo/bar").await.unwrap();
        assert_eq!((&got.action, got.text(), got.index()), (&Action::Get, "Hello World", second.index()));
        let error = client.get("/foo/none").await.unwrap_err();
        assert_code(&error, ErrorCode::KeyNotFound, "Key not found");
        assert_eq!(error.api().unwrap().cause.as_deref(), Some("/foo/none"));
    })
    .await;
}

#[tokio::test]
async fn get_sorted_and_recursive() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        for key in ["/foo/c", "/foo/a/x", "/foo/b"] {
            client.set(key, "1").await.unwrap();
        }
        let tree = client.get("/foo").sorted(true).recursive(true).await.unwrap().node;
        let keys: Vec<_> = tree.walk().map(|node| (node.key.as_str(), node.dir)).collect();
        let all =
            [("/foo", true), ("/foo/a", true), ("/foo/a/x", false), ("/foo/b", false), ("/foo/c", false)];
        assert_eq!(keys, all);
    })
    .await;
}

#[tokio::test]
async fn exists_and_has_key() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        client.set("/foo/bar", "1").await.unwrap();
        assert!(client.exists("/foo/bar").await.unwrap());
        assert!(client.exists("/foo").await.unwrap());
        assert!(!client.exists("/foo/none").await.unwrap());
    })
    .await;
    // J1 says "false" here.
    let dead = Refused::new();
    assert!(patient([dead.endpoint()]).build().unwrap().exists("/foo").await.unwrap_err().is_connect());
}

#[tokio::test]
async fn create_and_update() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        let error = client.update("/foo/bar", "0").await.unwrap_err();
        assert_code(&error, ErrorCode::KeyNotFound, "Key not found");
        let created = client.create("/foo/bar", "1").ttl(MINUTE).await.unwrap();
        assert_written(&created, &Action::Create, "1");
        assert_eq!(created.node.ttl, Some(60));
        let error = client.create("/foo/bar", "2").await.unwrap_err();
        assert_code(&error, ErrorCode::KeyExists, "Key already exists");
        let updated = client.update("/foo/bar", "2").await.unwrap();
        assert_written(&updated, &Action::Update, "2");
        assert_eq!(updated.node.created_index, created.node.created_index);
        assert_eq!((updated.node.ttl, updated.prev_node.unwrap().text()), (None, "1"));
    })
    .await;
}

#[tokio::test]
async fn delete() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        let set = client.set("/foo/bar", "1").await.unwrap();
        let deleted = client.delete("/foo/bar").await.unwrap();
        assert_eq!((&deleted.action, &deleted.node.value), (&Action::Delete, &None));
        assert_eq!(deleted.node.created_index, set.node.created_index);
        assert_eq!(deleted.prev_node, Some(set.node));
        let error = client.delete("/foo/bar").await.unwrap_err();
        assert_code(&error, ErrorCode::KeyNotFound, "Key not found");
        let error = client.delete("/foo").await.unwrap_err();
        assert_code(&error, ErrorCode::NotAFile, "Not a file");
    })
    .await;
}

#[tokio::test]
async fn compare_and_swap_and_test_and_set() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        let set = client.set("/foo/bar", "Hello World").await.unwrap();
        let swap = client.compare_and_swap("/foo/bar", "Goodbye", Compare::value("Hello World"));
        let by_value = swap.ttl(MINUTE).await.unwrap();
        assert_written(&by_value, &Action::CompareAndSwap, "Goodbye");
        assert_eq!((by_value.node.ttl, by_value.node.created_index), (Some(60), set.node.created_index));
        assert_eq!(by_value.prev_node, Some(set.node));
        let swap = client.compare_and_swap("/foo/bar", "Again", Compare::index(by_value.index()));
        let by_index = swap.await.unwrap();
        assert_written(&by_index, &Action::CompareAndSwap, "Again");
        let error =
            client.compare_and_swap("/foo/bar", "x", Compare::value("Hello World")).await.unwrap_err();
        assert_code(&error, ErrorCode::CompareFailed, "Compare failed");
        assert_eq!(error.api().unwrap().cause.as_deref(), Some("[Hello World != Again]"));
    })
    .await;
}

#[tokio::test]
async fn compare_and_delete() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        let set = client.set("/foo/bar", "1").await.unwrap();
        let error = client.compare_and_delete("/foo/bar", Compare::value("2")).await.unwrap_err();
        assert_code(&error, ErrorCode::CompareFailed, "Compare failed");
        let delete = client.compare_and_delete("/foo/bar", Compare::value("1").and_index(set.index()));
        let deleted = delete.await.unwrap();
        assert_eq!((&deleted.action, deleted.prev_node), (&Action::CompareAndDelete, Some(set.node)));
        client.create_dir("/dir").await.unwrap();
        let error = client.compare_and_delete("/dir", Compare::value("1")).await.unwrap_err();
        assert_code(&error, ErrorCode::NotAFile, "Not a file");
    })
    .await;
}

#[tokio::test]
async fn watch_for_one_event() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let client = scope.inside();
        let before = client.set("/foo/bar", "1").await.unwrap().node;
        let callback =
            tokio::spawn(client.watch("/foo").recursive(true).after(before.modified_index).next_event());
        let set = client.set("/foo/bar", "2").await.unwrap();
        let event = callback.await.unwrap().unwrap();
        assert_eq!(
            (event.action, event.node, event.prev_node),
            (Action::Set, set.node, Some(before.clone()))
        );
        // wait_index of the past.
        let past = client.watch("/foo/bar").from(before.modified_index).next_event().await.unwrap();
        assert_eq!((past.node.text(), past.index()), ("1", before.modified_index));
        // J2's watchloop: the next wait_index is the event's index + 1, and what makes it end is delivered.
        let mut seen = Vec::new();
        let mut next = before.modified_index;
        client.delete("/foo/bar").await.unwrap();
        loop {
            let event = client.watch("/foo").recursive(true).from(next).next_event().await.unwrap();
            next = event.index().next();
            seen.push((event.action.clone(), event.node.value.clone()));
            if event.action.is_removal() {
                break;
            }
        }
        let value = |text: &str| Some(text.to_owned());
        let all = [(Action::Set, value("1")), (Action::Set, value("2")), (Action::Delete, None)];
        assert_eq!(seen, all);
    })
    .await;
}

#[tokio::test]
async fn machines_members_and_leader() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        assert_eq!(client.machines().await.unwrap(), etcd.endpoints());
        let members = client.members().by_id().await.unwrap();
        let leader = &members[&client.stats().leader().await.unwrap().leader];
        assert_eq!(client.members().leader().await.unwrap(), *leader);
        assert!(leader.client_urls == etcd.endpoints() && !leader.peer_urls.is_empty());
        assert!(!leader.name.is_empty());
    })
    .await;
}

#[tokio::test]
async fn stats_of_store_self_and_leader() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        client.set("/foo/bar", "1").await.unwrap();
        assert!(client.stats().store().await.unwrap().sets_success > 0);
        let this = client.stats().this_member().await.unwrap();
        assert!(!this.id.is_empty() && this.state == "StateLeader");
        assert_eq!(client.stats().leader().await.unwrap().leader, this.id);
    })
    .await;
}
