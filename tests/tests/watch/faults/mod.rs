//! Watches under faults, in virtual time.
//!
//! One watch at a time, thirty faults each, drawn so that each kind comes at least twice. A witness at a member that
//! nothing ever happens to writes down what has happened; each item is held against that: the very next event, or
//! one resync for one gap.

mod kind;
mod scene;
mod truth;
mod write;

use std::time::Duration;

use self::kind::{Kind, Tally};
use self::scene::{Scene, WATCHED};
use self::truth::Counts;
use crate::support::{number, stored};

async fn run(seed: u64) -> (Tally, Counts, u64) {
    // The client draws its pauses from this thread's.
    fastrand::seed(seed);
    let mut rng = fastrand::Rng::with_seed(seed);
    let deck = Kind::deck(FAULTS, &mut rng);
    let mut scene = Scene::start(rng).await;
    for kind in deck {
        scene.meet(kind).await;
    }
    scene.end().await;
    let now = stored(&scene.client, WATCHED).await;
    let truth = scene.truth();
    assert!(truth.tree.iter().eq(now.iter()), "another tree: {:?} for {now:?}", truth.tree);
    let counts = truth.counts;
    drop(truth);
    (scene.tally.clone(), counts, scene.writes)
}

#[test]
fn whatever_happens_each_event_comes_once_or_a_resync_says_so() {
    let runs = number("ETCD_WATCH_RUNS", 3);
    let first = number("ETCD_WATCH_SEED", 0);
    let (mut tally, mut sum, mut writes) = (Tally::default(), Counts::default(), 0);
    for seed in first..first + runs {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        // Shown if the run fails.
        println!("seed {seed}");
        let (met, counts, written) = runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(86_400), run(seed)).await.expect("an end of the run")
        });
        tally.merge(&met);
        sum.events += counts.events;
        sum.cleared += counts.cleared;
        sum.went_back += counts.went_back;
        sum.lost += counts.lost;
        writes += written;
    }
    println!("{runs} runs of {FAULTS} faults, {writes} writes: {sum:?}");
    println!("met: {tally}");
    for kind in Kind::ALL {
        assert!(tally.of(kind) > 0, "no watch has met {kind:?}");
    }
}

const FAULTS: usize = 30;
