//! From polls to a stream under writes that do not stop.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use etcd_client::v2::{WatchItem, WatchState};
use etcd_testkit::memory::{Fault, Rule};
use futures_util::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::ledger::{Ledger, Writers};
use crate::support::{Consumer, cluster, number};

#[tokio::test(start_paused = true)]
async fn every_event_comes_once_wherever_the_watch_begins_and_however_fast_they_write() {
    let mut rng = fastrand::Rng::with_seed(7);
    let rates = [None, Some(20_000), Some(4_000), Some(1_000)];
    for run in 0..number("ETCD_WATCH_JOINS", 2) as usize {
        for (place, behind) in [0, 5, 60, 100, 300, 600, 900].into_iter().enumerate() {
            let rate = rates[(run + place) % rates.len()];
            let what = format!("run {run}, {behind} behind, {rate:?} sets a second");
            let ledger = join(behind, rate, Duration::from_micros(rng.u64(0..20_000))).await;
            assert!(ledger.joined, "{what}: it never joined");
            // The history holds them all: a resync would be one for nothing.
            let most = usize::from(behind + SETS >= 1_000);
            assert!(ledger.gaps.len() <= most, "{what}: {:?}", ledger.gaps);
        }
    }
}

/// A watch that begins so many events in the past, some time after others have begun to write more.
async fn join(behind: usize, rate: Option<u64>, late: Duration) -> Ledger {
    let (etcd, client) = cluster();
    let first = client.set("/d/first", "first").await.unwrap().index();
    let writers = Writers { count: 4, rate, patience: Duration::from_secs(10) };
    let fresh = || etcd_tests::Wire::client(&etcd);
    let go_on = || Arc::new(AtomicBool::new(false));
    let before = writers.write(fresh, "/d", behind, go_on()).await;
    let (last, until) = watch::channel(0);
    let mut items = client.watch("/d").recursive(true).from(first).start();
    let writing = async {
        let written = writers.write(fresh, "/d", SETS, go_on()).await;
        last.send_replace(written.taken.keys().last().copied().unwrap());
        written
    };
    let reading = async {
        sleep(late).await;
        Ledger::read(&mut items, "/d", until).await
    };
    let (mut ledger, mut written) = tokio::join!(reading, writing);
    written.taken.extend(before.taken);
    written.taken.insert(first.get(), "first".to_owned());
    assert_eq!(written.taken.len(), 1 + behind + SETS);
    ledger.check(&written);
    ledger.settle(&mut items, &client, "/d").await;
    ledger
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_was_dropped_in_silence_is_noticed_and_nothing_is_lost() {
    let (_etcd, client) = cluster();
    let mut watch = client.watch("/d").recursive(true).with_snapshot(true).start();
    let mut consumer = Consumer::new("/d");
    consumer.take(&watch.next().await.unwrap().unwrap());
    // The consumer does not read while more is written than the server keeps for a stream.
    for round in 0..400 {
        client.set("/d/a", format!("{round}")).await.unwrap();
    }
    let begun = tokio::time::Instant::now();
    while consumer.events.len() < 400 && consumer.losses == 0 {
        let item = timeout(Duration::from_secs(30), watch.next()).await.unwrap().unwrap().unwrap();
        consumer.take(&item);
    }
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    assert_eq!((consumer.events.len(), consumer.losses), (400, 0));
    client.set("/d/a", "last").await.unwrap();
    assert!(
        matches!(watch.next().await.unwrap().unwrap(), WatchItem::Event(event) if event.node.text() == "last")
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_has_read_for_a_while_is_not_taken_for_a_silent_one() {
    let (etcd, client) = cluster();
    // What waits to be read takes a moment to come, as it does on any connection.
    let late = Fault::Dribble { bytes: 10_000, every: Duration::from_millis(5) };
    etcd.faults().add(Rule::new(late).watches());
    let mut watch = client.watch("/d").recursive(true).with_snapshot(true).start();
    let mut consumer = Consumer::new("/d");
    consumer.take(&watch.next().await.unwrap().unwrap());
    for away in [300, 1_500, 20_000] {
        for round in 0..50 {
            client.set("/d/a", format!("{round}")).await.unwrap();
        }
        etcd.log().clear();
        sleep(Duration::from_millis(away)).await;
        let seen = consumer.events.len();
        while consumer.events.len() < seen + 50 {
            let item = timeout(Duration::from_secs(30), watch.next()).await.unwrap().unwrap().unwrap();
            consumer.take(&item);
            assert_eq!(watch.state(), WatchState::Live, "away for {away} ms");
        }
        assert_eq!(etcd.log().count(), 0, "away for {away} ms: {:?}", etcd.log().entries());
    }
}

/// With 300 before them fewer than the history holds.
const SETS: usize = 680;
