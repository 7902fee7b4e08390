//! A stream that a real server drops in silence, since its reader stands still.

use std::time::Duration;

use etcd_client::v2::{Client, WatchState, WatchStream};
use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;
use etcd_tests::failover::{Figures, median};
use etcd_tests::{Scope, each_real_server, patient};
use futures_util::StreamExt as _;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Consumer, number, stored};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_stream_of_large_values_is_noticed_and_nothing_is_lost() {
    let rounds = number("ETCD_WATCH_ROUNDS", 1);
    each_real_server(Server::builder, async |etcd| {
        let (mut figures, mut all) = (Figures::default(), Vec::new());
        for _ in 0..rounds {
            let silence = run(etcd).await;
            figures.add(format!("{}: silence of a dropped stream until it is left", etcd.name()), silence);
            all.push(silence);
        }
        print!("{figures}");
        if rounds >= FULL {
            // Not for a single one on a busy machine.
            assert!(median(&all) < Duration::from_millis(500), "left too late");
        }
    })
    .await;
}

/// How long a stream was silent when the watch left it.
async fn run(etcd: &Server) -> Duration {
    let scope = Scope::new(etcd);
    let (client, dir) = (&scope.client, scope.key("d"));
    let watcher = patient(etcd.endpoints()).build().unwrap();
    let mut items = watcher.watch(&dir).recursive(true).with_snapshot(true).start();
    let mut consumer = Consumer::new(&dir);
    let mut written = go_live(&mut items, &mut consumer, client, &dir).await;

    // Nobody reads meanwhile. All buffers on the way together hold a fraction of it, the server's own 100 events.
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let (client, dir) = (client.clone(), dir.clone());
        writers.spawn(async move {
            for round in 0..EVENTS / WRITERS {
                client.set(format!("{dir}/{number}/{round}"), "x".repeat(LARGE)).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    written += EVENTS;

    let (mut last, mut left) = (Instant::now(), None);
    while consumer.events.len() < written {
        assert!(last.elapsed() < LONG, "silent with {} of {written}", consumer.events.len());
        let item = timeout(TICK, items.next()).await;
        if left.is_none() && items.state() != WatchState::Live {
            // The item that comes with it is the one that a poll has brought and the stream has not.
            left = Some((last.elapsed(), consumer.events.len()));
        }
        if let Ok(item) = item {
            consumer.take(&item.unwrap().unwrap());
            last = Instant::now();
        }
    }
    assert_eq!((consumer.events.len(), consumer.losses), (written, 0));
    assert!(consumer.tree.iter().eq(stored(client, &dir).await.iter()), "another tree");
    let (silence, seen) = left.expect("the server has not dropped the stream");
    println!("{}: {seen} of {written} events before the silence, left after {silence:?}", etcd.name());
    silence
}

/// Writes until the watch takes events from a stream; how many that were.
async fn go_live(items: &mut WatchStream, consumer: &mut Consumer, client: &Client, dir: &str) -> usize {
    consumer.take(&items.next().await.unwrap().unwrap());
    for round in 0..1_000 {
        client.set(format!("{dir}/small"), round.to_string()).await.unwrap();
        consumer.take(&timeout(LONG, items.next()).await.unwrap().unwrap().unwrap());
        if items.state() == WatchState::Live {
            return round + 1;
        }
        sleep(Duration::from_millis(1)).await;
    }
    panic!("a thousand events, and no stream");
}

const WRITERS: usize = 4;
const EVENTS: usize = 200;
/// In bytes.
const LARGE: usize = 200_000;
const TICK: Duration = Duration::from_millis(2);
/// From so many rounds on the middle one is held to what is promised.
const FULL: u64 = 5;
/// What no machine takes.
const LONG: Duration = Duration::from_secs(20);
