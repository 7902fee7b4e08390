//! Changing a value in place, and making sure of a directory.

#![cfg(feature = "v2")]

mod double;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use double::{operation_double, refusal, success};
use etcd_client::Outcome;
use etcd_client::v2::Operation;
use etcd_client::v2::proto::keys::KeysOperation;

fn count(text: &str) -> Option<String> {
    Some((text.parse::<u64>().unwrap() + 1).to_string())
}

/// Value, ttl and index of the swaps and creations that were sent.
fn writes(log: &double::Log) -> Vec<(String, Option<u64>, Option<u64>)> {
    let write = |operation: Operation| match operation {
        Operation::Keys(KeysOperation::CompareAndSwap(swap)) => Some((
            swap.value,
            swap.ttl.map(|ttl| ttl.as_secs()),
            swap.compare.prev_index().map(|index| index.get()),
        )),
        Operation::Keys(KeysOperation::Create(create)) => {
            Some((create.value, create.ttl.map(|ttl| ttl.as_secs()), None))
        }
        _ => None,
    };
    log.operations().into_iter().filter_map(write).collect()
}

#[tokio::test]
async fn a_lost_race_starts_again_with_what_is_there_now() {
    let round = Arc::new(AtomicU64::new(0));
    let (client, log) = operation_double(move |operation| match operation {
        Operation::Keys(KeysOperation::Get(get)) => {
            assert!(get.quorum);
            let round = round.fetch_add(1, Ordering::Relaxed) + 1;
            let node = format!(r#"{{"key":"/n","value":"{round}0","modifiedIndex":{round}}}"#);
            success(operation, &format!(r#"{{"action":"get","node":{node}}}"#))
        }
        _ if round.load(Ordering::Relaxed) < 3 => Err(refusal(operation, 412, 101, "[1 != 2]")),
        _ => success(
            operation,
            r#"{"action":"compareAndSwap","node":{"key":"/n","value":"31","modifiedIndex":9}}"#,
        ),
    });
    let answer = client.modify("/n", count).await.unwrap();
    assert_eq!(answer.text(), "31");
    assert_eq!(
        writes(&log),
        [("11".into(), None, Some(1)), ("21".into(), None, Some(2)), ("31".into(), None, Some(3))]
    );
}

#[tokio::test]
async fn a_ttl_goes_on_unless_another_is_given_and_is_never_dropped() {
    let expiration = r#","expiration":"2026-11-21T07:31:16Z""#;
    for (node_ttl, given, sent) in [
        (r#","ttl":7"#, None, Some(7)),
        (r#","ttl":-3"#, None, Some(1)),
        // In its last second a node has an expiration and no ttl.
        (expiration, None, Some(1)),
        (r#","ttl":9200000000"#, None, Some(6_000_000_000)),
        (r#","ttl":7"#, Some(60), Some(60)),
        ("", None, None),
    ] {
        let node = format!(r#"{{"key":"/n","value":"1"{node_ttl},"modifiedIndex":4}}"#);
        let body = format!(r#"{{"action":"get","node":{node}}}"#);
        let (client, log) = operation_double(move |operation| success(operation, &body));
        let mut modify = client.modify("/n", count);
        if let Some(secs) = given {
            modify = modify.ttl(Duration::from_secs(secs));
        }
        modify.await.unwrap();
        assert_eq!(writes(&log), [("2".into(), sent, Some(4))]);
    }
}

#[tokio::test]
async fn a_missing_key_is_an_error_unless_it_may_be_created() {
    let (client, log) = operation_double(|operation| match operation {
        Operation::Keys(KeysOperation::Create(_)) => {
            success(operation, r#"{"action":"create","node":{"key":"/n","value":"1","modifiedIndex":9}}"#)
        }
        _ => Err(refusal(operation, 404, 100, "/n")),
    });
    assert!(client.modify("/n", count).await.unwrap_err().is_key_not_found());
    assert_eq!(client.modify("/n", count).or_create("1").await.unwrap().text(), "1");
    assert_eq!(writes(&log), [("1".into(), None, None)]);
}

#[tokio::test]
async fn nothing_is_written_where_the_change_is_none() {
    let (client, log) = operation_double(|operation| {
        success(operation, r#"{"action":"get","node":{"key":"/n","value":"1"}}"#)
    });
    assert_eq!(client.modify("/n", |_| None).await.unwrap().text(), "1");
    assert_eq!(log.calls(), ["get /n"]);
}

#[tokio::test]
async fn the_loop_ends_after_its_rounds_with_a_conflict() {
    let (client, log) = operation_double(|operation| match operation {
        Operation::Keys(KeysOperation::Get(_)) => {
            success(operation, r#"{"action":"get","node":{"key":"/n","value":"1","modifiedIndex":4}}"#)
        }
        _ => Err(refusal(operation, 412, 101, "[4 != 5]")),
    });
    let error = client.modify("/n", count).rounds(5).await.unwrap_err();
    assert!(error.is_conflict() && error.outcome().is_not_applied(), "{error:?}");
    assert_eq!(writes(&log).len(), 5);
}

#[tokio::test]
async fn the_loop_ends_at_an_outcome_that_is_not_known() {
    let (client, log) = operation_double(|operation| match operation {
        Operation::Keys(KeysOperation::Get(_)) => {
            success(operation, r#"{"action":"get","node":{"key":"/n","value":"1","modifiedIndex":4}}"#)
        }
        _ => Err(refusal(operation, 500, 300, "etcdserver: request timed out")),
    });
    let error = client.modify("/n", count).await.unwrap_err();
    assert!(error.is_cluster_unavailable());
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(writes(&log).len(), 1);
}

#[tokio::test]
async fn an_existing_directory_is_enough_and_a_file_is_not() {
    for (node, content) in [(r#"{"key":"/d","dir":true}"#, true), (r#"{"key":"/d","value":""}"#, false)] {
        let (client, log) = operation_double(move |operation| match operation {
            Operation::Keys(KeysOperation::Get(_)) => {
                success(operation, &format!(r#"{{"action":"get","node":{node}}}"#))
            }
            _ => Err(refusal(operation, 412, 105, "/d")),
        });
        let ensured = client.ensure_dir("/d").await;
        assert_eq!(ensured.is_ok(), content);
        if let Err(error) = ensured {
            assert!(error.is_not_a_directory() && error.outcome().is_not_applied());
        }
        assert_eq!(log.calls(), ["create dir /d", "get /d"]);
    }
}

#[tokio::test]
async fn a_directory_that_goes_in_between_is_made_again_and_not_for_ever() {
    let (client, log) = operation_double(move |operation| match operation {
        Operation::Keys(KeysOperation::Get(_)) => Err(refusal(operation, 404, 100, "/d")),
        _ => Err(refusal(operation, 412, 105, "/d")),
    });
    let error = client.ensure_dir("/d").await.unwrap_err();
    assert!(error.is_conflict() && error.outcome().is_not_applied());
    assert_eq!(log.calls().len(), 16);
}

#[tokio::test]
async fn the_root_is_a_directory_that_nobody_makes() {
    let (client, _) = operation_double(move |operation| Err(refusal(operation, 400, 107, "/")));
    client.ensure_dir("/").await.unwrap();
}
