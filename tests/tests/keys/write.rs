//! Set, create, update, refresh, delete.

use std::collections::BTreeMap;
use std::time::Duration;

use etcd_client::v2::{Action, Compare, ErrorCode, encode_bytes, encode_json, proto};
use etcd_tests::{Scope, each_etcd};

#[tokio::test]
async fn a_set_makes_the_key_and_the_directories_above_it() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let answer = scope.client.set(scope.key("a/b"), "1").await.unwrap();
        assert_eq!(answer.action, Action::Set);
        assert_eq!(answer.node.key.as_str(), scope.key("a/b"));
        assert_eq!(answer.text(), "1");
        assert_eq!(answer.node.created_index, answer.node.modified_index);
        assert_eq!(answer.index(), answer.header.etcd_index);
        assert_eq!((answer.prev_node, answer.node.ttl, answer.attempts), (None, None, 1));
        assert!(answer.header.raft_index.is_some() && answer.header.raft_term.is_some());
        assert!(answer.header.cluster_id.is_some());
        let above = scope.client.get(scope.key("a")).await.unwrap().node;
        assert!(above.dir && above.created_index == answer.node.created_index);
    })
    .await;
}

#[tokio::test]
async fn a_set_replaces_the_node_and_shows_the_one_before() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let first = scope.client.set(scope.key("a"), "1").await.unwrap();
        let second = scope.client.set(scope.key("a"), "2").await.unwrap();
        assert_eq!(second.prev_node.as_ref(), Some(&first.node));
        assert!(second.node.created_index > first.node.created_index);
        assert_eq!(second.node.created_index, second.node.modified_index);
    })
    .await;
}

#[tokio::test]
async fn a_set_on_a_directory_or_through_a_file_is_refused() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        scope.client.set(scope.key("d/file"), "1").await.unwrap();
        let error = scope.client.set(scope.key("d"), "1").await.unwrap_err();
        assert!(error.is_not_a_file() && error.outcome().is_not_applied(), "{error:?}");
        let error = scope.client.set(scope.key("d/file/x"), "1").await.unwrap_err();
        assert!(error.is_not_a_directory() && error.outcome().is_not_applied(), "{error:?}");
        assert_eq!(error.api().unwrap().cause, Some(scope.key("d/file")));
        assert_eq!(error.key().unwrap().as_str(), scope.key("d/file/x"));
    })
    .await;
}

#[tokio::test]
async fn the_root_cannot_be_written_or_deleted() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).client;
        for error in [
            client.set("/", "1").await.unwrap_err(),
            client.create("/", "1").await.unwrap_err(),
            client.create_dir("/").await.unwrap_err(),
            client.delete_dir("/").recursive(true).await.unwrap_err(),
        ] {
            assert!(error.is_root_read_only() && error.outcome().is_not_applied(), "{error:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_create_makes_a_key_once() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let first = scope.client.create(scope.key("a"), "1").await.unwrap();
        assert_eq!((&first.action, first.text()), (&Action::Create, "1"));
        let error = scope.client.create(scope.key("a"), "2").await.unwrap_err();
        assert!(error.is_key_exists() && error.outcome().is_not_applied() && !error.is_retryable());
        let api = error.api().unwrap();
        assert_eq!((api.code, api.status.as_u16()), (Some(ErrorCode::KeyExists), 412));
        assert_eq!(api.cause, Some(scope.key("a")));
        assert!(api.index >= first.header.etcd_index);
        assert_eq!(error.http_status(), Some(api.status));
        assert_eq!(scope.client.get(scope.key("a")).await.unwrap().text(), "1");
    })
    .await;
}

#[tokio::test]
async fn an_update_changes_a_key_that_is_there_and_keeps_its_created_index() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let error = scope.client.update(scope.key("a/b"), "0").await.unwrap_err();
        assert!(error.is_key_not_found() && error.outcome().is_not_applied());
        assert_eq!(error.api().unwrap().cause.as_deref(), Some(scope.dir()), "the first missing element");
        let first = scope.client.set(scope.key("a"), "1").await.unwrap();
        let second = scope.client.update(scope.key("a"), "2").await.unwrap();
        assert_eq!((&second.action, second.text()), (&Action::Update, "2"));
        assert_eq!(second.node.created_index, first.node.created_index);
        assert!(second.index() > first.index());
        assert_eq!(second.prev_node.unwrap().text(), "1");
    })
    .await;
}

#[tokio::test]
async fn a_refresh_prolongs_a_key_and_keeps_value_and_created_index() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (short, long) = (Duration::from_secs(500), Duration::from_secs(9_000));
        let set = scope.client.set(scope.key("a"), "kept").ttl(short).await.unwrap();
        let refreshed = scope.client.refresh(scope.key("a"), long).await.unwrap();
        assert_eq!((&refreshed.action, refreshed.text()), (&Action::Update, "kept"));
        assert_eq!(refreshed.node.created_index, set.node.created_index);
        assert!(refreshed.index() > set.index());
        assert!(refreshed.node.ttl.unwrap() > 500);
        // It makes no event: the next one is that of the set.
        let event = scope.client.watch(scope.key("a"));
        let last = scope.client.set(scope.key("a"), "new").await.unwrap();
        assert_eq!(event.after(set.index()).next_event().await.unwrap().index(), last.index());
        assert!(scope.client.refresh(scope.key("none"), long).await.unwrap_err().is_key_not_found());
    })
    .await;
}

#[tokio::test]
async fn a_refresh_on_a_condition_prolongs_nothing_else() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let ttl = Duration::from_secs(500);
        let set = scope.client.set(scope.key("a"), "mine").await.unwrap();
        for compare in [Compare::value("other"), Compare::index(set.index().next())] {
            let error = scope.client.refresh(scope.key("a"), ttl).compare(compare).await.unwrap_err();
            assert!(error.is_compare_failed() && error.outcome().is_not_applied(), "{error:?}");
        }
        let by_index = scope.client.refresh(scope.key("a"), ttl).compare(Compare::index(set.index()));
        let by_index = by_index.await.unwrap();
        assert_eq!((&by_index.action, by_index.text()), (&Action::CompareAndSwap, "mine"));
        let by_value = scope.client.refresh(scope.key("a"), ttl).compare(Compare::value("mine"));
        let by_value = by_value.await.unwrap();
        assert_eq!((by_value.text(), by_value.node.created_index), ("mine", set.node.created_index));
    })
    .await;
}

#[tokio::test]
async fn a_delete_shows_what_was_there() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let set = scope.client.set(scope.key("a"), "1").await.unwrap();
        let deleted = scope.client.delete(scope.key("a")).await.unwrap();
        assert_eq!((&deleted.action, &deleted.node.value), (&Action::Delete, &None));
        assert_eq!(deleted.node.created_index, set.node.created_index);
        assert!(deleted.index() > set.index());
        assert_eq!(deleted.prev_node, Some(set.node));
        let error = scope.client.delete(scope.key("a")).await.unwrap_err();
        assert!(error.is_key_not_found() && error.outcome().is_not_applied());
        assert!(scope.client.delete(scope.dir()).await.unwrap_err().is_not_a_file());
    })
    .await;
}

#[tokio::test]
async fn json_and_bytes_are_kept() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let map = BTreeMap::from([("answer".to_owned(), 42), ("none".to_owned(), 0)]);
        scope.client.set(scope.key("json"), encode_json(&map).unwrap()).await.unwrap();
        let read = scope.client.get(scope.key("json")).await.unwrap();
        assert_eq!(read.node.json::<BTreeMap<String, i32>>().unwrap(), map);
        let bytes: Vec<u8> = (0..=255).collect();
        scope.client.set(scope.key("bytes"), encode_bytes(&bytes)).await.unwrap();
        assert_eq!(scope.client.get(scope.key("bytes")).await.unwrap().node.bytes().unwrap(), bytes);
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_a_node_still_has_key_and_index() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, key) = (&scope.client, scope.key("a"));
        let ttl = Duration::from_secs(500);
        let mut answers = vec![
            client.set(&key, "1").no_value_on_success(true).await.unwrap(),
            client.update(&key, "2").no_value_on_success(true).await.unwrap(),
        ];
        let swap = client.compare_and_swap(&key, "3", Compare::value("2")).no_value_on_success(true);
        answers.push(swap.await.unwrap());
        answers.push(client.refresh(&key, ttl).no_value_on_success(true).await.unwrap());
        answers.push(client.create(scope.key("b"), "1").no_value_on_success(true).await.unwrap());
        answers.push(client.set_dir(scope.key("c")).no_value_on_success(true).await.unwrap());
        answers.push(client.create_dir(scope.key("d")).no_value_on_success(true).await.unwrap());
        for (answer, name) in answers.iter().zip(["a", "a", "a", "a", "b", "c", "d"]) {
            assert_eq!((answer.node.key.as_str(), answer.text()), (&*scope.key(name), ""));
            assert_eq!(answer.index(), answer.header.etcd_index);
            assert_eq!(answer.prev_node, None);
        }
        let read = client.get(scope.key("d")).await.unwrap();
        assert_eq!(read.index(), answers[6].index(), "the index is the one that the store has");
        let refused = client.create(&key, "x").no_value_on_success(true).await.unwrap_err();
        assert!(refused.is_key_exists(), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn a_plain_request_is_sent_as_it_is_and_a_call_can_be_sent_twice() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let mut request = proto::keys::Set::new(scope.key("a").try_into().unwrap(), "1");
        request.ttl = Some(Duration::from_secs(500).try_into().unwrap());
        let answer = scope.client.send(request).await.unwrap();
        assert_eq!((answer.text(), answer.node.ttl), ("1", Some(500)));
        let call = scope.client.set(scope.key("a"), "2").idempotent(true);
        let first = call.clone().await.unwrap();
        assert!(call.await.unwrap().index() > first.index());
    })
    .await;
}
