//! Watches of real stores on which many write as fast as they can.
//!
//! What is counted: events that never came though no resync told of a loss. A plain long poll in the same run is the
//! control: it loses most.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use etcd_client::v2::Client;
use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, PATIENCE, Scope, each_server_within, patient};
use futures_util::StreamExt as _;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::ledger::{Ledger, Writers};
use crate::support::number;

const WRITERS: Writers = Writers { count: 16, rate: None, patience: PATIENCE };
/// From so many sets on a plain poll is expected to lose most.
const MANY: usize = 40_000;

/// Watches until all that is written is seen, or told of.
async fn watch(client: Client, dir: String, from: u64, until: Arc<AtomicBool>, slow: bool) -> Ledger {
    let mut items = client.watch(&dir).recursive(true).from(from).start();
    let (mut ledger, begun) = (Ledger::new(&dir), Instant::now());
    loop {
        match timeout(Duration::from_secs(2), items.next()).await {
            Ok(item) => ledger.take(&item.unwrap().unwrap()),
            Err(_) if until.load(Ordering::SeqCst) => break,
            Err(_) => {}
        }
        if slow && begun.elapsed() < Duration::from_secs(2) {
            sleep(Duration::from_millis(5)).await;
        }
    }
    ledger.settle(&mut items, &client, &dir).await;
    ledger
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
    // `ETCD_WATCH_SETS` asks for another number.
    let sets = number("ETCD_WATCH_SETS", 8_000) as usize;
    let controls = &Mutex::new(Vec::new());
    // Ten times what a machine takes that does nothing else.
    let limit = PATIENCE + Duration::from_millis(20) * u32::try_from(sets).unwrap();
    each_server_within(limit, Needs::members(1), async |etcd| {
        let scope = Scope::new(etcd);
        let dir = scope.key("d");
        let first = scope.client.set(scope.key("d/first"), "first").await.unwrap().index().get();
        let done = Arc::new(AtomicBool::new(false));
        let fresh = || patient(etcd.endpoints()).build().unwrap();
        let watching = tokio::spawn(watch(fresh(), dir.clone(), first, Arc::clone(&done), false));
        let slow = tokio::spawn(watch(fresh(), dir.clone(), first, Arc::clone(&done), true));
        let control = tokio::spawn(plain_poll(fresh(), dir.clone(), first, Arc::clone(&done)));
        let begun = Instant::now();
        let mut written = WRITERS.write(fresh, &dir, sets, Arc::default()).await;
        written.taken.insert(first, "first".to_owned());
        assert_eq!((written.taken.len(), written.unknown.len()), (1 + sets, 0));
        let rate = sets as f64 / begun.elapsed().as_secs_f64();
        done.store(true, Ordering::SeqCst);
        let polled = control.await.unwrap();
        for (name, ledger) in [("reads at once", watching.await.unwrap()), ("is slow", slow.await.unwrap())] {
            let (told, gaps) = (ledger.told.len(), &ledger.gaps);
            println!("{}: a consumer that {name}: {told} of {} events, gaps {gaps:?}", etcd.name(), 1 + sets);
            ledger.check(&written);
        }
        let share = polled as f64 / written.taken.len() as f64;
        println!("{}: {rate:.0} sets/s, of which a plain poll has seen {:.0} %", etcd.name(), share * 100.0);
        controls.lock().await.push(share);
    })
    .await;
    if sets >= MANY {
        // A machine that is busy with other things writes too slowly for this run to show anything.
        let controls = controls.lock().await;
        assert!(controls.iter().all(|share| *share < 0.5), "a plain poll has not lost most: {controls:?}");
    }
}
