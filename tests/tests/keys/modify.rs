//! Changing a value in place.

use std::time::Duration;

use etcd_client::v2::{Action, Compare};
use etcd_tests::{Scope, each_etcd};
use futures_util::future::join_all;

/// One more than a number in text.
fn one_more(text: &str) -> Option<String> {
    Some((text.parse::<u32>().unwrap() + 1).to_string())
}

#[tokio::test]
async fn a_change_starts_from_what_is_there() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let set = scope.client.set(scope.key("a"), "1").await.unwrap();
        let changed = scope.client.modify(scope.key("a"), one_more).await.unwrap();
        assert_eq!((&changed.action, changed.text()), (&Action::CompareAndSwap, "2"));
        assert_eq!(changed.node.created_index, set.node.created_index);
        let left = scope.client.modify(scope.key("a"), |_| None).await.unwrap();
        assert_eq!((&left.action, left.index()), (&Action::Get, changed.index()));
    })
    .await;
}

#[tokio::test]
async fn of_eight_that_change_a_value_at_once_none_is_lost() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let changes = (0..8).map(async |_| {
            for _ in 0..5 {
                scope.client.modify(scope.key("sum"), one_more).or_create("1").await.unwrap();
            }
        });
        join_all(changes).await;
        let sum = scope.client.get(scope.key("sum")).quorum(true).await.unwrap();
        assert_eq!(sum.text(), "40");
    })
    .await;
}

#[tokio::test]
async fn a_missing_key_is_created_only_when_asked() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let error = scope.client.modify(scope.key("a"), one_more).await.unwrap_err();
        assert!(error.is_key_not_found() && error.outcome().is_not_applied());
        let ttl = Duration::from_secs(500);
        let made = scope.client.modify(scope.key("a"), one_more).or_create("7").ttl(ttl).await.unwrap();
        assert_eq!((&made.action, made.text(), made.node.ttl), (&Action::Create, "7", Some(500)));
    })
    .await;
}

#[tokio::test]
async fn a_directory_has_no_value_to_change() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        scope.client.create_dir(scope.dir()).await.unwrap();
        let error = scope.client.modify(scope.dir(), |_| panic!("asked")).or_create("x").await.unwrap_err();
        assert!(error.is_not_a_file() && error.outcome().is_not_applied(), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn the_time_to_live_goes_on() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        scope.client.set(scope.key("a"), "1").ttl(Duration::from_secs(500)).await.unwrap();
        let changed = scope.client.modify(scope.key("a"), one_more).await.unwrap();
        assert!(changed.node.ttl.is_some_and(|ttl| (400..=500).contains(&ttl)), "{changed:?}");
        let longer = Duration::from_secs(9_000);
        let changed = scope.client.modify(scope.key("a"), one_more).ttl(longer).await.unwrap();
        assert_eq!((changed.text(), changed.node.ttl), ("3", Some(9_000)));
        scope.client.update(scope.key("a"), "1").await.unwrap();
        assert_eq!(scope.client.modify(scope.key("a"), one_more).await.unwrap().node.ttl, None);
    })
    .await;
}

#[tokio::test]
async fn a_change_that_others_always_beat_is_a_conflict() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, key) = (scope.client.clone(), scope.key("a"));
        client.set(&key, "0").await.unwrap();
        // The rival writes on a thread of its own, between this change's read and its swap.
        // Its connections are its own too: the others stand still with this thread.
        let rival = {
            let (client, key) = (Scope::new(etcd).client, key.clone());
            move |_: &str| {
                let write = client.set(key.as_str(), "rival");
                std::thread::spawn(move || etcd_client::blocking::Wait::wait(write)).join().unwrap().unwrap();
                Some("mine".to_owned())
            }
        };
        let error = client.modify(&key, rival).rounds(3).await.unwrap_err();
        assert!(error.is_conflict() && error.outcome().is_not_applied() && error.is_retryable());
        assert_eq!(error.key().unwrap().as_str(), key);
        let last = client.get(&key).await.unwrap();
        assert_eq!(last.text(), "rival");
        client.compare_and_delete(&key, Compare::index(last.index())).await.unwrap();
    })
    .await;
}
