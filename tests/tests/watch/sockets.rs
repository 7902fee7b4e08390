//! Connections and tasks of watches over sockets, counted at the server's side.

use std::time::Duration;

use etcd_client::TlsConfig;
use etcd_client::v2::{Client, WatchState, WatchStream};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::MemoryEtcd;
use etcd_testkit::proxy::Proxy;
use etcd_testkit::real::{Server, Tls};
use etcd_tests::{each_real_server, eventually, patient};
use futures_util::StreamExt as _;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::support::{next, watchers};

/// A cluster in memory with a proxy before each member.
async fn proxied(members: usize) -> (MemoryEtcd, Vec<Proxy>) {
    let etcd = MemoryEtcd::builder().members(members).start().await.unwrap();
    let mut proxies = Vec::new();
    for endpoint in etcd.endpoints() {
        proxies.push(Proxy::builder(endpoint).bytes_only().start().await.unwrap());
    }
    (etcd, proxies)
}

fn client(proxies: &[Proxy]) -> Client {
    patient(proxies.iter().map(Proxy::endpoint)).build().unwrap()
}

fn open(proxies: &[Proxy]) -> usize {
    proxies.iter().map(Proxy::open_connections).sum()
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Polls watches, of which nothing is expected, until each waits by one poll and it is so.
async fn idle_until(watches: &mut [WatchStream], what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    eventually(what, async || {
        for watch in watches.iter_mut() {
            if let Ok(item) = timeout(Duration::from_millis(5), watch.next()).await {
                panic!("an item out of nothing: {item:?}");
            }
        }
        let idle = watches.iter().all(|watch| watch.state() == WatchState::Idle);
        (idle && is_so().await).then_some(())
    })
    .await;
}

#[tokio::test]
async fn at_rest_a_watch_holds_one_connection_and_dropped_none_and_no_task() {
    let (etcd, proxies) = proxied(3).await;
    let set = patient(etcd.endpoints()).build().unwrap().set("/a", "1").await.unwrap();
    let before = tasks();
    let client = client(&proxies);
    let mut watches: Vec<_> = (0..3).map(|_| client.watch("/a").after(set.index()).start()).collect();
    idle_until(&mut watches, "three polls", async || watchers(etcd.cluster()).await == 3).await;
    for left in [3, 2, 1, 0] {
        idle_until(&mut watches, "as many connections as watches", async || open(&proxies) == left).await;
        assert!(watches.iter().all(|watch| watch.state() == WatchState::Idle));
        assert_eq!(watchers(etcd.cluster()).await, left as u64);
        watches.pop();
    }
    assert_eq!(proxies.iter().map(Proxy::connections).sum::<u64>(), 3, "and there were no others");
    // Those of a direct client that is dropped by now are among those before.
    eventually("no task is left behind", async || (tasks() <= before).then_some(())).await;
}

#[tokio::test]
async fn after_a_burst_a_watch_is_one_poll_again_and_with_its_client_all_connections_go() {
    let (etcd, proxies) = proxied(1).await;
    let writer = patient(etcd.endpoints()).build().unwrap();
    let first = writer.set("/d/a", "0").await.unwrap();
    for round in 0..400 {
        writer.set("/d/a", format!("{round}")).await.unwrap();
    }
    let before = tasks();
    let client = client(&proxies);
    let mut watch = client.watch("/d").recursive(true).from(first.index()).start();
    let mut joined = false;
    for _ in 0..401 {
        next(&mut watch).await;
        joined |= watch.state() == WatchState::Live;
    }
    assert!(joined, "400 behind is a burst");
    let mut watches = [watch];
    idle_until(&mut watches, "one poll", async || watchers(etcd.cluster()).await == 1).await;
    // Connections of the polls that were answered lie in the client's pool, for 90 s at most: 16 were seen.
    assert!((1..=64).contains(&open(&proxies)), "{} connections", open(&proxies));
    let [watch] = watches;
    assert_eq!(watch.state(), WatchState::Idle);
    drop(watch);
    eventually("the poll is gone", async || (watchers(etcd.cluster()).await == 0).then_some(())).await;
    drop(client);
    eventually("no connection", async || (open(&proxies) == 0).then_some(())).await;
    eventually("no task is left behind", async || (tasks() <= before).then_some(())).await;
}

#[tokio::test]
async fn over_http_2_watches_share_a_connection_apart_from_requests() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new()),
        async |server| {
            let (certificate, key) = server.certificates().client_cert();
            let tls = TlsConfig::new().ca_pem(server.certificates().ca_pem());
            let tls = tls.client_cert_pem(certificate, key);
            let upstream = server.endpoints()[0].clone();
            let proxies = [Proxy::builder(upstream).bytes_only().start().await.unwrap()];
            let endpoint = format!("https://{}", proxies[0].addr());
            let client = patient([endpoint]).tls(tls).build().unwrap();
            let set = client.set("/a", "1").await.unwrap();
            assert_eq!(open(&proxies), 1, "for requests");
            let watching = async || client.stats().store().await.unwrap().watchers;
            let mut watches: Vec<_> = (0..8).map(|_| client.watch("/a").after(set.index()).start()).collect();
            idle_until(&mut watches, "eight polls", async || watching().await == 8).await;
            let calls = (0..8).map(|_| async { client.get("/a").await.unwrap() });
            futures_util::future::join_all(calls).await;
            assert_eq!(open(&proxies), 2, "one for requests, one for watches");
            watches.truncate(3);
            idle_until(&mut watches, "three polls", async || watching().await == 3).await;
            client.set("/a", "2").await.unwrap();
            for watch in &mut watches {
                assert_eq!(next(watch).await.event().unwrap().node.text(), "2");
            }
            drop(watches);
            eventually("no poll", async || (watching().await == 0).then_some(())).await;
            assert_eq!(open(&proxies), 2);
        },
    )
    .await;
}
