//! Directories and in-order keys, as Etcd.jl shows them.

use std::time::Duration;

use etcd_client::v2::{Action, ErrorCode};
use etcd_testkit::Series;
use etcd_tests::{Scope, each_etcd};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn set_dir_and_create_dir() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        let set = client.set_dir("/dir").ttl(MINUTE).await.unwrap();
        assert_eq!((&set.action, set.node.dir, set.node.ttl), (&Action::Set, true, Some(60)));
        assert_eq!((&set.node.value, set.node.key.as_str()), (&None, "/dir"));
        let error = client.set_dir("/dir").await.unwrap_err();
        assert_eq!(error.api().unwrap().code, Some(ErrorCode::NotAFile));
        let error = client.create_dir("/dir").await.unwrap_err();
        assert_eq!(error.api().unwrap().code, Some(ErrorCode::KeyExists));
        let created = client.create_dir("/other").ttl(MINUTE).await.unwrap();
        assert_eq!((&created.action, created.node.dir, created.node.ttl), (&Action::Create, true, Some(60)));
        assert_eq!(created.node.created_index, created.node.modified_index);
    })
    .await;
}

#[tokio::test]
async fn update_dir() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        let error = client.update_dir("/dir").ttl(MINUTE).await.unwrap_err();
        assert_eq!(error.api().unwrap().code, Some(ErrorCode::KeyNotFound));
        let created = client.create_dir("/dir").await.unwrap();
        let updated = client.update_dir("/dir").ttl(MINUTE).await;
        if etcd.version().series() == Some(Series::V3_5) {
            // A defect of that server.
            assert!(updated.unwrap_err().is_directory_ttl());
            return;
        }
        let updated = updated.unwrap();
        assert_eq!((&updated.action, updated.node.dir, updated.node.ttl), (&Action::Update, true, Some(60)));
        assert_eq!(updated.node.created_index, created.node.created_index);
        assert!(updated.node.modified_index > created.node.modified_index);
        assert_eq!(updated.prev_node, Some(created.node));
        assert_eq!(client.update_dir("/dir").await.unwrap().node.ttl, None);
    })
    .await;
}

#[tokio::test]
async fn delete_dir() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        client.set("/dir/x", "1").await.unwrap();
        let error = client.delete_dir("/dir").await.unwrap_err();
        assert_eq!(error.api().unwrap().code, Some(ErrorCode::DirectoryNotEmpty));
        assert_eq!(error.api().unwrap().message, "Directory not empty");
        let deleted = client.delete_dir("/dir").recursive(true).await.unwrap();
        assert_eq!((&deleted.action, deleted.node.dir), (&Action::Delete, true));
        assert!(deleted.prev_node.unwrap().dir);
        assert!(!client.exists("/dir/x").await.unwrap());
        client.create_dir("/dir").await.unwrap();
        client.delete_dir("/dir").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn create_in_order_and_add_child() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        let first = client.create_in_order("/queue", "Job1").await.unwrap();
        let second = client.create_in_order("/queue", "Job2").ttl(MINUTE).await.unwrap();
        for (answer, value) in [(&first, "Job1"), (&second, "Job2")] {
            assert_eq!((&answer.action, answer.text()), (&Action::Create, value));
            let number: u64 = answer.node.key.name().parse().unwrap();
            assert_eq!(number, answer.node.created_index.get());
        }
        assert_eq!((first.node.ttl, second.node.ttl), (None, Some(60)));
        let queue = client.get("/queue").sorted(true).await.unwrap().node;
        let values: Vec<_> = queue.nodes.iter().map(|node| node.text()).collect();
        assert_eq!(values, ["Job1", "Job2"]);
    })
    .await;
}

#[tokio::test]
async fn create_in_order_dir_and_add_child_dir() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        // J1 makes an empty file here and calls it a directory.
        let made = client.create_dir_in_order("/queue").ttl(MINUTE).await.unwrap();
        assert_eq!((&made.action, made.node.dir, made.node.ttl), (&Action::Create, true, Some(60)));
        let number: u64 = made.node.key.name().parse().unwrap();
        assert_eq!(number, made.node.created_index.get());
        client.set(made.node.key.join("x").unwrap(), "1").await.unwrap();
    })
    .await;
}
