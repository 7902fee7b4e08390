//! "Only One" under seeded faults: never two who believe to lead by their own clocks, and tokens rise.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use etcd_client::v2::Client;
use etcd_leader::{Leadership, TokioClock, TwoStep};
use etcd_testkit::memory::{Change, Fault, InProcess, Rule, StalledWrites};
use etcd_tests::Wire;
use http::Method;
use tokio::time::{Instant, sleep};

use crate::support::{cluster, election, secs};

/// How candidates stand for election.
#[derive(Clone, Copy, Debug)]
enum Way {
    Queue,
    TwoStep,
}

/// Who believes to lead, and the tokens of all who did, in the order of their grants.
#[derive(Debug, Default)]
struct Seen {
    leading: Vec<Option<Arc<Leadership>>>,
    tokens: Vec<u64>,
}

/// Something that happens to a cluster, and passes. Nothing that ends a key before its time: no clock and no program can
/// know of that.
fn trouble(rng: &mut fastrand::Rng, etcd: &InProcess) {
    let faults = etcd.faults();
    let time = Duration::from_millis(rng.u64(50..6_000));
    let method = if rng.bool() { Method::PUT } else { Method::GET };
    let rule = |fault| Rule::new(fault).method(method.clone()).no_watches();
    match rng.u8(0..13) {
        0 => faults.add(rule(Fault::DropAnswer).first(rng.u64(1..4))),
        1 => faults.add(rule(Fault::ResetBeforeHead).first(rng.u64(1..4))),
        2 => faults.add(rule(Fault::ErrorAfter { cause: "late".to_owned() }).first(rng.u64(1..4))),
        3 => faults.add(rule(Fault::Hang).first(rng.u64(1..4))),
        4 => faults.add(rule(Fault::ApplyLater(time)).first(rng.u64(1..3))),
        5 => faults.add(rule(Fault::DelayAnswer(time)).first(rng.u64(1..4))),
        6 => faults.add(Rule::new(Fault::ResetBeforeHead).watches().first(2)),
        7 => faults.apply(Change::NoLeader(time)).unwrap(),
        8 => faults.apply(Change::StalledWrites(StalledWrites::LandLater)).unwrap(),
        9 => faults.apply(Change::ClearHistory).unwrap(),
        10 => faults.apply(Change::Kill(rng.usize(0..3))).unwrap(),
        11 => (0..3).for_each(|member| etcd.restart(member).unwrap()),
        _ => faults.clear(),
    }
}

async fn campaign(way: Way, client: &Client, number: usize, rng: &mut fastrand::Rng) -> Option<Leadership> {
    let leading = match way {
        Way::Queue => election(client).ttl(secs(5)).campaign_timeout(format!("{number}"), secs(40)).await,
        Way::TwoStep => {
            let candidate = TwoStep::new(client, "/nsr", format!("{number}")).fitness(rng.i64(0..3));
            let candidate = candidate.clock(Arc::new(TokioClock::new())).without_skew_probe();
            candidate.campaign_timeout(secs(40)).await
        }
    };
    leading.ok()
}

/// A candidate that leads for a while, again and again.
async fn stand(
    way: Way,
    client: Client,
    number: usize,
    seed: u64,
    seen: Arc<Mutex<Seen>>,
    done: Arc<AtomicBool>,
) {
    let mut rng = fastrand::Rng::with_seed(seed);
    while !done.load(Ordering::SeqCst) {
        let Some(leading) = campaign(way, &client, number, &mut rng).await else { continue };
        let leading = Arc::new(leading);
        {
            let mut seen = seen.lock().unwrap();
            seen.tokens.push(leading.token().index());
            seen.leading[number] = Some(Arc::clone(&leading));
        }
        sleep(Duration::from_millis(rng.u64(0..9_000))).await;
        seen.lock().unwrap().leading[number] = None;
        let leading = Arc::into_inner(leading).expect("the other one was just taken away");
        match rng.u8(0..3) {
            0 => drop(leading.resign().await),
            1 => drop(leading),
            // As if it were killed: its key is left to its ttl.
            _ => drop(leading.detach()),
        }
    }
}

/// Runs for four minutes; how many have led.
async fn run(way: Way, seed: u64) -> usize {
    let (etcd, _) = cluster();
    let seen = Arc::new(Mutex::new(Seen { leading: vec![None, None, None], tokens: Vec::new() }));
    let done = Arc::new(AtomicBool::new(false));
    let candidates: Vec<_> = (0..3)
        .map(|number| {
            let (seen, done) = (Arc::clone(&seen), Arc::clone(&done));
            let seed = seed * 10 + number as u64;
            tokio::spawn(stand(way, Wire::client(&etcd), number, seed, seen, done))
        })
        .collect();
    let mut rng = fastrand::Rng::with_seed(seed);
    let (end, mut trouble_at) = (Instant::now() + secs(240), Instant::now());
    while Instant::now() < end {
        if Instant::now() >= trouble_at {
            trouble(&mut rng, &etcd);
            trouble_at = Instant::now() + Duration::from_millis(rng.u64(200..5_000));
        }
        {
            let seen = seen.lock().unwrap();
            let believing = seen.leading.iter().flatten().filter(|leading| leading.check().is_ok());
            let believing: Vec<_> = believing.map(|leading| format!("{leading:?}")).collect();
            assert!(believing.len() <= 1, "{way:?}, seed {seed}: {believing:?}");
        }
        sleep(Duration::from_millis(50)).await;
    }
    done.store(true, Ordering::SeqCst);
    candidates.iter().for_each(tokio::task::JoinHandle::abort);
    let seen = seen.lock().unwrap();
    assert!(seen.tokens.is_sorted_by(|a, b| a < b), "{way:?}, seed {seed}: {:?}", seen.tokens);
    seen.tokens.len()
}

async fn runs(way: Way) {
    let runs = std::env::var("ETCD_LEADER_RUNS").ok().map_or(3, |runs| runs.parse().expect("a number"));
    let mut led = 0;
    for seed in 0..runs {
        led += run(way, seed).await;
    }
    println!("{way:?}: {led} leaders in {runs} runs of four minutes");
    assert!(led as u64 > 8 * runs, "{way:?}: only {led} have led in {runs} runs");
}

#[tokio::test(start_paused = true)]
async fn only_one_leads_by_the_queue_whatever_happens() {
    runs(Way::Queue).await;
}

#[tokio::test(start_paused = true)]
async fn only_one_leads_in_two_steps_whatever_happens() {
    runs(Way::TwoStep).await;
}
