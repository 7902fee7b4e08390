//! What a watch adds to a set, and whether it keeps up with writers, as ratios within one run.
//!
//! `cargo run --release --example watch_figures -- [ENDPOINTS]`; without any an etcd in memory. The aims: an event is
//! seen about when the set that caused it is answered, and all events of writers that do not stop are seen.

use std::error::Error;
use std::time::Duration;

use etcd_client::Result;
use etcd_client::v2::{Client, WatchItem, WatchStream};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::MemoryEtcd;
use futures_util::TryStreamExt as _;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let mut memory = None;
    let endpoints = match std::env::args().nth(1) {
        Some(endpoints) => endpoints,
        None => memory.insert(MemoryEtcd::builder().start().await?).endpoints().join(","),
    };
    let client = Client::connect(endpoints.as_str())?;
    let dir = format!("/watch-figures-{:016x}", fastrand::u64(..));
    let measured = measure(&client, &dir).await;
    client.delete_dir(&dir).recursive(true).await?;
    measured?;
    Ok(())
}

async fn measure(client: &Client, dir: &str) -> Result<()> {
    client.create_dir(dir).await?;
    let mut items = client.watch(dir).recursive(true).with_snapshot(true).start();
    items.try_next().await?;
    latency(client, dir, &mut items).await?;
    throughput(client, dir, &mut items).await
}

/// The time from sending a set to its event, beside the time from sending it to its answer.
async fn latency(client: &Client, dir: &str, items: &mut WatchStream) -> Result<()> {
    let (mut answered, mut seen) = (Vec::new(), Vec::new());
    for round in 0..SINGLE {
        let begun = Instant::now();
        let key = format!("{dir}/single");
        let set = async {
            let answer = client.set(key, round.to_string()).await;
            answered.push(begun.elapsed());
            answer
        };
        let event = async {
            let event = items.try_next().await;
            seen.push(begun.elapsed());
            event
        };
        let (set, event) = tokio::join!(set, event);
        set?;
        event?;
        sleep(Duration::from_millis(3)).await;
    }
    let (answered, seen) = (median(answered), median(seen));
    println!(
        "set to event {:.0} us, set to answer {:.0} us: ratio {:.2}",
        micros(seen),
        micros(answered),
        micros(seen) / micros(answered),
    );
    Ok(())
}

/// How many events are seen while writers do not stop, beside how many sets they make.
async fn throughput(client: &Client, dir: &str, items: &mut WatchStream) -> Result<()> {
    let begun = Instant::now();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (client, dir) = (client.clone(), dir.to_owned());
        writers.spawn(async move {
            let mut made = 0;
            while begun.elapsed() < LASTS {
                client.set(format!("{dir}/{writer}"), "x").await?;
                made += 1;
            }
            Ok::<u64, etcd_client::Error>(made)
        });
    }
    let (mut events, mut resyncs, mut during) = (0_u64, 0, 0);
    // Silence for a second after the writers have ended: all is seen that will be.
    while let Ok(item) = timeout(LASTS + Duration::from_secs(1), next(items, begun)).await {
        match item? {
            Some(WatchItem::Resync { .. }) => resyncs += 1,
            Some(_) => events += 1,
            None => break,
        }
        during += u64::from(begun.elapsed() < LASTS);
    }
    let mut sets = 0;
    while let Some(writer) = writers.join_next().await {
        sets += writer.unwrap_or(Ok(0))?;
    }
    println!(
        "{WRITERS} writers: {:.0} sets/s, {:.0} events/s seen meanwhile: ratio {:.3}; {events} of {sets} in all, \
         {resyncs} resyncs",
        sets as f64 / LASTS.as_secs_f64(),
        during as f64 / LASTS.as_secs_f64(),
        during as f64 / sets as f64,
    );
    Ok(())
}

/// The next item; `None` when nothing has come for a second after the end.
async fn next(items: &mut WatchStream, begun: Instant) -> Result<Option<WatchItem>> {
    let left = LASTS.saturating_sub(begun.elapsed()) + Duration::from_secs(1);
    timeout(left, items.try_next()).await.unwrap_or(Ok(None))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

const SINGLE: usize = 300;
const WRITERS: usize = 16;
const LASTS: Duration = Duration::from_secs(2);
