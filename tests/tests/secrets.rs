//! No password and no stored value is told to tracing or printed in an error.
//!
//! Alone in its process, because what tracing listens to is settled per process.

use std::cell::Cell;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use etcd_client::Error;
use etcd_client::v2::{Client, Compare, encode_json};
use etcd_testkit::Etcd as _;
use etcd_tests::{Capture, Needs, Peer, Refused, Scope, each_server, guest, printed};

const PASSWORD: &str = "canary-password:+ü";

/// Whatever must not appear: the password, in each form in which it is sent, and every stored value.
fn secrets() -> Vec<String> {
    let mut secrets = vec!["canary".to_owned(), STANDARD.encode(PASSWORD)];
    for user in ["root", "ann"] {
        secrets.push(STANDARD.encode(format!("{user}:{PASSWORD}")));
    }
    // Whatever stands before it, a part of the password's base64 form is one of these.
    secrets.extend((0..3).map(|shift| STANDARD.encode("x".repeat(shift) + PASSWORD)[8..24].to_owned()));
    secrets
}

fn assert_clean(what: &str, text: &str) {
    for secret in secrets() {
        assert!(!text.contains(&secret), "{what} shows {secret:?}:\n{text}");
    }
}

#[tokio::test]
async fn nothing_secret_is_traced_or_printed() {
    let capture = Capture::of_this_process();
    let (dead, ran) = (Refused::new(), Cell::new(false));
    each_server(Needs::members(1).auth(PASSWORD), async |server| {
        ran.set(true);
        let mut endpoints = server.endpoints();
        endpoints.insert(0, dead.endpoint());
        let builder = guest(endpoints).credentials("root", PASSWORD);
        assert_clean("the builder's Debug", &format!("{builder:#?}"));
        let client = builder.build().unwrap();
        assert_clean("the client's Debug", &format!("{client:#?}"));
        let scope = Scope::new(server);
        for error in successes_and_refusals(&client, &scope).await {
            assert_clean("an error", &printed(&error));
        }
        for error in users(&client).await {
            assert_clean("an error", &printed(&error));
        }
    })
    .await;
    for error in failures().await {
        assert_clean("an error", &printed(&error));
    }
    let text = capture.text();
    if ran.get() {
        // It was listened to, and to the finest level.
        for told in ["etcd.request", "etcd.attempt", "compare and swap", "endpoint failed", "TRACE"] {
            assert!(text.contains(told), "{told:?} was not told");
        }
    }
    assert_clean("tracing", &text);
}

async fn successes_and_refusals(client: &Client, scope: &Scope) -> Vec<Error> {
    let a = scope.key("a");
    client.set(&a, "canary-1").ttl(Duration::from_secs(500)).await.unwrap();
    client.get(&a).quorum(true).await.unwrap();
    client.modify(&a, |_| Some("canary-2".into())).await.unwrap();
    client.create_in_order(scope.key("queue"), "canary-3").await.unwrap();
    client.set(scope.key("json"), encode_json(&["canary-4"]).unwrap()).await.unwrap();
    let json = client.get(scope.key("json")).await.unwrap();
    client.watch(&a).from(1).next_event().await.unwrap();
    client.compare_and_swap(&a, "canary-5", Compare::value("canary-2")).await.unwrap();
    let wrong = guest([&client.machines().await.unwrap()[0]]).credentials("root", "canary-wrong");
    vec![
        client.compare_and_swap(&a, "canary-6", Compare::value("canary-7")).await.unwrap_err(),
        client.compare_and_delete(&a, Compare::value("canary-7").and_index(1)).await.unwrap_err(),
        client.compare_and_delete(&a, Compare::value("canary".repeat(999))).await.unwrap_err(),
        client.refresh(&a, Duration::from_secs(5)).compare(Compare::value("canary-8")).await.unwrap_err(),
        client.create(&a, "canary-9").await.unwrap_err(),
        client.set(format!("{a}/x"), "canary-10").await.unwrap_err(),
        client.set(&a, "canary-11").ttl(Duration::ZERO).await.unwrap_err(),
        json.node.json::<Vec<u32>>().unwrap_err().into(),
        json.node.bytes().unwrap_err().into(),
        wrong.build().unwrap().set(&a, "canary-12").await.unwrap_err(),
    ]
}

async fn users(client: &Client) -> Vec<Error> {
    let users = client.auth().users();
    let create = users.create("ann", PASSWORD);
    assert_clean("the call's Debug", &format!("{create:#?}"));
    create.await.unwrap();
    users.change_password("ann", "canary-new").await.unwrap();
    vec![
        users.create("ann", PASSWORD).roles(["none"]).await.unwrap_err(),
        users.create("a/b", PASSWORD).await.unwrap_err(),
    ]
}

/// What does not need etcd: answers that cannot be read, and none at all.
async fn failures() -> Vec<Error> {
    let dead = Refused::new();
    let no_one = guest([dead.endpoint()]).credentials("ann", PASSWORD).build().unwrap();
    let mut errors = vec![no_one.set("/a", "canary-13").await.unwrap_err()];
    for (content_type, body) in [
        ("application/json", r#"{"action":"get","node":{"key":"/a","value":["canary-14"]}}"#),
        ("application/json", r#"{"action":"get","node":{"key":"/a","value":"canary-15"#),
        ("text/html", "<p>canary-16</p>"),
        ("text/plain", "canary-17"),
    ] {
        for status in ["200 OK", "500 Internal Server Error", "404 Not Found"] {
            let peer = Peer::with_body(status, content_type, body).await;
            let client = guest([peer.endpoint()]).credentials("ann", PASSWORD).build().unwrap();
            errors.push(client.get("/a").await.unwrap_err());
            errors.push(client.set("/a", "canary-18").await.unwrap_err());
            errors.push(
                client.watch("/a").reconnect_for(std::time::Duration::ZERO).next_event().await.unwrap_err(),
            );
            errors.push(client.members().list().await.unwrap_err());
        }
    }
    errors
}
