//! Members, statistics, machines, version and health of a single node.

use etcd_client::v2::Compare;
use etcd_tests::{Scope, each_etcd};

#[tokio::test]
async fn version_health_and_machines_are_told() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).client;
        let version = client.version().await.unwrap();
        assert_eq!(version.server, etcd.version().to_string());
        let cluster = version.cluster.unwrap();
        assert!(version.server.starts_with(cluster.trim_end_matches(".0")), "{cluster}");
        let health = client.health().await.unwrap();
        assert!(health.healthy && health.reason.is_empty(), "{health:?}");
        assert_eq!(client.machines().await.unwrap(), etcd.endpoints());
    })
    .await;
}

#[tokio::test]
async fn the_only_member_is_listed_and_leads() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).client;
        let list = client.members().list().await.unwrap();
        assert_eq!((list.len(), &list[0].client_urls), (1, &etcd.endpoints()));
        assert_eq!(client.members().by_id().await.unwrap()[&list[0].id], list[0]);
        assert_eq!(client.members().leader().await.unwrap(), list[0]);
        let this = client.stats().this_member().await.unwrap();
        assert_eq!((&this.id, &this.name), (&list[0].id, &list[0].name));
        assert_eq!((this.state.as_str(), &this.leader_info.leader), ("StateLeader", &this.id));
        assert!(!this.start_time.is_empty() && !this.leader_info.uptime.is_empty());
        let leader = client.stats().leader().await.unwrap();
        assert_eq!((leader.leader, leader.followers.len()), (list[0].id.clone(), 0));
    })
    .await;
}

#[tokio::test]
async fn the_store_counts_what_is_asked_of_it() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, a) = (&scope.client, scope.key("a"));
        let before = client.stats().store().await.unwrap();
        client.create(&a, "1").await.unwrap();
        client.create(&a, "1").await.unwrap_err();
        client.set(&a, "2").await.unwrap();
        client.update(&a, "3").await.unwrap();
        client.update(scope.key("none"), "3").await.unwrap_err();
        client.compare_and_swap(&a, "4", Compare::value("3")).await.unwrap();
        client.compare_and_swap(&a, "4", Compare::value("3")).await.unwrap_err();
        client.get(&a).await.unwrap();
        client.get(scope.key("none")).await.unwrap_err();
        client.compare_and_delete(&a, Compare::value("3")).await.unwrap_err();
        client.compare_and_delete(&a, Compare::value("4")).await.unwrap();
        client.delete(&a).await.unwrap_err();
        let watch = client.poll(&a).await.unwrap();
        let after = client.stats().store().await.unwrap();
        drop(watch);
        // Other tests use the same node, so each has grown by at least what was done here. That of a refused
        // compare-and-delete stays 0 on 3.4 and 3.5.
        for (name, before, after) in [
            ("createSuccess", before.create_success, after.create_success),
            ("createFail", before.create_fail, after.create_fail),
            ("setsSuccess", before.sets_success, after.sets_success),
            ("updateSuccess", before.update_success, after.update_success),
            ("updateFail", before.update_fail, after.update_fail),
            ("compareAndSwapSuccess", before.compare_and_swap_success, after.compare_and_swap_success),
            ("compareAndSwapFail", before.compare_and_swap_fail, after.compare_and_swap_fail),
            ("compareAndDeleteSuccess", before.compare_and_delete_success, after.compare_and_delete_success),
            ("getsSuccess", before.gets_success, after.gets_success),
            ("getsFail", before.gets_fail, after.gets_fail),
            ("deleteFail", before.delete_fail, after.delete_fail),
        ] {
            assert!(after > before, "{name}: {before} before, {after} after");
        }
        assert!(after.watchers > 0 && after.other.is_empty(), "{after:?}");
    })
    .await;
}

#[tokio::test]
async fn auth_is_off_unless_it_is_enabled() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).client;
        assert!(!client.auth().status().await.unwrap().enabled);
        assert!(client.auth().disable().await.unwrap_err().outcome().is_not_applied());
        assert!(client.auth().roles().list().await.unwrap().iter().any(|role| role.name == "root"));
    })
    .await;
}
