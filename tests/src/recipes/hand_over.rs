//! A queue that is always full: what a hand-over costs, and who is next.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etcd_lock::{Lock, SkewProbe};
use etcd_testkit::real::Server;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::contenders::lock;
use super::requests::{Kind, Requests};
use super::shown::Shown;
use crate::failover::Proxied;

/// Has one holder and so many waiters hand over so many times: who has released queues up anew. Counts what is sent,
/// all of it, by kind.
///
/// # Panics
/// If an acquisition or a release fails.
pub async fn handed_over(server: &Server, waiters: usize, hand_overs: usize) -> Shown {
    let proxied = Proxied::all(server).await;
    let granted = Arc::<Mutex<Vec<u64>>>::default();
    let (begun, locks) = (Arc::new(AtomicUsize::new(0)), locks(&proxied, waiters + 1));
    let started = Instant::now();
    let mut contenders = JoinSet::new();
    for lock in locks {
        let (granted, begun) = (Arc::clone(&granted), Arc::clone(&begun));
        contenders.spawn(async move {
            // All that are counted are carried out to the end.
            while begun.fetch_add(1, Ordering::SeqCst) < hand_overs {
                let held = lock.acquire().await.expect("a healthy cluster");
                granted.lock().await.push(held.token().index());
                held.release().await.expect("still held");
            }
        });
    }
    while let Some(ended) = contenders.join_next().await {
        ended.expect("a contender");
    }
    let took = started.elapsed();
    let granted = granted.lock().await;
    judge(&granted, &Requests::of(DIR, &proxied.entries()), took)
}

/// One for each contender, each with a client of its own, which begin with each member in turn.
fn locks(proxied: &Proxied, contenders: usize) -> Vec<Lock> {
    let probe = SkewProbe::new();
    let one = |number| {
        let client = proxied.client_from(number).build().expect("proxies have endpoints");
        // One probe for all: what is counted is the queue.
        lock(&client, DIR).ttl(TTL).skew_probe(&probe)
    };
    (0..contenders).map(one).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of some thousands")]
fn judge(granted: &[u64], requests: &Requests, took: Duration) -> Shown {
    let mut shown = Shown::default();
    let count = granted.len();
    let per = |kinds: &[Kind]| requests.sum(kinds) as f64 / count as f64;
    let all = [Kind::Create, Kind::List, Kind::Poll, Kind::Delete, Kind::Other];
    shown.figure(format!("{count} hand-overs"), format!("{requests}, in {:.1} s", took.as_secs_f64()));
    shown.figure("requests per hand-over, no renewals", format!("{:.3}", per(&all)));
    let without_polls = per(&[Kind::Create, Kind::List, Kind::Delete, Kind::Other]);
    shown.figure("the same without long polls", format!("{without_polls:.3}"));
    shown.figure("waiters that the end of a key can wake, at most", requests.most_watchers());
    let woken = requests.count(Kind::List).saturating_sub(count);
    shown.figure("lists behind the first of each", woken);
    // By created index: each that is granted came behind all that were granted before.
    let in_order = granted.windows(2).filter(|pair| pair[0] < pair[1]).count();
    shown.figure("hand-overs in the order of created indexes", format!("{in_order} of {}", count - 1));
    shown.expect(in_order == count - 1, || format!("out of order: {granted:?}"));
    shown.expect(requests.most_watchers() == 1, || {
        format!("{} waiters watched one key", requests.most_watchers())
    });
    // Each waiter lists when it comes and when it is woken: more would be a waiter woken in vain.
    shown.expect(woken <= count, || format!("{woken} wakes in {count} hand-overs"));
    let renewed = requests.count(Kind::Renew);
    shown.expect(renewed == 0 || took >= TTL / 3, || format!("{renewed} renewals within {took:?}"));
    for (kind, least) in [(Kind::Create, count), (Kind::Delete, count)] {
        shown.expect(requests.count(kind) == least, || format!("{kind:?} other than {least}: {requests}"));
    }
    shown
}

const DIR: &str = "/recipes/hand-over";
const TTL: Duration = Duration::from_secs(60);
