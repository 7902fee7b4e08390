//! Members that are killed while a client uses them.

use etcd_testkit::real::Server;
use etcd_tests::each_real_server;
use etcd_tests::failover::{follower_killed, leader_killed};

#[tokio::test]
async fn no_call_fails_when_the_follower_in_use_is_killed_nor_while_it_stays_down() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            let calls = follower_killed(server, 600).await;
            assert!(calls.errors().is_empty(), "{:#?}", calls.errors());
            assert!(calls.as_slice().iter().all(|seen| seen.attempts <= 2), "{:?}", calls.as_slice());
            assert!(calls.repeated() >= 1, "the killed member was not in use");
            assert_eq!(calls.repeated_behind(20), 0, "{:?}", calls.as_slice());
        },
    )
    .await;
}

#[tokio::test]
async fn quorum_reads_and_resolved_writes_outlive_the_leader() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            let (calls, _) = leader_killed(server, 20).await;
            assert!(calls.errors().is_empty(), "{:#?}", calls.errors());
        },
    )
    .await;
}
