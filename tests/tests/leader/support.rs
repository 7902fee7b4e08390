//! A cluster in memory, and elections on it, in virtual time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::Client;
use etcd_leader::{Election, LeaderChange, Observe, TokioClock};
use etcd_testkit::memory::{InProcess, MemoryEtcd};
use futures_util::StreamExt as _;
use tokio::time::timeout;

/// A cluster of three in this process, in virtual time, and a client of it.
pub(crate) fn cluster() -> (InProcess, Client) {
    let etcd = MemoryEtcd::builder().members(3).in_process().unwrap();
    let client = etcd_tests::Wire::client(&etcd);
    (etcd, client)
}

/// A candidate of an election by tokio's clock, without a look at the servers' clocks.
pub(crate) fn election(client: &Client) -> Election {
    Election::new(client, "my-cluster").clock(Arc::new(TokioClock::new())).without_skew_probe()
}

/// Waits for what has to happen within a time that nothing takes.
pub(crate) async fn soon<F: Future>(what: F) -> F::Output {
    timeout(Duration::from_secs(600), what).await.expect("it should not take ten minutes")
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) async fn sleep(secs: u64) {
    tokio::time::sleep(Duration::from_secs(secs)).await;
}

/// The next change within a time that nothing takes.
pub(crate) async fn next(leaders: &mut Observe) -> LeaderChange {
    soon(leaders.next()).await.expect("no end").unwrap()
}

/// The value of the next leader; `None` for nobody.
pub(crate) async fn next_value(leaders: &mut Observe) -> Option<String> {
    let change = next(leaders).await;
    assert!(!change.is_resynced(), "{change:?}");
    change.into_leader().map(|leader| leader.value().to_owned())
}

/// Lets an observer work for so long, and expects nothing of it.
pub(crate) async fn nothing_for(leaders: &mut Observe, time: Duration) {
    if let Ok(change) = timeout(time, leaders.next()).await {
        panic!("a change out of nothing: {change:?}");
    }
}

/// The values of all candidates, the leader first.
pub(crate) async fn candidates(election: &Election) -> Vec<String> {
    let candidates = soon(election.candidates()).await.unwrap();
    candidates.into_iter().map(|candidate| candidate.value).collect()
}

/// Who leads.
pub(crate) async fn leader(election: &Election) -> Option<String> {
    soon(election.leader()).await.unwrap().map(|leader| leader.value().to_owned())
}
