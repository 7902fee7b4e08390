//! Adding in order.

use etcd_client::v2::Action;
use etcd_tests::{Scope, each_etcd};

#[tokio::test]
async fn entries_are_named_by_their_index_and_listed_in_order() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let queue = scope.key("queue");
        let mut keys = Vec::new();
        for job in ["Job1", "Job2"] {
            let added = scope.client.create_in_order(&queue, job).await.unwrap();
            assert_eq!((&added.action, added.text()), (&Action::Create, job));
            assert_eq!(added.node.key.as_str(), format!("{queue}/{:020}", added.node.created_index.get()));
            assert_eq!(added.node.created_index, added.header.etcd_index);
            keys.push(added.node.key);
        }
        let dir = scope.client.create_dir_in_order(&queue).await.unwrap();
        assert!(dir.node.dir && dir.action == Action::Create);
        keys.push(dir.node.key);
        let listed = scope.client.get(&queue).sorted(true).await.unwrap().node.nodes;
        assert_eq!(listed.iter().map(|node| node.key.clone()).collect::<Vec<_>>(), keys);
        assert_eq!(listed[1].text(), "Job2");
        assert!(listed[2].dir);
    })
    .await;
}

#[tokio::test]
async fn an_entrys_key_is_known_without_its_node() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let value =
            scope.client.create_in_order(scope.key("q"), "x").no_value_on_success(true).await.unwrap();
        let dir = scope.client.create_dir_in_order(scope.key("q")).no_value_on_success(true).await.unwrap();
        assert_eq!(scope.client.get(&value.node.key).await.unwrap().text(), "x");
        let found = scope.client.get(&dir.node.key).await.unwrap();
        assert!(found.node.dir);
        assert_eq!(found.node.created_index, dir.index());
    })
    .await;
}

#[tokio::test]
async fn nothing_is_added_to_a_file() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        scope.client.set(scope.key("f"), "kept").await.unwrap();
        for error in [
            scope.client.create_in_order(scope.key("f"), "x").await.unwrap_err(),
            scope.client.create_dir_in_order(scope.key("f")).await.unwrap_err(),
        ] {
            assert!(error.is_not_a_directory() && error.outcome().is_not_applied(), "{error:?}");
        }
        assert_eq!(scope.client.get(scope.key("f")).await.unwrap().text(), "kept");
    })
    .await;
}
