//! Something that answers, and is no etcd.

use etcd_client::v2::Client;
use etcd_client::{Error, ErrorKind, Outcome};
use etcd_tests::{Peer, patient, printed};

async fn client(status: &str, content_type: &str, body: &str) -> (Client, Peer) {
    let peer = Peer::with_body(status, content_type, body).await;
    (patient([peer.endpoint()]).build().unwrap(), peer)
}

fn assert_not_etcd(error: &Error, outcome: Outcome) {
    assert!(error.is_not_etcd(), "{error:?}");
    assert_eq!(error.outcome(), outcome, "{error:?}");
    assert!(error.api().is_none());
    assert!(!printed(error).contains("canary"), "a body is printed: {error:?}");
}

const HTML: &str = "<!DOCTYPE html><html><body>canary</body></html>";

#[tokio::test]
async fn a_web_page_is_not_etcd_whatever_was_asked() {
    for (status, write) in [("200 OK", Outcome::Unknown), ("404 Not Found", Outcome::NotApplied)] {
        for content_type in ["text/html; charset=utf-8", "text/plain"] {
            let (client, _peer) = client(status, content_type, HTML).await;
            assert_not_etcd(&client.get("/a").await.unwrap_err(), Outcome::NotApplied);
            assert_not_etcd(&client.exists("/a").await.unwrap_err(), Outcome::NotApplied);
            assert_not_etcd(&client.set("/a", "1").await.unwrap_err(), write);
            assert_not_etcd(&client.delete("/a").await.unwrap_err(), write);
            assert_not_etcd(&client.machines().await.unwrap_err(), Outcome::NotApplied);
            assert_not_etcd(&client.version().await.unwrap_err(), Outcome::NotApplied);
            assert_not_etcd(&client.health().await.unwrap_err(), Outcome::NotApplied);
            assert_not_etcd(&client.members().list().await.unwrap_err(), Outcome::NotApplied);
            assert_not_etcd(&client.stats().store().await.unwrap_err(), Outcome::NotApplied);
            assert_not_etcd(&client.auth().status().await.unwrap_err(), Outcome::NotApplied);
        }
    }
}

#[tokio::test]
async fn a_watch_of_a_web_page_fails() {
    let (refusing, _peer) = client("404 Not Found", "text/html", HTML).await;
    assert_not_etcd(&refusing.watch("/a").next_event().await.unwrap_err(), Outcome::NotApplied);
    let (page, _peer) = client("200 OK", "text/html", HTML).await;
    let error = page.watch("/a").next_event().await.unwrap_err();
    assert!(error.is_not_etcd() || error.is_unreadable(), "{error:?}");
    assert!(!printed(&error).contains("canary"));
}

#[tokio::test]
async fn other_json_and_other_statuses_are_told_apart() {
    for (status, body, kind, write) in [
        ("200 OK", r#"{"hello":"canary"}"#, ErrorKind::Unreadable, Outcome::Unknown),
        ("200 OK", r#"["canary"#, ErrorKind::Unreadable, Outcome::Unknown),
        ("503 Service Unavailable", "canary", ErrorKind::Status, Outcome::Unknown),
        ("403 Forbidden", r#"{"error":"canary"}"#, ErrorKind::Status, Outcome::NotApplied),
        ("307 Temporary Redirect", "", ErrorKind::Redirect, Outcome::Unknown),
        ("301 Moved Permanently", "", ErrorKind::InvalidKey, Outcome::NotApplied),
    ] {
        let (client, _peer) = client(status, "application/json", body).await;
        let read = client.get("/a").await.unwrap_err();
        assert_eq!((read.kind(), read.outcome()), (kind, Outcome::NotApplied), "{read:?}");
        let written = client.set("/a", "1").await.unwrap_err();
        assert_eq!((written.kind(), written.outcome()), (kind, write), "{written:?}");
        assert!(!(printed(&read) + &printed(&written)).contains("canary"));
    }
}

#[tokio::test]
async fn a_success_that_cannot_be_read_was_applied_if_the_head_has_an_index() {
    let answer = "HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nContent-Length: 100\r\n\r\n{\"action\":";
    let cut = Peer::answering(answer).await;
    let garbled = Peer::answering(answer.replace("100", "10")).await;
    for peer in [cut, garbled] {
        let client = patient([peer.endpoint()]).build().unwrap();
        let error = client.set("/a", "1").await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Applied, "{error:?}");
        assert!(error.to_string().ends_with("(the write has happened)"), "{error}");
        assert_eq!(client.get("/a").await.unwrap_err().outcome(), Outcome::NotApplied);
    }
}
