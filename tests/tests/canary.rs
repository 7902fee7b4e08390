//! The controls of the search for the canary: lines in which it is on purpose, and a server that has got it; and
//! a small run of the search itself.

use std::env;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use etcd_client::v2::Compare;
use etcd_tests::canary::{self, CONTROL, Canary, Needles, Scan};
use etcd_tests::{Peer, Refused, Scope, each_etcd, patient};

#[test]
fn each_form_of_the_password_can_be_found() {
    let Some(canary) = Canary::of_this_run() else { return };
    let (user, password) = (canary.user(), canary.password());
    for (form, text) in [
        ("plain", password.to_owned()),
        ("Debug", format!("{:?}", Some(password))),
        ("base64", STANDARD.encode(password)),
        ("base64 behind the user", STANDARD.encode(format!("{user}:{password}"))),
        ("base64 behind root", STANDARD.encode(format!("root:{password}"))),
        ("base64 behind another user", STANDARD.encode(format!("ann:{password}"))),
        ("header", format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))),
        ("hex", password.bytes().map(|byte| format!("{byte:02x}")).collect()),
        ("URL-encoded", password.bytes().map(|byte| format!("%{byte:02X}")).collect()),
        ("bytes of the header", format!("{:?}", STANDARD.encode(format!("{user}:{password}")).as_bytes())),
        ("bytes", format!("{:?}", password.as_bytes())),
        ("password of a test", canary::password("s3cret")),
    ] {
        println!("{CONTROL} {form}: {text}");
        tracing::trace!("{CONTROL} {form}: {text}");
    }
}

/// So that every run has errors to search.
#[tokio::test]
async fn a_call_fails() {
    let (dead, password) = (Refused::new(), canary::password("s3cret"));
    let client = patient([dead.endpoint()]).build().unwrap();
    assert!(client.get("/a").await.unwrap_err().is_connect());
    assert!(client.auth().users().create("ann", password).await.unwrap_err().is_connect());
}

#[tokio::test]
async fn the_password_of_a_run_gets_to_the_servers() {
    let peer = Peer::with_body("200 OK", "application/json", r#"{"etcdserver":"3.4.23"}"#).await;
    patient([peer.endpoint()]).build().unwrap().version().await.unwrap();
    let sent = peer.heads().remove(0).contains("authorization: basic ");
    assert_eq!(sent, Canary::of_this_run().is_some());
}

#[tokio::test]
async fn a_few_calls_of_each_sort() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (client, a) = (&scope.client, scope.key("a"));
        client.create(&a, "1").await.unwrap();
        client.modify(&a, |_| Some("2".into())).await.unwrap();
        assert!(client.create(&a, "3").await.unwrap_err().is_key_exists());
        client.compare_and_delete(&a, Compare::value("4")).await.unwrap_err();
        client.watch(&a).from(1).next_event().await.unwrap();
        client.members().list().await.unwrap();
        client.auth().status().await.unwrap();
    })
    .await;
}

/// What `cargo xtask secrets` does with all tests, done with those of this file.
#[test]
fn the_tests_of_this_file_print_no_password() {
    if Canary::of_this_run().is_some() {
        return;
    }
    let canary = Canary::draw();
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--nocapture", "--skip", "the_tests_of_this_file"]).envs([canary.variable()]);
    let output = child.env("ETCD_TEST_SERVERS", "memory").output().unwrap();
    assert!(output.status.success());
    let mut scan = Scan::new(Needles::of(&canary));
    for stream in [output.stdout, output.stderr] {
        scan.read(stream.as_slice(), |_| ()).unwrap();
    }
    assert_eq!((scan.hits.as_slice(), scan.missed.as_slice()), (&[][..], &[][..]));
    let seen = [scan.controls, scan.traced, scan.attempts, scan.errors, scan.arrived];
    assert!(seen.iter().all(|count| *count > 0), "it would have found nothing: {seen:?}");
}
