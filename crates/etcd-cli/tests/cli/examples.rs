//! Examples that are run as they are printed: those of both seeds' texts, etcdctl's, and our own.
//!
//! `TRYCMD=overwrite` writes down what the program prints now.

use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, each_server};

use crate::program;

#[tokio::test]
async fn every_example_prints_what_is_written_below_it() {
    let directory = tempfile::tempdir().unwrap();
    let etcd_test = program::named(directory.path(), "etcd-test");
    each_server(Needs::members(1), async |server| {
        let endpoints = server.endpoints().join(",");
        let cases = trycmd::TestCases::new();
        cases
            .env("ETCDCTL_ENDPOINTS", &endpoints)
            // The C client's variable, without a scheme as it wants it.
            .env("ETCD_SERVERS", endpoints.replace("http://", ""))
            .register_bin("etcd-test", etcd_test.as_path())
            .case("tests/cmd/*.trycmd")
            .case("../../docs/from-the-seeds.md");
        cases.run();
    })
    .await;
}
