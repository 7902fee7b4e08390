//! Watches under faults, in virtual time.

use std::time::Duration;

use etcd_testkit::memory::{Change, Fault, InProcess, MemoryEtcd, Rule};
use etcd_tests::Wire;
use futures_util::StreamExt as _;
use tokio::time::{sleep, timeout};

use crate::support::{Consumer, cluster, nothing_for, stored, values};

/// Something that happens to a cluster, and passes.
fn trouble(rng: &mut fastrand::Rng, etcd: &InProcess) {
    let faults = etcd.faults();
    let member = rng.usize(0..3);
    let time = Duration::from_millis(rng.u64(50..4_000));
    match rng.u8(0..13) {
        0 => faults.add(Rule::new(Fault::ResetBeforeHead).watches().first(rng.u64(1..4))),
        1 => faults.add(Rule::new(Fault::ResetAfterHead).watches().first(rng.u64(1..4))),
        2 => faults.add(Rule::new(Fault::CutBody(rng.usize(0..400))).watches().first(rng.u64(1..4))),
        3 => faults.add(Rule::new(Fault::DropAnswer).watches().first(rng.u64(1..4))),
        4 => faults.add(Rule::new(Fault::Hang).watches().first(rng.u64(1..3))),
        5 => faults.add(Rule::new(Fault::Unavailable).first(rng.u64(1..4)).watches()),
        6 => faults.apply(Change::Kill(member)).unwrap(),
        7 => (0..3).for_each(|member| faults.apply(Change::Restart(member)).unwrap()),
        8 => faults.apply(Change::NoLeader(time)).unwrap(),
        9 => faults.apply(Change::ClearHistory).unwrap(),
        10 => faults.apply(Change::Lag { member, lasts: time }).unwrap(),
        11 => faults
            .add(Rule::new(Fault::Dribble { bytes: rng.usize(1..50), every: time / 50 }).watches().first(2)),
        _ => faults.add(Rule::new(Fault::Delay(time)).watches().first(2)),
    }
}

async fn run(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let etcd = MemoryEtcd::builder().members(3).in_process().unwrap();
    let client = Wire::client(&etcd);
    let writer = {
        let (etcd, mut rng) = (etcd.clone(), fastrand::Rng::with_seed(seed + 1));
        tokio::spawn(async move {
            let (mut written, mut trouble_in) = (0, 20);
            let client = Wire::client(&etcd);
            for round in 0..1_500 {
                trouble_in -= 1;
                if trouble_in == 0 {
                    trouble_in = rng.i32(10..100);
                    trouble(&mut rng, &etcd);
                }
                let key = format!("/d/{}/{}", rng.u8(0..4), rng.u8(0..6));
                let done = match rng.u8(0..20) {
                    0 => client
                        .delete_dir(format!("/d/{}", rng.u8(0..4)))
                        .recursive(true)
                        .timeout(SHORT)
                        .await
                        .is_ok(),
                    1 => client.delete(key).timeout(SHORT).await.is_ok(),
                    2 => {
                        // Nobody is to be told of it.
                        let _ = client.set("/d/_hidden", "x").timeout(SHORT).await;
                        false
                    }
                    _ => client.set(key, format!("{round}")).timeout(SHORT).await.is_ok(),
                };
                written += usize::from(done);
                match rng.u8(0..30) {
                    0 => sleep(Duration::from_millis(rng.u64(1..3_000))).await,
                    1..10 => sleep(Duration::from_millis(rng.u64(1..30))).await,
                    _ => {}
                }
            }
            etcd.faults().clear();
            (0..3).for_each(|member| etcd.faults().apply(Change::Restart(member)).unwrap());
            written
        })
    };
    let mut watch = client.watch("/d").recursive(true).with_snapshot(true).start();
    let mut consumer = Consumer::new("/d");
    loop {
        match timeout(Duration::from_secs(120), watch.next()).await {
            Ok(item) => {
                consumer.take(&item.unwrap().unwrap_or_else(|error| panic!("seed {seed}: {error:?}")))
            }
            Err(_) if writer.is_finished() => break,
            Err(_) => {}
        }
        if rng.u8(0..200) == 0 {
            sleep(Duration::from_millis(rng.u64(1..500))).await;
        }
    }
    let written = writer.await.unwrap();
    assert!(written > 500, "seed {seed}: only {written} writes");
    let now = stored(&client, "/d").await;
    let differs: Vec<_> = now.iter().filter(|(key, entry)| consumer.tree.get(key) != Some(*entry)).collect();
    let more: Vec<_> = consumer.tree.iter().filter(|(key, _)| now.get(key).is_none()).collect();
    assert!(differs.is_empty() && more.is_empty(), "seed {seed}: {differs:?} {more:?}");
    // Each event that is in the store's own history was seen once, unless a resync has told of it.
    if consumer.losses == 0 {
        assert!(consumer.events.len() >= written, "seed {seed}: {} of {written}", consumer.events.len());
    }
}

/// Writers do not wait for a cluster that is not well.
const SHORT: Duration = Duration::from_millis(900);

#[tokio::test(start_paused = true)]
async fn whatever_happens_each_event_comes_once_or_a_resync_says_so() {
    let runs = std::env::var("ETCD_WATCH_RUNS").ok().map_or(5, |runs| runs.parse().expect("a number"));
    for seed in 0..runs {
        run(seed * 1_000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_answers_503_for_minutes_does_not_end_a_watch() {
    let (etcd, client) = cluster();
    let set = client.set("/a", "1").await.unwrap();
    etcd.faults().add(Rule::new(Fault::Unavailable).watches());
    let mut watch = client.watch("/a").after(set.index()).start();
    nothing_for(&mut watch, Duration::from_secs(600)).await;
    etcd.faults().clear();
    client.set("/a", "2").await.unwrap();
    assert_eq!(values(&mut watch, 1).await, ["2"]);
}
