//! Watches of real clusters whose members die and come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use etcd_client::v2::Client;
use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;
use etcd_tests::{canary, each_real_server};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::ledger::{Ledger, Writers};
use crate::support::number;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_member_may_die_and_come_back_and_no_event_is_lost_in_silence() {
    for round in 0..number("ETCD_WATCH_ROUNDS", 1) {
        let cluster = |binary| Server::builder(binary).members(3);
        each_real_server(cluster, async |etcd| {
            let client = || client(etcd);
            let (dir, ends) = ("/restart", Arc::new(AtomicBool::new(false)));
            let (last, until) = watch::channel(0);
            let mut items = client().watch(dir).recursive(true).with_snapshot(true).start();
            let writing = WRITERS.write(client, dir, usize::MAX / 2, Arc::clone(&ends));
            let killing = async {
                for member in etcd.members() {
                    sleep(BETWEEN).await;
                    member.kill().unwrap();
                    sleep(DOWN).await;
                    member.restart().await.unwrap();
                }
                sleep(BETWEEN).await;
                ends.store(true, Ordering::SeqCst);
            };
            let writing = async {
                let (written, ()) = tokio::join!(writing, killing);
                last.send_replace(written.taken.keys().last().copied().unwrap());
                written
            };
            let (mut ledger, written) = tokio::join!(Ledger::read(&mut items, dir, until), writing);
            ledger.settle(&mut items, &client(), dir).await;
            ledger.check(&written);
            println!(
                "{}, round {round}: {} sets taken, {} of which nobody knows; {} events, gaps {:?}",
                etcd.name(),
                written.taken.len(),
                written.unknown.len(),
                ledger.told.len(),
                ledger.gaps
            );
        })
        .await;
    }
}

/// A client with its own limits, as a user has it.
fn client(etcd: &Server) -> Client {
    canary::builder().endpoints(etcd.endpoints()).build().unwrap()
}

const WRITERS: Writers = Writers { count: 4, rate: Some(500), patience: Duration::from_secs(2) };
const BETWEEN: Duration = Duration::from_millis(700);
/// Long enough for an election where the dead one led.
const DOWN: Duration = Duration::from_millis(1_500);
