//! The leader of three members, and what each of them says of itself.

use etcd_client::Endpoint;
use etcd_client::v2::{Client, Member};
use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, Server, Tally, each_server, eventually, patient};

/// The leader, and the endpoints of all with those of the followers first.
async fn leader_last(server: &Server) -> (Member, Vec<String>) {
    let client = patient(server.endpoints()).build().unwrap();
    let leader = eventually("an election", async || client.members().leader().await.ok()).await;
    let mut endpoints = server.endpoints();
    endpoints.sort_by_key(|endpoint| leader.client_urls.contains(endpoint));
    assert!(leader.client_urls.contains(&endpoints[2]) && !leader.client_urls.contains(&endpoints[0]));
    (leader, endpoints)
}

#[tokio::test]
async fn statistics_of_the_leader_are_found_behind_followers() {
    each_server(Needs::members(3), async |server| {
        let (leader, endpoints) = leader_last(server).await;
        the_leader_is_asked_after_the_followers(&leader, &endpoints).await;
        a_follower_that_alone_may_be_asked_refuses(&leader, &endpoints).await;
        every_member_knows_of_all(server, &leader).await;
        each_member_tells_of_itself(&leader, &endpoints).await;
    })
    .await;
}

async fn the_leader_is_asked_after_the_followers(leader: &Member, endpoints: &[String]) {
    let tally = Tally::default();
    let client = patient(endpoints).endpoint_layer(tally.clone()).build().unwrap();
    let stats = client.stats().leader().await.unwrap();
    assert_eq!(stats.leader, leader.id);
    assert_eq!(stats.followers.len(), 2);
    assert!(!stats.followers.contains_key(&leader.id));
    let sent = stats.followers.values().map(|follower| follower.counts.success);
    assert!(sent.max().unwrap() > 0, "{stats:?}");
    let asked: Vec<_> = endpoints.iter().map(|endpoint| format!("GET {endpoint}/v2/stats/leader")).collect();
    assert_eq!(tally.noted(), asked);
    // What only the leader knows is no failure of the followers: other calls still begin with the first.
    client.version().await.unwrap();
    assert_eq!(tally.noted().last(), Some(&format!("GET {}/version", endpoints[0])));
    assert_eq!(client.members().leader().await.unwrap(), *leader);
}

async fn a_follower_that_alone_may_be_asked_refuses(leader: &Member, endpoints: &[String]) {
    let client = patient(endpoints).build().unwrap();
    let follower: Endpoint = endpoints[0].parse().unwrap();
    let error = client.stats().leader().endpoint(follower).await.unwrap_err();
    assert!(error.is_not_leader() && error.outcome().is_not_applied(), "{error:?}");
    assert_eq!(error.http_status().unwrap().as_u16(), 403);
    let followers = patient(&endpoints[..2]).build().unwrap();
    let error = followers.stats().leader().await.unwrap_err();
    assert!(error.is_not_leader() && error.is_retryable(), "{error:?}");
    let at_leader = client.stats().leader().endpoint(endpoints[2].parse().unwrap());
    assert_eq!(at_leader.await.unwrap().leader, leader.id);
}

async fn every_member_knows_of_all(server: &Server, leader: &Member) {
    let client = patient(server.endpoints()).build().unwrap();
    let list = client.members().list().await.unwrap();
    assert_eq!(list.len(), 3);
    for member in server.members() {
        let found = list.iter().find(|found| found.name == member.name).unwrap();
        assert_eq!(found.peer_urls, [member.peer_url]);
        assert_eq!(found.client_urls, [member.endpoint]);
    }
    let by_id = client.members().by_id().await.unwrap();
    assert_eq!(by_id.len(), 3);
    assert_eq!(by_id[&leader.id], *leader);
    assert!(by_id.iter().all(|(id, member)| *id == member.id));
    let mut machines = client.machines().await.unwrap();
    let mut endpoints = server.endpoints();
    machines.sort_unstable();
    endpoints.sort_unstable();
    assert_eq!(machines, endpoints);
}

async fn each_member_tells_of_itself(leader: &Member, endpoints: &[String]) {
    let client = patient(endpoints).build().unwrap();
    let by_id = client.members().by_id().await.unwrap();
    for endpoint in endpoints {
        let stats = this_member(&client, endpoint).await;
        assert_eq!(by_id[&stats.id].client_urls, [endpoint.as_str()]);
        assert_eq!(by_id[&stats.id].name, stats.name);
        assert_eq!(stats.leader_info.leader, leader.id);
        assert_eq!(stats.state == "StateLeader", stats.id == leader.id, "{stats:?}");
    }
}

async fn this_member(client: &Client, endpoint: &str) -> etcd_client::v2::MemberStats {
    client.stats().this_member().endpoint(endpoint.parse().unwrap()).await.unwrap()
}
