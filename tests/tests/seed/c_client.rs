//! What the C client (`etcd-api`) shows, but for its locks.

use std::time::Duration;

use etcd_client::v2::Compare;
use etcd_client::{Endpoint, Endpoints};
use etcd_tests::{Refused, Scope, each_etcd, patient};

#[test]
fn etcd_open_str_takes_the_same_lists() {
    let list = |text: &str| -> Vec<String> {
        let endpoints = Endpoints::parse_with_default_port(text, 4001).unwrap();
        endpoints.iter().map(Endpoint::to_string).collect()
    };
    assert_eq!(list("127.0.0.1:1, 127.0.0.1:27011;"), ["http://127.0.0.1:1", "http://127.0.0.1:27011"]);
    assert_eq!(list(" \t\r\n,;a;;b:2 ,c"), ["http://a:4001", "http://b:2", "http://c:4001"]);
    assert!(Endpoints::parse(" ,; ").is_err());
}

#[tokio::test]
async fn etcd_get_reads_a_value_or_the_keys_of_a_directory() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        client.set("/d/a", "one").await.unwrap();
        client.set("/d/b", "two").await.unwrap();
        assert_eq!(client.get("/d/a").await.unwrap().text(), "one");
        let dir = client.get("/d").sorted(true).await.unwrap().node;
        let keys: Vec<_> = dir.nodes.iter().map(|node| node.key.as_str()).collect();
        assert_eq!(keys.join("\n"), "/d/a\n/d/b");
        assert!(client.get("/none").await.unwrap_err().is_key_not_found());
    })
    .await;
}

#[tokio::test]
async fn etcd_set_takes_a_ttl_and_a_precondition() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        assert!(client.set("/a", "1").await.unwrap().index().get() > 0);
        let ttl = Duration::from_secs(5_000);
        let swapped = client.compare_and_swap("/a", "2", Compare::value("1")).ttl(ttl).await.unwrap();
        assert_eq!((swapped.text(), swapped.node.ttl), ("2", Some(5_000)));
        assert!(
            client.compare_and_swap("/a", "3", Compare::value("1")).await.unwrap_err().is_compare_failed()
        );
        assert_eq!(client.get("/a").await.unwrap().text(), "2");
    })
    .await;
}

#[tokio::test]
async fn etcd_watch_goes_on_behind_the_event_that_it_has_seen() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        let mut index = client.set("/w/a", "1").await.unwrap().index();
        client.set("/w/b/c", "2").await.unwrap();
        client.delete("/w/a").await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..3 {
            let event = client.watch("/w").recursive(true).from(index).next_event().await.unwrap();
            index = event.index().next();
            seen.push((event.node.key.as_str().to_owned(), event.node.value));
        }
        let value = |text: &str| Some(text.to_owned());
        let all = [("/w/a".into(), value("1")), ("/w/b/c".into(), value("2")), ("/w/a".into(), None)];
        assert_eq!(seen, all);
    })
    .await;
}

#[tokio::test]
async fn etcd_delete_deletes() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).inside();
        client.set("/a", "1").await.unwrap();
        client.delete("/a").await.unwrap();
        assert!(client.delete("/a").await.unwrap_err().is_key_not_found());
    })
    .await;
}

#[tokio::test]
async fn etcd_leader_names_the_leader() {
    each_etcd(async |etcd| {
        let client = Scope::new(etcd).client;
        let leader = client.members().leader().await.unwrap();
        assert_eq!(client.stats().leader().await.unwrap().leader, leader.id);
    })
    .await;
}

#[tokio::test]
async fn a_dead_server_is_skipped_and_a_failed_precondition_is_not_taken_elsewhere() {
    let dead = Refused::new();
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let list = format!("{}; {}\n{}", dead.endpoint(), etcd.endpoints()[0], Refused::new().endpoint());
        let client = patient([list]).build().unwrap();
        let set = client.set(scope.key("a"), "1").await.unwrap();
        assert_eq!(set.attempts, 2);
        let error = client.compare_and_swap(scope.key("a"), "2", Compare::value("x")).await.unwrap_err();
        assert!(error.is_compare_failed() && error.outcome().is_not_applied());
        assert_eq!(error.attempts().made(), 1);
    })
    .await;
}
