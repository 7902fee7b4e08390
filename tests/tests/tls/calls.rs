//! Every family of calls once over TLS, with a client certificate.

use etcd_testkit::real::{Server, Tls};
use etcd_tests::each_real_server;

use crate::{builder, client};

#[tokio::test]
async fn every_family_of_calls_goes_over_tls() {
    each_real_server(
        |binary| Server::builder(binary).members(3).tls(Tls::new().client_cert_auth()),
        async |server| {
            let client = client(server);
            let created = client.create("/a", "1").await.unwrap();
            assert_eq!(client.get("/a").quorum(true).await.unwrap().text(), "1");
            let event = client.watch("/a").from(created.index()).next_event().await.unwrap();
            assert_eq!(event.node, created.node);
            client.delete("/a").await.unwrap();
            assert_eq!(client.members().list().await.unwrap().len(), 3);
            client.members().leader().await.unwrap();
            client.stats().this_member().await.unwrap();
            client.stats().leader().await.unwrap();
            client.version().await.unwrap();
            client.health().await.unwrap();
            client.auth().status().await.unwrap();
        },
    )
    .await;
}

#[tokio::test]
async fn a_password_goes_over_tls_without_a_word() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new()).auth("secret").without_guest(),
        async |server| {
            assert!(client(server).set("/a", "1").await.unwrap_err().is_unauthorized());
            let root = builder(server).credentials("root", "secret").build().unwrap();
            root.set("/a", "1").await.unwrap();
        },
    )
    .await;
}
