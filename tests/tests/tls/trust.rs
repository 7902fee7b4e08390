//! Whom to trust, and who we are: what is refused, and what that says of a write.

use std::future::IntoFuture as _;

use etcd_client::v2::Client;
use etcd_client::{ErrorKind, Outcome, Phase, TlsConfig};
use etcd_testkit::Etcd as _;
use etcd_testkit::real::{Certificates, Server, Tls};
use etcd_tests::{each_real_server, patient, printed};

use crate::{client, trusting};

/// Writes and expects that there is no trust, for this reason.
async fn assert_no_trust(client: &Client, reason: &str) {
    let error = client.set("/a", "canary").into_future().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(error.attempts().as_slice()[0].phase(), Phase::Connect);
    assert!(printed(&error).contains(reason), "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_ca_is_refused() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new()),
        async |server| {
            let client = patient(server.endpoints()).tls(TlsConfig::new().ca_pem(strangers_ca()));
            assert_no_trust(&client.build().unwrap(), "of a CA that is not trusted").await;
        },
    )
    .await;
}

/// The authority of no server.
fn strangers_ca() -> String {
    let directory = tempfile::tempdir().unwrap();
    Certificates::create(&Tls::new(), directory.path()).unwrap().ca_pem().to_owned()
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_unless_that_name_is_wanted() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new().names(["other.example"])),
        async |server| {
            assert_no_trust(&client(server), "for another name").await;
            let tls = trusting(server).server_name("other.example");
            let client = patient(server.endpoints()).tls(tls).build().unwrap();
            client.set("/a", "1").await.unwrap();
        },
    )
    .await;
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new().expired()),
        async |server| assert_no_trust(&client(server), "has expired").await,
    )
    .await;
}

#[tokio::test]
async fn a_port_without_tls_is_never_spoken_to_in_plain_text() {
    each_real_server(Server::builder, async |server| {
        let endpoints: Vec<_> =
            server.endpoints().iter().map(|it| it.replace("http://", "https://")).collect();
        let tls = TlsConfig::new().ca_pem(strangers_ca());
        let client = patient(&endpoints).tls(tls).build().unwrap();
        let error = client.set("/a", "1").into_future().await.unwrap_err();
        // etcd closes the connection, which looks like any server that goes down.
        assert!(error.is_connect() || error.is_tls(), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{error:?}");
        let plain = patient(server.endpoints()).build().unwrap();
        assert!(plain.get("/a").await.unwrap_err().is_key_not_found());
    })
    .await;
}

#[tokio::test]
async fn who_has_no_certificate_is_refused_where_one_is_wanted() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new().client_cert_auth()),
        async |server| {
            client(server).set("/a", "1").await.unwrap();
            let tls = TlsConfig::new().ca_pem(server.certificates().ca_pem());
            let stranger = patient(server.endpoints()).tls(tls).build().unwrap();
            let error = stranger.set("/a", "2").into_future().await.unwrap_err();
            // With TLS 1.3 the refusal comes when the request may be on its way: a lost connection at worst.
            assert!(error.is_tls() || error.is_interrupted(), "{error:?}");
            assert_ne!(error.outcome(), Outcome::Applied);
            assert_eq!(client(server).get("/a").await.unwrap().text(), "1");
        },
    )
    .await;
}

#[tokio::test]
async fn the_next_member_is_asked_when_one_is_not_trusted() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new().names(["localhost"])),
        async |server| {
            // The same server, first by a name that its certificate does not have.
            let untrusted = server.endpoints().remove(0);
            let endpoints = [untrusted.clone(), untrusted.replace("127.0.0.1", "localhost")];
            let client = patient(&endpoints).tls(trusting(server)).build().unwrap();
            client.set("/a", "1").await.unwrap();
        },
    )
    .await;
}
