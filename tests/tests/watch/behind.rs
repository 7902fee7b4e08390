//! Watches that begin in the past of a real store on which writes go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;
use etcd_tests::{PATIENCE, Scope, each_real_server, patient};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::ledger::{Ledger, Writers};
use crate::support::number;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_from_the_past_joins_those_who_write_and_loses_nothing() {
    let runs = number("ETCD_WATCH_JOINS", 2);
    // Few enough that the history holds them all, however slow the machine is: then a resync is always wrong.
    let sets = if runs < FULL { 600 } else { 2_000 };
    let (joined, resynced) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
    for _ in 0..runs {
        each_real_server(Server::builder, async |etcd| {
            for behind in [0, 100, 300] {
                let ledger = run(etcd, behind, sets, &SLOW).await;
                assert_eq!(ledger.gaps, [], "{behind} behind");
                joined.fetch_add(usize::from(ledger.joined), Ordering::SeqCst);
            }
            let ledger = run(etcd, 900, 2_000, &FAST).await;
            assert!(ledger.gaps.len() <= 1, "{:?}", ledger.gaps);
            joined.fetch_add(usize::from(ledger.joined), Ordering::SeqCst);
            resynced.fetch_add(ledger.gaps.len(), Ordering::SeqCst);
        })
        .await;
    }
    assert!(joined.load(Ordering::SeqCst) > 0, "none has joined a stream: nothing is shown");
    println!("{joined:?} watches of {runs} runs have joined a stream; resyncs at 900 behind: {resynced:?}");
}

/// A watch that begins so many events in the past, while so many more are written.
async fn run(etcd: &Server, behind: usize, sets: usize, writers: &Writers) -> Ledger {
    let scope = Scope::new(etcd);
    let dir = scope.key("d");
    let client = || patient(etcd.endpoints()).build().unwrap();
    let go_on = || Arc::new(AtomicBool::new(false));
    let first = scope.client.set(scope.key("d/first"), "first").await.unwrap().index();
    let before = FAST.write(client, &dir, behind, go_on()).await;
    let (last, until) = watch::channel(0);
    let mut items = client().watch(&dir).recursive(true).from(first).start();
    let begun = Instant::now();
    let writing = async {
        let written = writers.write(client, &dir, sets, go_on()).await;
        let rate = sets as f64 / begun.elapsed().as_secs_f64();
        println!("{}: {behind} behind, {sets} sets at {rate:.0}/s", etcd.name());
        last.send_replace(written.taken.keys().last().copied().unwrap());
        written
    };
    let (mut ledger, mut written) = tokio::join!(Ledger::read(&mut items, &dir, until), writing);
    written.taken.extend(before.taken);
    written.taken.insert(first.get(), "first".to_owned());
    assert_eq!((written.taken.len(), written.unknown.len()), (1 + behind + sets, 0));
    ledger.check(&written);
    ledger.settle(&mut items, &scope.client, &dir).await;
    ledger
}

const SLOW: Writers = Writers { count: 4, rate: Some(1_000), patience: PATIENCE };
const FAST: Writers = Writers { count: 16, rate: None, patience: PATIENCE };
/// From so many runs on the writers go on for longer.
const FULL: u64 = 20;
