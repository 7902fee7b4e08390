//! Bad input is a typed error before anything is sent, and names what is bad.

use std::time::Duration;

use etcd_client::v2::{Client, Compare, Index, Key};
use etcd_client::{Error, ErrorKind};
use etcd_tests::{Peer, Refused, patient, printed};

/// Nothing was sent, and the error says what is bad.
fn assert_unsent(error: &Error, kind: ErrorKind, named: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.outcome().is_not_applied() && !error.is_retryable());
    assert!(error.api().is_none() && error.http_status().is_none() && error.attempts().is_empty());
    let text = printed(error);
    assert!(text.contains(named), "{named:?} is not named: {text}");
}

/// A client, and a peer that no request may reach.
async fn client() -> (Client, Peer) {
    let peer = Peer::with_body("200 OK", "application/json", "{}").await;
    (patient([peer.endpoint()]).build().unwrap(), peer)
}

#[test]
fn a_list_of_endpoints_without_any_is_refused() {
    for list in ["", " ", ",; \n"] {
        assert_unsent(&Client::connect(list).unwrap_err(), ErrorKind::InvalidConfig, "no servers");
    }
    assert_unsent(&Client::builder().build().unwrap_err(), ErrorKind::InvalidConfig, "no servers");
    let none = Client::builder().endpoints([""; 0]).build().unwrap_err();
    assert_unsent(&none, ErrorKind::InvalidConfig, "no servers");
}

#[test]
fn a_bad_endpoint_is_named() {
    for (list, named) in [
        ("127.0.0.1, b:99999", "b:99999"),
        ("ftp://host", "ftp"),
        ("http://host/path", "http://host/path"),
        ("a:1:2", "a:1:2"),
        ("http://", "http://"),
        ("ho%20st", "ho%20st"),
    ] {
        assert_unsent(&Client::connect(list).unwrap_err(), ErrorKind::InvalidConfig, named);
    }
    let error = Client::connect("http://ann:canary@host").unwrap_err();
    assert_unsent(&error, ErrorKind::InvalidConfig, "host");
    assert!(!printed(&error).contains("canary"));
}

#[test]
fn plain_text_beside_https_is_refused() {
    let error = Client::connect("https://safe:2379, http://open:2379").unwrap_err();
    assert_unsent(&error, ErrorKind::InvalidConfig, "http://open:2379");
}

#[test]
fn credentials_do_not_go_over_an_open_network_unasked() {
    let open = || Client::builder().endpoints(["10.0.0.1"]).credentials("ann", "canary");
    let error = open().build().unwrap_err();
    assert_unsent(&error, ErrorKind::InsecureAuth, "10.0.0.1");
    assert!(!printed(&error).contains("canary"));
    open().allow_plaintext_auth(true).build().unwrap();
    let colon = Client::builder().endpoints(["127.0.0.1"]).credentials("an:n", "canary");
    let error = colon.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(!printed(&error).contains("canary"));
}

#[tokio::test]
async fn a_key_that_etcd_cannot_hold_is_not_sent() {
    let (client, peer) = client().await;
    let long = "k".repeat(5_000);
    for (key, named) in [
        ("/a/../b", "/a/../b"),
        ("/a/./b", "/a/./b"),
        ("/a//b", "/a//b"),
        ("//", "//"),
        ("", "empty"),
        ("..", ".."),
        (long.as_str(), "too long"),
    ] {
        for error in [
            client.get(key).await.unwrap_err(),
            client.exists(key).await.unwrap_err(),
            client.set(key, "1").await.unwrap_err(),
            client.create_in_order(key, "1").await.unwrap_err(),
            client.delete_dir(key).await.unwrap_err(),
            client.compare_and_delete(key, Compare::value("1")).await.unwrap_err(),
            client.ensure_dir(key).await.unwrap_err(),
            client.modify(key, |_| None).await.unwrap_err(),
            client.watch(key).next_event().await.unwrap_err(),
            client.namespace(key).unwrap_err(),
        ] {
            assert_unsent(&error, ErrorKind::InvalidKey, named);
        }
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn a_ttl_that_etcd_does_not_keep_is_not_sent() {
    let (client, peer) = client().await;
    for (ttl, named) in [
        (Duration::ZERO, "ttl 0 s"),
        (Duration::from_secs(6_000_000_001), "ttl 6000000001 s"),
        (Duration::from_secs(9_000_000_001), "ttl 9000000001 s"),
        (Duration::MAX, "ttl 18446744073709551615 s"),
    ] {
        let compare = Compare::value("1");
        for error in [
            client.set("/a", "1").ttl(ttl).await.unwrap_err(),
            client.create("/a", "1").ttl(ttl).await.unwrap_err(),
            client.update("/a", "1").ttl(ttl).await.unwrap_err(),
            client.refresh("/a", ttl).await.unwrap_err(),
            client.compare_and_swap("/a", "1", compare).ttl(ttl).await.unwrap_err(),
            client.set_dir("/a").ttl(ttl).await.unwrap_err(),
            client.create_dir("/a").ttl(ttl).await.unwrap_err(),
            client.update_dir("/a").ttl(ttl).await.unwrap_err(),
            client.create_in_order("/a", "1").ttl(ttl).await.unwrap_err(),
            client.create_dir_in_order("/a").ttl(ttl).await.unwrap_err(),
            client.ensure_dir("/a").ttl(ttl).await.unwrap_err(),
            client.modify("/a", |_| None).ttl(ttl).await.unwrap_err(),
        ] {
            assert_unsent(&error, ErrorKind::InvalidTtl, named);
        }
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn index_0_and_empty_conditions_are_not_sent() {
    let (client, peer) = client().await;
    for compare in [Compare::index(0), Compare::value("x").and_index(Index::NONE)] {
        for error in [
            client.compare_and_swap("/a", "1", compare.clone()).await.unwrap_err(),
            client.compare_and_delete("/a", compare.clone()).await.unwrap_err(),
            client.refresh("/a", Duration::from_secs(5)).compare(compare.clone()).await.unwrap_err(),
        ] {
            assert_unsent(&error, ErrorKind::InvalidIndex, "index 0");
        }
    }
    for compare in [Compare::value(""), Compare::index(7).and_value("")] {
        for error in [
            client.compare_and_swap("/a", "1", compare.clone()).await.unwrap_err(),
            client.compare_and_delete("/a", compare.clone()).await.unwrap_err(),
        ] {
            assert_unsent(&error, ErrorKind::InvalidCompare, "empty value");
        }
    }
    let error = client.watch("/a").from(0).next_event().await.unwrap_err();
    assert_unsent(&error, ErrorKind::InvalidIndex, "index 0");
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn what_is_too_long_for_etcd_is_not_sent() {
    let (client, peer) = client().await;
    let long = "canary".repeat(1_000);
    let error = client.compare_and_delete("/a", Compare::value(long)).await.unwrap_err();
    assert_unsent(&error, ErrorKind::RequestTooLong, "prevValue");
    assert!(!printed(&error).contains("canary"));
    // Three bytes each in the form.
    let error = client.set("/a", "%".repeat(4 << 20)).await.unwrap_err();
    assert_unsent(&error, ErrorKind::RequestTooLong, "value");
    assert_eq!(error.to_string(), "set /a: request too long");
    let inside = client.namespace("n".repeat(4_000)).unwrap();
    let error = inside.get("k".repeat(100)).await.unwrap_err();
    assert_unsent(&error, ErrorKind::InvalidKey, "too long");
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn a_call_is_pinned_to_an_endpoint_of_the_list_alone() {
    let (client, peer) = client().await;
    let stranger = Refused::new().endpoint();
    let error = client.get("/a").endpoint(stranger.parse().unwrap()).await.unwrap_err();
    assert_unsent(&error, ErrorKind::InvalidConfig, &stranger);
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn with_every_endpoint_unreachable_each_is_listed() {
    let dead = [Refused::new(), Refused::new(), Refused::new()];
    let client = patient(dead.iter().map(Refused::endpoint)).build().unwrap();
    let error = client.set("/a", "1").await.unwrap_err();
    assert!(error.is_connect() && error.outcome().is_not_applied() && error.is_retryable());
    assert_eq!(error.to_string(), "set /a: cannot connect");
    let source = std::error::Error::source(&error).unwrap().to_string();
    for (dead, attempt) in dead.iter().zip(error.attempts()) {
        assert_eq!(attempt.endpoint().to_string(), dead.endpoint());
        assert!(source.contains(&dead.endpoint()), "{source}");
    }
    assert_eq!(error.attempts().len(), 3);
    assert_eq!(error.key(), Some(&Key::new("/a").unwrap()));
}
