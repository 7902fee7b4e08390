//! Compare-and-swap and compare-and-delete.

use etcd_client::v2::{Action, Compare, CompareBuilder, Index};
use etcd_client::{Error, Outcome};
use etcd_tests::{Scope, each_etcd, printed};

/// Every condition that a key with this value and index meets.
fn met(value: &str, index: Index) -> [CompareBuilder; 4] {
    [
        Compare::value(value),
        Compare::index(index),
        Compare::value(value).and_index(index),
        Compare::index(index).and_value(value),
    ]
}

/// Every condition that it does not meet, with the cause that etcd gives for each.
fn not_met(value: &str, index: Index) -> [(CompareBuilder, String); 4] {
    let (i, j) = (index.next().get(), index.get());
    [
        (Compare::value("canary-asked"), format!("[canary-asked != {value}]")),
        (Compare::index(index.next()), format!("[{i} != {j}]")),
        (Compare::value(value).and_index(index.next()), format!("[{i} != {j}]")),
        (
            Compare::index(index.next()).and_value("canary-asked"),
            format!("[canary-asked != {value}] [{i} != {j}]"),
        ),
    ]
}

fn assert_refused(error: &Error, cause: &str) {
    assert!(error.is_compare_failed(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(!error.is_retryable());
    assert_eq!(error.api().unwrap().cause.as_deref(), Some(cause));
    let text = printed(error);
    assert!(!text.contains("canary"), "a stored value is printed: {text}");
}

#[tokio::test]
async fn a_swap_by_value_index_or_both_writes_and_keeps_the_created_index() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let mut before = scope.client.set(scope.key("a"), "0").await.unwrap();
        let created = before.node.created_index;
        for round in 0..4 {
            let compare = met(before.text(), before.index())[round].clone();
            let swap = scope.client.compare_and_swap(scope.key("a"), (round + 1).to_string(), compare);
            let swapped = swap.await.unwrap();
            assert_eq!(swapped.action, Action::CompareAndSwap);
            assert_eq!(swapped.node.created_index, created);
            assert_eq!(swapped.prev_node.as_ref(), Some(&before.node));
            before = swapped;
        }
        assert_eq!(scope.client.get(scope.key("a")).await.unwrap().text(), "4");
    })
    .await;
}

#[tokio::test]
async fn a_swap_on_a_condition_that_is_not_met_writes_nothing_and_shows_no_value() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let set = scope.client.set(scope.key("a"), "canary-stored").await.unwrap();
        for (compare, cause) in not_met("canary-stored", set.index()) {
            let swap = scope.client.compare_and_swap(scope.key("a"), "canary-new", compare);
            assert_refused(&swap.await.unwrap_err(), &cause);
        }
        assert_eq!(scope.client.get(scope.key("a")).await.unwrap().node, set.node);
    })
    .await;
}

#[tokio::test]
async fn a_delete_by_value_index_or_both_deletes() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        for round in 0..4 {
            let set = scope.client.set(scope.key("a"), "1").await.unwrap();
            let compare = met("1", set.index())[round].clone();
            let deleted = scope.client.compare_and_delete(scope.key("a"), compare).await.unwrap();
            assert_eq!((&deleted.action, &deleted.node.value), (&Action::CompareAndDelete, &None));
            assert_eq!(deleted.prev_node, Some(set.node));
            assert!(!scope.client.exists(scope.key("a")).await.unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn a_delete_on_a_condition_that_is_not_met_deletes_nothing_and_shows_no_value() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let set = scope.client.set(scope.key("a"), "canary-stored").await.unwrap();
        for (compare, cause) in not_met("canary-stored", set.index()) {
            let delete = scope.client.compare_and_delete(scope.key("a"), compare);
            assert_refused(&delete.await.unwrap_err(), &cause);
        }
        assert_eq!(scope.client.get(scope.key("a")).await.unwrap().node, set.node);
    })
    .await;
}

#[tokio::test]
async fn conditions_hold_for_files_alone() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let dir = scope.client.create_dir(scope.key("d")).await.unwrap();
        let (client, index) = (&scope.client, dir.index());
        for error in [
            client.compare_and_swap(scope.key("d"), "x", Compare::index(index)).await.unwrap_err(),
            client.compare_and_delete(scope.key("d"), Compare::index(index)).await.unwrap_err(),
        ] {
            assert!(error.is_not_a_file() && error.outcome().is_not_applied(), "{error:?}");
        }
        for error in [
            client.compare_and_swap(scope.key("none"), "x", Compare::value("y")).await.unwrap_err(),
            client.compare_and_delete(scope.key("none"), Compare::value("y")).await.unwrap_err(),
        ] {
            assert!(error.is_key_not_found() && error.outcome().is_not_applied(), "{error:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn values_with_every_character_are_compared_as_they_are() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        for value in ["a b+c", "100%25", "x;y&z=1#?", "\"q\"\n\0", "grün 🦀"] {
            scope.client.set(scope.key("a"), value).await.unwrap();
            let swap = scope.client.compare_and_swap(scope.key("a"), value, Compare::value(value));
            assert_eq!(swap.await.unwrap().text(), value);
            let delete = scope.client.compare_and_delete(scope.key("a"), Compare::value(value));
            assert_eq!(delete.await.unwrap().prev_node.unwrap().text(), value);
        }
    })
    .await;
}
