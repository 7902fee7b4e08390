//! Times to live.

use std::time::Duration;

use etcd_client::v2::{Action, Compare, KeysResponse};
use etcd_testkit::Series;
use etcd_tests::{Scope, each_etcd, eventually};

const LONG: Duration = Duration::from_secs(9_000);

fn assert_lives(answer: &KeysResponse) {
    let ttl = answer.node.ttl.unwrap_or_else(|| panic!("no ttl in {answer:?}"));
    assert!((8_000..=9_000).contains(&ttl), "{answer:?}");
    let expiration = answer.node.expiration.as_deref().unwrap();
    assert!(expiration.ends_with('Z') && expiration.contains('T'), "{expiration}");
}

fn assert_immortal(answer: &KeysResponse) {
    assert_eq!((answer.node.ttl, answer.node.expiration.as_deref()), (None, None), "{answer:?}");
}

#[tokio::test]
async fn every_write_of_a_value_takes_a_ttl() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, a) = (&scope.client, scope.key("a"));
        assert_lives(&client.set(&a, "1").ttl(LONG).await.unwrap());
        assert_lives(&client.compare_and_swap(&a, "2", Compare::value("1")).ttl(LONG).await.unwrap());
        assert_lives(&client.update(&a, "3").ttl(LONG).await.unwrap());
        assert_lives(&client.get(&a).await.unwrap());
        assert_lives(&client.create(scope.key("b"), "1").ttl(LONG).await.unwrap());
        assert_lives(&client.create_in_order(scope.key("queue"), "1").ttl(LONG).await.unwrap());
        assert_lives(&client.refresh(&a, LONG).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn every_making_of_a_directory_takes_a_ttl() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let client = &scope.client;
        assert_lives(&client.set_dir(scope.key("a")).ttl(LONG).await.unwrap());
        assert_lives(&client.create_dir(scope.key("b")).ttl(LONG).await.unwrap());
        assert_lives(&client.create_dir_in_order(scope.key("queue")).ttl(LONG).await.unwrap());
        client.ensure_dir(scope.key("c")).ttl(LONG).await.unwrap();
        assert_lives(&client.get(scope.key("c")).await.unwrap());
        let update = client.update_dir(scope.key("b")).ttl(Duration::from_secs(8_500)).await;
        match etcd.version().series() {
            Some(Series::V3_5) => assert!(update.unwrap_err().is_directory_ttl()),
            _ => assert_lives(&update.unwrap()),
        }
    })
    .await;
}

#[tokio::test]
async fn a_write_without_a_ttl_makes_the_key_immortal() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, a) = (&scope.client, scope.key("a"));
        assert_lives(&client.set(&a, "1").ttl(LONG).await.unwrap());
        let updated = client.update(&a, "2").await.unwrap();
        assert_immortal(&updated);
        assert!(updated.prev_node.unwrap().ttl.is_some());
        assert_lives(&client.update(&a, "3").ttl(LONG).await.unwrap());
        assert_immortal(&client.compare_and_swap(&a, "4", Compare::value("3")).await.unwrap());
        assert_lives(&client.update(&a, "5").ttl(LONG).await.unwrap());
        assert_immortal(&client.set(&a, "6").await.unwrap());
        assert_immortal(&client.get(&a).await.unwrap());
        if etcd.version().series() == Some(Series::V3_4) {
            client.create_dir(scope.key("d")).ttl(LONG).await.unwrap();
            assert_immortal(&client.update_dir(scope.key("d")).await.unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn fractions_of_a_second_are_rounded_up() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        for (nanos, secs) in [(1, 501), (999_999_999, 501), (0, 500)] {
            let ttl = Duration::new(500, nanos);
            let set = scope.client.set(scope.key("a"), "1").ttl(ttl).await.unwrap();
            assert_eq!(set.node.ttl, Some(secs));
        }
    })
    .await;
}

#[tokio::test]
async fn a_ttl_of_190_years_is_kept_as_asked() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        // Longer ones end behind the year 2262, where the server's clock arithmetic overflows.
        let ttl = Duration::from_secs(6_000_000_000);
        assert_eq!(
            scope.client.set(scope.key("a"), "1").ttl(ttl).await.unwrap().node.ttl,
            Some(6_000_000_000)
        );
        let updated = scope.client.update(scope.key("a"), "1").ttl(ttl).await.unwrap();
        assert_eq!(updated.node.ttl, Some(6_000_000_000));
    })
    .await;
}

#[tokio::test]
async fn what_expires_is_gone_and_its_watcher_is_told() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let second = Duration::from_secs(1);
        let set = scope.client.set(scope.key("a"), "1").ttl(second).await.unwrap();
        let dir = scope.client.create_dir(scope.key("d")).ttl(second).await.unwrap();
        scope.client.set(scope.key("d/inside"), "1").await.unwrap();
        let event = scope.client.watch(scope.key("a")).after(set.index()).next_event().await.unwrap();
        assert_eq!((&event.action, &event.node.value), (&Action::Expire, &None));
        assert_eq!(event.node.created_index, set.node.created_index);
        assert!(event.index() > set.index());
        let before = event.prev_node.unwrap();
        assert_eq!((before.text(), &before.expiration), ("1", &set.node.expiration));
        let event = scope.client.watch(scope.key("d")).recursive(true).from(dir.index().next());
        let event = event.next_event().await.unwrap();
        assert_eq!(event.action, Action::Set, "the child's event comes first");
        let event = scope.client.watch(scope.key("d")).recursive(true).after(event.index());
        let event = event.next_event().await.unwrap();
        assert_eq!((&event.action, event.node.dir), (&Action::Expire, true));
        eventually("expiry of what is inside", async || {
            (!scope.client.exists(scope.key("d/inside")).await.unwrap()).then_some(())
        })
        .await;
        assert!(!scope.client.exists(scope.key("a")).await.unwrap());
    })
    .await;
}
