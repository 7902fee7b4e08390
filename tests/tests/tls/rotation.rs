//! Certificates that change under a running client.

use std::path::Path;

use etcd_client::TlsConfig;
use etcd_testkit::Etcd as _;
use etcd_testkit::real::{Certificates, Server, Tls};
use etcd_tests::{each_real_server, eventually, patient};

/// Writes what a client has: a CA, a certificate, a key.
fn write(directory: &Path, certificates: &Certificates) {
    let (certificate, key) = certificates.client_cert();
    std::fs::write(directory.join("ca"), certificates.ca_pem()).unwrap();
    std::fs::write(directory.join("certificate"), certificate).unwrap();
    std::fs::write(directory.join("key"), key).unwrap();
}

#[tokio::test]
async fn new_files_are_used_for_new_connections_and_broken_ones_are_not() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new().client_cert_auth()),
        async |server| {
            let files = tempfile::tempdir().unwrap();
            let path = |name: &str| files.path().join(name);
            write(files.path(), server.certificates());
            let tls =
                TlsConfig::new().ca_file(path("ca")).client_cert_files(path("certificate"), path("key"));
            let client = patient(server.endpoints()).tls(tls).build().unwrap();
            client.set("/a", "1").await.unwrap();

            // A broken file: new connections are made with what was there before.
            std::fs::write(path("key"), "no key").unwrap();
            tokio::time::sleep(LOOKED_AT_AGAIN).await;
            server.restart().await.unwrap();
            eventually("a write", async || client.set("/a", "2").await.ok()).await;

            // New ones of another authority: the old ones would be of no use.
            let new = server.certificates().rotate().unwrap();
            server.restart().await.unwrap();
            let old = eventually("the end of trust", async || client.set("/a", "3").await.err()).await;
            assert!(old.is_tls() || old.is_interrupted(), "{old:?}");
            write(files.path(), &new);
            eventually("a write with the new files", async || client.set("/a", "4").await.ok()).await;
        },
    )
    .await;
}

/// Files are looked at once in a second.
const LOOKED_AT_AGAIN: std::time::Duration = std::time::Duration::from_millis(1100);
