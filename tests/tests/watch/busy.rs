//! Watches of real stores on which many write as fast as they can.
//!
//! What is counted: events that never came though no resync told of a loss. A plain long poll in the same run is the
//! control: it loses most.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use etcd_client::v2::Client;
use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, Scope, each_server};
use futures_util::StreamExt as _;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Consumer, number, stored};

const WRITERS: usize = 16;
/// From so many sets on a plain poll is expected to lose most.
const MANY: usize = 40_000;

/// How many sets all writers make together; `ETCD_WATCH_SETS` asks for another number.
fn sets() -> usize {
    number("ETCD_WATCH_SETS", 8_000) as usize
}

/// Writes as fast as it goes from all writers; the indexes of all sets.
async fn write(client: &Client, dir: &str) -> BTreeSet<u64> {
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let (client, dir, count) = (client.clone(), dir.to_owned(), sets() / WRITERS);
        writers.spawn(async move {
            let mut written = Vec::new();
            for round in 0..count {
                let set = client.set(format!("{dir}/{number}/{}", round % 9), round.to_string()).await;
                written.push(set.unwrap().index().get());
            }
            written
        });
    }
    writers.join_all().await.into_iter().flatten().collect()
}

/// Watches until all that is written is seen, or told of.
async fn watch(client: Client, dir: String, from: u64, until: Arc<AtomicBool>, slow: bool) -> Consumer {
    let mut items = client.watch(&dir).recursive(true).from(from).start();
    let (mut consumer, begun) = (Consumer::new(&dir), Instant::now());
    loop {
        match timeout(Duration::from_secs(2), items.next()).await {
            Ok(item) => consumer.take(&item.unwrap().unwrap()),
            Err(_) if until.load(Ordering::SeqCst) => return consumer,
            Err(_) => {}
        }
        if slow && begun.elapsed() < Duration::from_secs(2) {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// What everybody writes by hand: a long poll at the next index, and a new start where the history is gone.
async fn plain_poll(client: Client, dir: String, from: u64, until: Arc<AtomicBool>) -> usize {
    let (mut next, mut seen) = (from, 0);
    while !until.load(Ordering::SeqCst) {
        let poll = client.poll(&dir).recursive(true).from(next);
        let Ok(answer) = timeout(Duration::from_secs(1), async {
            match poll.await {
                Ok(mut answer) => answer.events.next().await.map(Result::unwrap).ok_or(0),
                Err(error) => Err(error.api().map_or(0, |api| api.index.get())),
            }
        })
        .await
        else {
            continue;
        };
        match answer {
            Ok(event) => {
                next = event.index().get() + 1;
                seen += 1;
            }
            Err(index) => next = index + 1,
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_at_full_speed_lose_no_event_in_silence() {
    each_server(Needs::members(1), async |etcd| {
        let scope = Scope::new(etcd);
        let (client, dir) = (scope.client.clone(), scope.key("d"));
        let first = client.set(scope.key("d/first"), "x").await.unwrap().index().get();
        let done = Arc::new(AtomicBool::new(false));
        let fresh = || etcd_tests::patient(etcd.endpoints()).build().unwrap();
        let watching = tokio::spawn(watch(fresh(), dir.clone(), first, Arc::clone(&done), false));
        let slow = tokio::spawn(watch(fresh(), dir.clone(), first, Arc::clone(&done), true));
        let control = tokio::spawn(plain_poll(fresh(), dir.clone(), first, Arc::clone(&done)));
        let begun = Instant::now();
        let mut written = write(&client, &dir).await;
        written.insert(first);
        let elapsed = begun.elapsed();
        done.store(true, Ordering::SeqCst);
        let polled = control.await.unwrap();
        let now = stored(&client, &dir).await;
        for (name, consumer) in [("reads at once", watching.await.unwrap()), ("is slow", slow.await.unwrap())]
        {
            let seen: BTreeSet<u64> = consumer.events.iter().copied().collect();
            println!(
                "{}: a consumer that {name}: {} of {} events, {} resyncs; plain poll {polled}; {:.0} sets/s",
                etcd.name(),
                seen.len(),
                written.len(),
                consumer.losses,
                written.len() as f64 / elapsed.as_secs_f64(),
            );
            assert_eq!(seen.len(), consumer.events.len(), "doubled");
            if consumer.losses == 0 {
                assert_eq!(seen, written, "lost in silence");
            }
            assert!(consumer.tree.iter().eq(now.iter()), "another tree");
        }
        if written.len() > MANY {
            // The control: without it the run has not been hard enough to show anything.
            assert!(polled * 2 < written.len(), "a plain poll has seen {polled} of {}", written.len());
        }
    })
    .await;
}
