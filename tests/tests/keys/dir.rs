//! Directories.

use std::time::Duration;

use etcd_client::Outcome;
use etcd_client::v2::Action;
use etcd_testkit::Series;
use etcd_tests::{Scope, each_etcd};

#[tokio::test]
async fn a_directory_is_set_once_and_replaces_a_file() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let made = scope.client.set_dir(scope.key("d")).await.unwrap();
        assert_eq!((&made.action, made.node.dir, &made.node.value), (&Action::Set, true, &None));
        let error = scope.client.set_dir(scope.key("d")).await.unwrap_err();
        assert!(error.is_not_a_file() && error.outcome().is_not_applied(), "{error:?}");
        scope.client.set(scope.key("f"), "lost").await.unwrap();
        let replaced = scope.client.set_dir(scope.key("f")).await.unwrap();
        assert!(replaced.node.dir);
        assert_eq!(replaced.prev_node.unwrap().text(), "lost");
    })
    .await;
}

#[tokio::test]
async fn a_directory_is_created_where_nothing_is() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let made = scope.client.create_dir(scope.key("d")).await.unwrap();
        assert_eq!((&made.action, made.node.dir), (&Action::Create, true));
        scope.client.set(scope.key("f"), "kept").await.unwrap();
        for name in ["d", "f"] {
            let error = scope.client.create_dir(scope.key(name)).await.unwrap_err();
            assert!(error.is_key_exists() && error.outcome().is_not_applied(), "{error:?}");
        }
        assert_eq!(scope.client.get(scope.key("f")).await.unwrap().text(), "kept");
    })
    .await;
}

#[tokio::test]
async fn a_directorys_ttl_changes_on_3_4_and_is_refused_for_good_on_3_5() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let made = scope.client.create_dir(scope.key("d")).await.unwrap();
        let update = scope.client.update_dir(scope.key("d")).ttl(Duration::from_secs(500)).await;
        let refresh = scope.client.refresh(scope.key("d"), Duration::from_secs(600)).await;
        if etcd.version().series() == Some(Series::V3_4) {
            let update = update.unwrap();
            assert_eq!((&update.action, update.node.dir), (&Action::Update, true));
            assert_eq!(update.node.created_index, made.node.created_index);
            assert!(update.node.ttl.is_some_and(|ttl| ttl > 400));
            assert!(refresh.unwrap().node.ttl.is_some_and(|ttl| ttl > 500));
            assert_eq!(scope.client.update_dir(scope.key("d")).await.unwrap().node.ttl, None);
            return;
        }
        for error in [update.unwrap_err(), refresh.unwrap_err()] {
            assert!(error.is_directory_ttl(), "{error:?}");
            assert_eq!(error.outcome(), Outcome::NotApplied);
            assert!(!error.is_retryable());
            assert!(error.api().unwrap().cause.as_ref().unwrap().starts_with("nodePath "));
        }
        let after = scope.client.get(scope.key("d")).await.unwrap().node;
        assert_eq!((after.ttl, after.modified_index), (None, made.index()));
    })
    .await;
}

#[tokio::test]
async fn an_update_of_a_missing_directory_is_refused() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let error = scope.client.update_dir(scope.key("none")).await.unwrap_err();
        assert!(error.is_key_not_found() && error.outcome().is_not_applied(), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_directory_with_children_is_deleted_only_with_them() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let made = scope.client.create_dir(scope.key("d")).await.unwrap();
        let set = scope.client.set(scope.key("d/_hidden"), "1").await.unwrap();
        assert!(scope.client.delete(scope.key("d")).await.unwrap_err().is_not_a_file());
        let error = scope.client.delete_dir(scope.key("d")).await.unwrap_err();
        assert!(error.is_directory_not_empty() && error.outcome().is_not_applied(), "{error:?}");
        assert!(error.api().unwrap().index >= set.index());
        let deleted = scope.client.delete_dir(scope.key("d")).recursive(true).await.unwrap();
        assert_eq!((&deleted.action, deleted.node.dir), (&Action::Delete, true));
        assert_eq!(deleted.node.created_index, made.node.created_index);
        let before = deleted.prev_node.unwrap();
        assert!(before.dir && before.nodes.is_empty());
        assert!(!scope.client.exists(scope.key("d/_hidden")).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn an_empty_directory_and_a_file_are_deleted_as_they_are() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        scope.client.create_dir(scope.key("d")).await.unwrap();
        scope.client.set(scope.key("f"), "1").await.unwrap();
        assert!(scope.client.delete_dir(scope.key("d")).await.unwrap().node.dir);
        let file = scope.client.delete_dir(scope.key("f")).await.unwrap();
        assert_eq!(file.prev_node.unwrap().text(), "1");
        assert!(scope.client.delete_dir(scope.key("f")).await.unwrap_err().is_key_not_found());
    })
    .await;
}

#[tokio::test]
async fn a_directory_is_ensured_twice_and_a_file_in_its_place_is_left_alone() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let ttl = Duration::from_secs(500);
        scope.client.ensure_dir(scope.key("a/d")).ttl(ttl).await.unwrap();
        let made = scope.client.get(scope.key("a/d")).await.unwrap().node;
        assert!(made.dir && made.ttl.is_some());
        scope.client.ensure_dir(scope.key("a/d")).await.unwrap();
        let again = scope.client.get(scope.key("a/d")).await.unwrap().node;
        assert_eq!((again.modified_index, again.expiration), (made.modified_index, made.expiration));
        let file = scope.client.set(scope.key("f"), "kept").await.unwrap();
        let error = scope.client.ensure_dir(scope.key("f")).await.unwrap_err();
        assert!(error.is_not_a_directory() && error.outcome().is_not_applied(), "{error:?}");
        assert_eq!(error.key().unwrap().as_str(), scope.key("f"));
        assert_eq!(scope.client.get(scope.key("f")).await.unwrap().node, file.node);
        let error = scope.client.ensure_dir(scope.key("f/x")).await.unwrap_err();
        assert!(error.is_not_a_directory() && error.outcome().is_not_applied(), "{error:?}");
        scope.client.ensure_dir("/").await.unwrap();
    })
    .await;
}
