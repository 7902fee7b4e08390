//! Members that stand still, asked by clients with the defaults of repetition.

use std::future::IntoFuture as _;
use std::time::Duration;

use etcd_client::RetryConfig;
use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, Scope, Server, each_server, eventually, patient};
use futures_util::future::Either;

/// The place of a member that does not lead, and all endpoints: its own first, and the leader's last.
async fn follower(server: &Server) -> (usize, Vec<String>) {
    let client = patient(server.endpoints()).build().unwrap();
    let leader = eventually("an election", async || client.members().leader().await.ok()).await;
    let follower = server.members().into_iter().find(|member| member.name != leader.name).unwrap();
    let mut endpoints = server.endpoints();
    let led = |endpoint: &String| {
        server.members().iter().any(|member| member.name == leader.name && member.endpoint == *endpoint)
    };
    endpoints.sort_by_key(|endpoint| (led(endpoint), *endpoint != follower.endpoint));
    (follower.place, endpoints)
}

#[tokio::test]
async fn reads_go_on_elsewhere_while_the_member_in_use_stands_still() {
    each_server(Needs::members(3), async |server| {
        let (place, endpoints) = follower(server).await;
        let scope = Scope::new(server);
        scope.client.set(scope.key("a"), "1").await.unwrap();
        let client = patient(&endpoints).retry(RetryConfig::new()).build().unwrap();
        assert_eq!(client.get(scope.key("a")).quorum(true).await.unwrap().attempts, 1);

        server.stop(place);
        let reads = (0..5).map(|_| client.get(scope.key("a")).quorum(true).into_future());
        for read in futures_util::future::join_all(reads).await {
            let read = read.unwrap();
            assert!(read.text() == "1" && read.attempts >= 2, "{read:?}");
        }
        // From then on nobody asks it first.
        assert_eq!(client.get(scope.key("a")).quorum(true).await.unwrap().attempts, 1);
        server.resume(place);
    })
    .await;
}

#[tokio::test]
async fn a_quorum_read_that_a_member_sits_on_is_answered_as_soon_as_there_is_a_new_leader() {
    each_server(Needs::members(3), async |server| {
        let scope = Scope::new(server);
        scope.client.set(scope.key("a"), "1").await.unwrap();
        let (_, endpoints) = follower(server).await;
        let leader = server.members().into_iter().find(|member| member.endpoint == endpoints[2]).unwrap();
        // The members that are left. Without second copies each call waits for the 500 that they answer after 7 s.
        let client = |config| patient(&endpoints[..2]).retry(config).build().unwrap();
        let (patient, impatient) = (client(RetryConfig::new().reissue(false)), client(RetryConfig::new()));
        server.kill(leader.place).await;
        server.without_leader(Duration::from_secs(2));
        let key = scope.key("a");
        let slow = patient.get(&key).quorum(true).into_future();
        let fast = impatient.get(&key).quorum(true).into_future();
        // Both are under way at once; the slow one is still waiting a second later.
        let Either::Left((read, slow)) = futures_util::future::select(fast, slow).await else {
            panic!("waiting was faster");
        };
        assert_eq!(read.unwrap().text(), "1");
        assert!(
            tokio::time::timeout(Duration::from_secs(1), slow).await.is_err(),
            "no second copy was needed"
        );
    })
    .await;
}
