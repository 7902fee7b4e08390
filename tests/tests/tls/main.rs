//! TLS on real servers: whom to trust, who we are, HTTP/2, certificates that change, gRPC.

mod calls;
mod grpc;
mod http2;
mod rotation;
mod seen;
mod trust;

use etcd_client::TlsConfig;
use etcd_client::v2::{Client, ClientBuilder};
use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;
use etcd_tests::patient;

/// A client of the server that trusts it and has a certificate.
fn builder(server: &Server) -> ClientBuilder {
    patient(server.endpoints()).tls(trusting(server))
}

fn trusting(server: &Server) -> TlsConfig {
    let (certificate, key) = server.certificates().client_cert();
    TlsConfig::new().ca_pem(server.certificates().ca_pem()).client_cert_pem(certificate, key)
}

fn client(server: &Server) -> Client {
    builder(server).build().unwrap()
}
