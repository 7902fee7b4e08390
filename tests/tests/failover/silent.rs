//! Members that are frozen, and endpoints that never answer.

use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;
use etcd_tests::failover::{Silent, SynHang, beside_a_good_one, member_frozen};
use etcd_tests::{Refused, each_real_server};

#[tokio::test]
async fn reads_go_on_when_the_member_in_use_is_frozen() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            let calls = member_frozen(server, 100).await;
            assert!(calls.errors().is_empty(), "{:#?}", calls.errors());
            assert_eq!(calls.repeated_behind(20), 0, "{:?}", calls.as_slice());
        },
    )
    .await;
}

#[tokio::test]
async fn a_good_endpoint_beside_bad_ones_is_found_and_kept() {
    let (refused, silent, hang) = (Refused::new(), Silent::start().await, SynHang::start().await);
    each_real_server(Server::builder, async |server| {
        let good = &server.endpoints()[0];
        for bad in [vec![refused.endpoint(), silent.endpoint()], vec![hang.endpoint(), refused.endpoint()]] {
            let calls = beside_a_good_one(good, &bad, 1_000).await;
            assert!(calls.errors().is_empty(), "{:#?}", calls.errors());
            assert!(calls.repeated() <= 20, "{} of 1,000 calls were sent more than once", calls.repeated());
        }
    })
    .await;
}
