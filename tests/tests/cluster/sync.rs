//! The list of servers, filled from the cluster's own members.

use etcd_client::RetryConfig;
use etcd_client::v2::{Client, Member};
use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, Server, Tally, each_server, eventually, patient};

/// The leader, and an endpoint of a follower.
async fn leader_and_follower(server: &Server) -> (Member, String) {
    let client = patient(server.endpoints()).build().unwrap();
    let leader = eventually("an election", async || client.members().leader().await.ok()).await;
    let follower = server.endpoints().into_iter().find(|endpoint| !leader.client_urls.contains(endpoint));
    (leader, follower.unwrap())
}

fn list(client: &Client) -> Vec<String> {
    let mut list: Vec<_> = client.endpoints().unwrap().iter().map(ToString::to_string).collect();
    list.sort();
    list
}

#[tokio::test]
async fn one_endpoint_finds_all_members_and_the_leader_is_asked_first() {
    each_server(Needs::members(3), async |server| {
        let (leader, follower) = leader_and_follower(server).await;
        let mut all = server.endpoints();
        all.sort();
        let tally = Tally::default();
        let client = patient([&follower]).endpoint_layer(tally.clone()).build().unwrap();
        assert_eq!(list(&client), [follower.as_str()]);

        let report = client.sync().await.unwrap();
        assert_eq!((report.added().len(), report.removed().len(), report.dropped().len()), (2, 0, 0));
        assert_eq!(list(&client), all);
        let hint = report.leader().unwrap().to_string();
        assert!(leader.client_urls.contains(&hint), "{hint} of {leader:?}");

        let before = tally.noted().len();
        assert_eq!(client.stats().leader().await.unwrap().leader, leader.id);
        assert_eq!(tally.noted()[before..], [format!("GET {hint}/v2/stats/leader")]);

        let again = client.sync().await.unwrap();
        assert!(again.added().is_empty() && again.removed().is_empty());
        assert_eq!(list(&client), all);
    })
    .await;
}

#[tokio::test]
async fn members_found_by_a_sync_serve_when_the_configured_one_is_gone() {
    each_server(Needs::members(3), async |server| {
        let (_, follower) = leader_and_follower(server).await;
        let client = patient([&follower]).retry(RetryConfig::default()).build().unwrap();
        client.sync().await.unwrap();
        let place = server.endpoints().iter().position(|endpoint| *endpoint == follower).unwrap();
        server.kill(place).await;
        client.get("/").quorum(true).await.unwrap();
    })
    .await;
}
