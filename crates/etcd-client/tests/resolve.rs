//! What became of a guarded write whose answer was lost.

#![cfg(feature = "v2")]

mod double;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use double::{Log, operation_double, refusal, success};
use etcd_client::v2::proto::keys::KeysOperation;
use etcd_client::v2::{Client, Compare, Header, KeysEvent, Operation, Response, WatchResponse};
use etcd_client::{BoxError, Outcome};

/// What a server without an answer is to the client.
fn lost(operation: &Operation) -> BoxError {
    refusal(operation, 500, 300, "etcdserver: request timed out")
}

/// One event of the history, given as etcd writes it.
fn event(json: &str) -> Result<Response, BoxError> {
    let get = Operation::from(etcd_client::v2::proto::keys::Get::new("/k".try_into().unwrap()));
    let Ok(Response::Keys(answer)) = success(&get, json) else { panic!("no event: {json}") };
    let event = KeysEvent::new(answer.action, answer.node, answer.prev_node);
    Ok(Response::Watch(WatchResponse::new(Header::default(), futures_util::stream::iter([Ok(event)]))))
}

fn node(value: &str, created: u64, modified: u64) -> String {
    format!(r#"{{"key":"/k","value":"{value}","createdIndex":{created},"modifiedIndex":{modified}}}"#)
}

/// A server that loses the first answer, refuses the repeat with this code, and has this event and value.
fn refusing(code: u16, history: Option<String>, now: Option<String>) -> (Client, Log) {
    let writes = Arc::new(AtomicUsize::new(0));
    operation_double(move |operation| match operation {
        Operation::Watch(_) => match &history {
            Some(history) => event(history),
            None => Err(refusal(operation, 400, 401, "the requested history has been cleared")),
        },
        Operation::Keys(KeysOperation::Get(get)) => {
            assert!(get.quorum, "a stale read proves nothing");
            match &now {
                Some(now) => success(operation, &format!(r#"{{"action":"get","node":{now}}}"#)),
                None => Err(refusal(operation, 404, 100, "/k")),
            }
        }
        _ if writes.fetch_add(1, Ordering::Relaxed) == 0 => Err(lost(operation)),
        _ => Err(refusal(operation, if code == 100 { 404 } else { 412 }, code, "[4 != 9]")),
    })
}

fn swapped(value: &str, from: u64) -> String {
    let (node, before) = (node(value, 1, 9), node("old", 1, from));
    format!(r#"{{"action":"compareAndSwap","node":{node},"prevNode":{before}}}"#)
}

#[tokio::test(start_paused = true)]
async fn a_swap_that_the_history_shows_is_a_success() {
    let (client, log) = refusing(101, Some(swapped("mine", 4)), None);
    let answer = client.compare_and_swap("/k", "mine", Compare::index(4)).resolve(true).await.unwrap();
    assert_eq!((answer.text(), answer.index().get()), ("mine", 9));
    assert_eq!(log.calls(), ["compare and swap /k", "compare and swap /k", "watch /k"]);
}

#[tokio::test(start_paused = true)]
async fn a_swap_is_a_success_even_if_somebody_has_overwritten_it_since() {
    let (client, _) = refusing(101, Some(swapped("mine", 4)), Some(node("later", 1, 30)));
    assert!(client.compare_and_swap("/k", "mine", Compare::index(4)).resolve(true).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_swap_whose_place_another_write_took_was_not_applied() {
    let set = format!(r#"{{"action":"set","node":{},"prevNode":{}}}"#, node("mine", 9, 9), node("old", 1, 4));
    for history in [swapped("theirs", 4), swapped("mine", 6), set] {
        let (client, _) = refusing(101, Some(history), None);
        let swap = client.compare_and_swap("/k", "mine", Compare::index(4)).resolve(true);
        let error = swap.await.unwrap_err();
        assert!(error.is_compare_failed());
        assert_eq!(error.outcome(), Outcome::NotApplied);
        assert_eq!(error.to_string(), "compare and swap /k: compare failed");
    }
}

#[tokio::test(start_paused = true)]
async fn without_history_the_value_decides_for_a_swap_and_another_value_proves_nothing() {
    let swap = |client: Client| client.compare_and_swap("/k", "mine", Compare::index(4)).resolve(true);
    let (client, _) = refusing(101, None, Some(node("mine", 1, 9)));
    assert_eq!(swap(client).await.unwrap().index().get(), 9);
    for now in [Some(node("theirs", 1, 9)), Some(node("mine", 1, 4)), None] {
        let (client, _) = refusing(101, None, now);
        let error = swap(client).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_siblings_are_passed_over_and_a_lost_directory_takes_the_key_along() {
    let seen = Arc::new(AtomicUsize::new(0));
    let (client, log) = operation_double(move |operation| match operation {
        Operation::Watch(watch) => match watch.wait_index.unwrap().get() {
            5 => event(
                r#"{"action":"compareAndSwap","node":{"key":"/dir/ka","value":"mine","modifiedIndex":6},
                    "prevNode":{"key":"/dir/ka","modifiedIndex":4}}"#,
            ),
            7 => event(r#"{"action":"delete","node":{"key":"/dir","dir":true,"modifiedIndex":8}}"#),
            other => panic!("asked from {other} on"),
        },
        _ if seen.fetch_add(1, Ordering::Relaxed) == 0 => Err(lost(operation)),
        _ => Err(refusal(operation, 404, 100, "/dir")),
    });
    let error = client.compare_and_swap("/dir/k", "mine", Compare::index(4)).resolve(true).await.unwrap_err();
    assert!(error.is_key_not_found() && error.outcome().is_not_applied());
    assert_eq!(log.calls().iter().filter(|call| call.starts_with("watch")).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_of_the_compared_index_is_ones_own() {
    let deleted = format!(
        r#"{{"action":"compareAndDelete","node":{{"key":"/k","modifiedIndex":9}},"prevNode":{}}}"#,
        node("old", 1, 4)
    );
    let (client, _) = refusing(100, Some(deleted), None);
    let answer = client.compare_and_delete("/k", Compare::index(4)).resolve(true).await.unwrap();
    assert_eq!(answer.prev_node.unwrap().text(), "old");

    let expired = format!(
        r#"{{"action":"expire","node":{{"key":"/k","modifiedIndex":9}},"prevNode":{}}}"#,
        node("old", 1, 4)
    );
    let (client, _) = refusing(100, Some(expired), None);
    let error = client.compare_and_delete("/k", Compare::index(4)).resolve(true).await.unwrap_err();
    assert!(error.is_key_not_found() && error.outcome().is_not_applied());
}

#[tokio::test(start_paused = true)]
async fn a_created_key_is_known_by_its_value_or_by_the_event_that_created_it() {
    let (client, _) = refusing(105, None, Some(node("mine", 9, 9)));
    assert_eq!(client.create("/k", "mine").resolve(true).await.unwrap().index().get(), 9);

    let created = format!(r#"{{"action":"create","node":{}}}"#, node("mine", 9, 9));
    let (client, _) = refusing(105, Some(created), Some(node("changed since", 9, 12)));
    let answer = client.create("/k", "mine").resolve(true).await.unwrap();
    assert_eq!((answer.text(), answer.index().get()), ("mine", 9));

    let replaced =
        format!(r#"{{"action":"set","node":{},"prevNode":{}}}"#, node("theirs", 12, 12), node("mine", 9, 9));
    let (client, _) = refusing(105, Some(replaced), Some(node("theirs", 12, 12)));
    assert_eq!(client.create("/k", "mine").resolve(true).await.unwrap().index().get(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_somebody_else_proves_nothing_of_a_creation() {
    let created = format!(r#"{{"action":"create","node":{}}}"#, node("theirs", 9, 9));
    let (client, _) = refusing(105, Some(created), Some(node("theirs", 9, 9)));
    let error = client.create("/k", "mine").resolve(true).await.unwrap_err();
    assert!(error.is_key_exists());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_removed_member_is_removed() {
    let sent = Arc::new(AtomicUsize::new(0));
    let (client, _) = operation_double(move |operation| match sent.fetch_add(1, Ordering::Relaxed) {
        0 => Err(refusal(operation, 500, 300, "etcdserver: request timed out")),
        _ => {
            let body = br#"{"message":"Member permanently removed: 8211f1d0f64f3269"}"#;
            let gone = http::StatusCode::GONE;
            Err(operation.decode(gone, &http::HeaderMap::new(), body).unwrap_err().into())
        }
    });
    client.members().remove("8211f1d0f64f3269").resolve(true).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_again_or_read_where_nobody_asked_or_no_index_guards() {
    for ask in [false, true] {
        let (client, log) = refusing(101, None, None);
        let compare = if ask { Compare::value("old") } else { Compare::index(4) };
        let error = client.compare_and_swap("/k", "mine", compare).resolve(ask).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert_eq!(log.calls().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_of_a_gateway_is_no_answer() {
    let (html, text) = ("<html>", "Gateway Timeout\n");
    for (status, content_type, page) in [
        (502, "text/html", html),
        (504, "text/plain", text),
        (500, "text/plain", text),
        (200, "text/html", html),
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let (client, log) = operation_double(move |operation| {
            if sent.fetch_add(1, Ordering::Relaxed) > 0 {
                return success(operation, &swapped("mine", 4));
            }
            let mut headers = http::HeaderMap::new();
            headers.insert("content-type", http::HeaderValue::from_static(content_type));
            let status = http::StatusCode::from_u16(status).unwrap();
            Err(operation.decode(status, &headers, page.as_bytes()).unwrap_err().into())
        });
        let swap = client.compare_and_swap("/k", "mine", Compare::index(4)).resolve(true);
        assert_eq!(swap.await.unwrap().index().get(), 9, "{status} {content_type}");
        assert_eq!(log.calls().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_only_copy_is_the_truth() {
    let (client, log) = operation_double(|operation| Err(refusal(operation, 412, 101, "[4 != 5]")));
    let swap = client.compare_and_swap("/k", "mine", Compare::index(4)).resolve(true);
    let error = swap.await.unwrap_err();
    assert!(error.is_compare_failed() && error.outcome().is_not_applied());
    assert_eq!(log.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_never_answers_ends_as_unknown_at_the_limit_of_the_call() {
    let (client, log) = operation_double(|operation| Err(lost(operation)));
    let begun = tokio::time::Instant::now();
    let create = client.create("/k", "mine").resolve(true).timeout(Duration::from_secs(2));
    let error = create.await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(begun.elapsed() <= Duration::from_secs(2));
    assert!((2..=8).contains(&log.calls().len()), "{:?}", log.calls());
}

#[tokio::test(start_paused = true)]
async fn a_history_that_says_nothing_is_not_waited_for_for_ever() {
    let sent = Arc::new(AtomicUsize::new(0));
    let (client, _) = operation_double(move |operation| match operation {
        // Only refreshes have changed the key: they leave no event, and the poll stays open.
        Operation::Watch(_) => {
            Ok(Response::Watch(WatchResponse::new(Header::default(), futures_util::stream::pending())))
        }
        Operation::Keys(KeysOperation::Get(_)) => {
            success(operation, &format!(r#"{{"action":"get","node":{}}}"#, node("old", 1, 9)))
        }
        _ if sent.fetch_add(1, Ordering::Relaxed) == 0 => Err(lost(operation)),
        _ => Err(refusal(operation, 412, 101, "[4 != 9]")),
    });
    let swap = client.compare_and_swap("/k", "mine", Compare::index(4)).resolve(true);
    let error = tokio::time::timeout(Duration::from_secs(15), swap).await.unwrap().unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
}
