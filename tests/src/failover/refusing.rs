//! Endpoints that refuse.

use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;

use super::Calls;
use crate::{PATIENCE, canary, eventually};

/// Kills the follower that a client is using, and goes on calling while it stays down: quorum reads, plain reads
/// and plain sets in turn. Restarts it at the end.
///
/// # Panics
/// If the servers do not do what they are told.
pub async fn follower_killed(server: &Server, calls: usize) -> Calls {
    let (place, endpoints) = follower_first(server).await;
    let client = canary::builder().endpoints(endpoints).build().expect("a test server has endpoints");
    let call = async |number: usize| match number % 3 {
        0 => client.get("/failover/read").quorum(true).await,
        1 => client.get("/failover/read").await,
        _ => client.set("/failover/written", number.to_string()).await,
    };
    client.set("/failover/read", "1").await.expect("a healthy cluster");
    let before = Calls::make(12, call).await;
    assert_eq!((before.errors().len(), before.repeated()), (0, 0), "{:?}", before.errors());
    server.member(place).kill().unwrap_or_else(|error| panic!("{error}"));
    let after = Calls::make(calls, call).await;
    restart(server, place).await;
    after
}

/// Reads through a client whose other endpoints are no good.
///
/// # Panics
/// If the endpoints are none, or the good one does not take a write.
pub async fn beside_a_good_one(good: &str, bad: &[String], calls: usize) -> Calls {
    let mut endpoints = bad.to_vec();
    endpoints.push(good.to_owned());
    let writer = canary::builder().endpoints(good).build().expect("a test server has endpoints");
    writer.set("/failover/read", "1").await.expect("a healthy server");
    let client = canary::builder().endpoints(endpoints).build().expect("endpoints");
    Calls::make(calls, async |_| client.get("/failover/read").await).await
}

/// The place of a member that does not lead, and all endpoints with its own first.
pub(super) async fn follower_first(server: &Server) -> (usize, Vec<String>) {
    let leader = leader_of(server).await;
    let place = (0..server.members().len()).find(|place| *place != leader).expect("more than one member");
    let mut endpoints = server.endpoints();
    endpoints.swap(0, place);
    (place, endpoints)
}

/// The place of the leader, once all members agree on it.
pub(crate) async fn leader_of(server: &Server) -> usize {
    eventually("a leader that all members know", async || {
        let mut names = Vec::new();
        for endpoint in server.endpoints() {
            let client = canary::builder().endpoints(endpoint.as_str()).build().ok()?;
            names.push(client.members().leader().timeout(PATIENCE / 20).await.ok()?.name);
        }
        names.dedup();
        let [name] = &names[..] else { return None };
        server.members().iter().position(|member| member.name() == name)
    })
    .await
}

/// Starts a member again and waits until it takes writes.
pub(crate) async fn restart(server: &Server, place: usize) {
    server.member(place).restart().await.unwrap_or_else(|error| panic!("{error}"));
    let client = canary::builder().endpoints(server.member(place).endpoint()).build().expect("an endpoint");
    eventually("a write at the restarted member", async || client.set("/failover/back", "1").await.ok())
        .await;
}
