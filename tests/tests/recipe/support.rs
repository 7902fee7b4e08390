//! A cluster in memory, and queues on it, in virtual time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::Client;
use etcd_recipe::{Queue, TokioClock};
use etcd_testkit::memory::{InProcess, LogEntry, MemoryEtcd};
use http::Method;
use tokio::time::timeout;

/// A cluster of three in this process, in virtual time, and a client of it.
pub(crate) fn cluster() -> (InProcess, Client) {
    let etcd = MemoryEtcd::builder().members(3).in_process().unwrap();
    let client = etcd_tests::Wire::client(&etcd);
    (etcd, client)
}

/// A queue by tokio's clock, without a look at the servers' clocks.
pub(crate) fn queue(client: &Client) -> Queue {
    Queue::new(client, "/locks/a").clock(Arc::new(TokioClock::new())).without_skew_probe()
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

/// What was asked below `/locks` and `/one`, a word for each.
pub(crate) fn asked(etcd: &InProcess) -> Vec<&'static str> {
    etcd.log().entries().iter().map(word).collect()
}

/// What a request is for.
pub(crate) fn word(entry: &LogEntry) -> &'static str {
    let query = entry.target.split_once('?').map_or("", |(_, query)| query);
    match entry.method {
        Method::GET if query.contains("wait=true") => "wait",
        Method::GET if query.contains("recursive=true") => "list",
        Method::GET => "read",
        Method::PUT => "put",
        Method::DELETE => "delete",
        _ => "other",
    }
}

/// The names of the keys below a directory of the store.
pub(crate) async fn keys(client: &Client, directory: &str) -> Vec<String> {
    match client.get(directory).recursive(true).quorum(true).await {
        Ok(list) => list.node.nodes.iter().map(|node| node.key.name().to_owned()).collect(),
        Err(error) if error.is_key_not_found() => Vec::new(),
        Err(error) => panic!("{error:?}"),
    }
}
