//! From polls to a stream under writes that do not stop.

use std::time::Duration;

use etcd_client::v2::{Client, WatchItem, WatchState};
use etcd_testkit::memory::{Fault, Rule};
use futures_util::StreamExt as _;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::support::{Consumer, cluster, stored};

/// Writes until it has written so much, with a pause between; the last value is `end`.
fn writer(client: Client, number: usize, count: usize, every: Duration) -> JoinHandle<()> {
    tokio::spawn(async move {
        for round in 0..count {
            client.set(format!("/d/{number}/{}", round % 5), format!("{round}")).await.unwrap();
            sleep(every).await;
        }
    })
}

/// Consumes until nothing comes for a while.
async fn consume(client: &Client, from: u64) -> (Consumer, bool) {
    let mut watch = client.watch("/d").recursive(true).from(from).start();
    let (mut consumer, mut joined) = (Consumer::new("/d"), false);
    while let Ok(item) = timeout(Duration::from_secs(10), watch.next()).await {
        consumer.take(&item.unwrap().unwrap());
        joined |= watch.state() == WatchState::Live;
    }
    (consumer, joined)
}

#[tokio::test(start_paused = true)]
async fn every_event_comes_once_wherever_the_watch_begins_and_however_fast_they_write() {
    for behind in [0, 5, 60, 100, 300, 600] {
        for every in [Duration::ZERO, Duration::from_micros(200), Duration::from_millis(1)] {
            let (_etcd, client) = cluster();
            let first = client.set("/d/first", "x").await.unwrap().index().get();
            for round in 0..behind {
                client.set("/d/behind", format!("{round}")).await.unwrap();
            }
            let writers: Vec<_> = (0..4).map(|number| writer(client.clone(), number, 200, every)).collect();
            let (consumer, joined) = consume(&client, first).await;
            for writer in writers {
                writer.await.unwrap();
            }
            let expected = 800 + behind + 1;
            assert!(joined, "{behind} behind, every {every:?}: it never joined");
            if consumer.losses == 0 {
                assert_eq!(consumer.events.len(), expected, "{behind} behind, every {every:?}");
            }
            assert!(consumer.losses <= 1, "{behind} behind, every {every:?}: {} losses", consumer.losses);
            let now = stored(&client, "/d").await;
            let same = consumer.tree.iter().eq(now.iter());
            assert!(same, "{behind} behind, every {every:?}: another tree");
        }
    }
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
