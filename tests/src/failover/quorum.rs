//! The leader is gone: nothing is decided until there is another.

use std::time::Duration;

use etcd_client::v2::Compare;
use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;
use tokio::time::{Instant, sleep};

use super::Calls;
use super::refusing::{leader_of, restart};
use crate::canary;

/// Kills the leader and makes quorum reads and guarded writes that are resolved, in turn, through a client that
/// was using a follower. With it the time from the kill to the first success that a probe sees, which asks the
/// followers by a request of its own each 100 ms.
///
/// Restarts the leader at the end.
///
/// # Panics
/// If the servers do not do what they are told.
pub async fn leader_killed(server: &Server, calls: usize) -> (Calls, Duration) {
    let leader = leader_of(server).await;
    let mut endpoints = server.endpoints();
    // The leader stays in the list, at its end: the client is at a follower when it dies.
    let dead = endpoints.remove(leader);
    let followers = endpoints.clone();
    endpoints.push(dead);
    let client = canary::builder().endpoints(endpoints).build().expect("a test server has endpoints");
    let created = client.set("/failover/guarded", "start").await.expect("a healthy cluster");
    let mut index = created.index();

    let begun = Instant::now();
    server.member(leader).kill().unwrap_or_else(|error| panic!("{error}"));
    let probe = tokio::spawn(leader_killed_probe(followers, begun));
    let seen = Calls::make(calls, async |number: usize| match number % 2 {
        0 => client.get("/failover/guarded").quorum(true).await,
        _ => {
            let value = format!("{number} {}", fastrand::u64(..));
            let swap = client.compare_and_swap("/failover/guarded", value, Compare::index(index));
            let swapped = swap.resolve(true).await?;
            index = swapped.index();
            Ok(swapped)
        }
    })
    .await;
    let probe = probe.await.unwrap_or_else(|error| panic!("{error}"));
    restart(server, leader).await;
    (seen, probe)
}

/// How long after `begun` a quorum read at one of these members succeeds, asked anew each 100 ms.
pub async fn leader_killed_probe(followers: Vec<String>, begun: Instant) -> Duration {
    let mut asked = tokio::task::JoinSet::new();
    // Bounded: an election takes two seconds, the server's own patience seven.
    for _ in 0..300 {
        for follower in &followers {
            let client = canary::builder().endpoints(follower.as_str()).build().expect("an endpoint");
            asked.spawn(async move { client.get("/failover/guarded").quorum(true).await.is_ok() });
        }
        let next = sleep(Duration::from_millis(100));
        tokio::pin!(next);
        loop {
            tokio::select! {
                answered = asked.join_next(), if !asked.is_empty() => {
                    if let Some(Ok(true)) = answered {
                        return begun.elapsed();
                    }
                }
                () = &mut next => break,
            }
        }
    }
    panic!("no new leader within 30 s");
}
