//! The same test on every etcd under test.

use std::sync::{Arc, Weak};
use std::time::Duration;

use etcd_testkit::Etcd;
use etcd_testkit::real::{self, Binary};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::kind::{both_kinds, real_alone};
use crate::{Needs, PATIENCE, Server};

/// Runs a test on one single node of each etcd under test, one after the other: real ones, ones in memory, or both,
/// as the environment variable `ETCD_TEST_SERVERS` says.
///
/// The nodes are shared by all tests of the process that run at the same time, and are stopped when the last of
/// those ends: a test must keep to its own keys (see [`Scope`](crate::Scope)) and must not count what the whole
/// store does. With `--test-threads=1` each test starts its own nodes, which takes a few seconds each.
///
/// # Panics
/// If an etcd is wanted that is not found or does not start, with a sentence that says what to do; if the test
/// does, or does not end within two minutes.
pub async fn each_etcd(test: impl AsyncFn(&dyn Etcd)) {
    let servers = shared().await;
    for server in servers.iter() {
        run(server, LIMIT, test(server)).await;
    }
}

/// Runs a test on a server of its own of each etcd under test, of the kinds that [`each_etcd`] runs on, one after
/// the other. `needs` says what server.
///
/// # Panics
/// As [`each_etcd`].
pub async fn each_server(needs: Needs, test: impl AsyncFn(&Server)) {
    each_server_within(LIMIT, needs, test).await;
}

/// As [`each_server`], for a test that may take so long on each server.
///
/// # Panics
/// As [`each_etcd`], with that limit.
pub async fn each_server_within(limit: Duration, needs: Needs, test: impl AsyncFn(&Server)) {
    let (binaries, profiles) = both_kinds();
    for binary in binaries {
        let server = needs.real(binary).await;
        run(&server, limit, test(&server)).await;
    }
    for profile in profiles {
        let server = needs.memory(profile).await;
        run(&server, limit, test(&server)).await;
    }
}

/// Runs a test on a server of its own of each real etcd under test, one after the other. `prepare` says what
/// server. With `ETCD_TEST_SERVERS=memory` it does not run the test and prints that.
///
/// For a test of what only a process can be told, such as a flag.
///
/// # Panics
/// As [`each_etcd`].
pub async fn each_real_server(
    prepare: impl Fn(Binary) -> real::ServerBuilder,
    test: impl AsyncFn(&real::Server),
) {
    for binary in real_alone() {
        let server = prepare(binary).start().await.unwrap_or_else(|error| panic!("{error}"));
        run(&server, LIMIT, test(&server)).await;
    }
}

/// A test that waits for ever is a test that fails.
async fn run(etcd: &dyn Etcd, limit: Duration, test: impl Future<Output = ()>) {
    println!("on {}", etcd.name());
    let ended = timeout(limit, test).await;
    assert!(ended.is_ok(), "the test has not ended on {} after {limit:?}", etcd.name());
}

/// The nodes that tests share: held by them and not by a static, which would never be dropped and so would leave
/// data directories behind.
async fn shared() -> Arc<Vec<Server>> {
    static SHARED: Mutex<Weak<Vec<Server>>> = Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(servers) = shared.upgrade() {
        return servers;
    }
    let (needs, (binaries, profiles)) = (Needs::members(1), both_kinds());
    let mut servers = Vec::new();
    for binary in binaries {
        servers.push(needs.real(binary).await);
    }
    for profile in profiles {
        servers.push(needs.memory(profile).await);
    }
    let servers = Arc::new(servers);
    *shared = Arc::downgrade(&servers);
    servers
}

/// Two minutes.
const LIMIT: Duration = PATIENCE.saturating_mul(2);
