//! A cluster that loses its leader while a lock is held, renewed, waited for and given back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;
use http::Method;

use super::contenders::{self, start};
use super::onlooker;
use super::resource::Resource;
use super::said::boottime;
use super::scene::{Gate, Scene, TTL};
use super::shown::Shown;
use crate::failover::{Proxied, leader_of, restart};

/// Kills the leader so many times, each time while four locks are in the four states at once: held, being renewed,
/// waited for, being released; and while the process that holds a fifth is killed with it. `program` as for
/// [`Process::start`](super::Process::start).
///
/// In a runtime of one thread.
///
/// # Panics
/// If what is waited for does not happen within a minute or two.
pub async fn leader_killed(program: &Path, server: &Server, rounds: usize) -> Shown {
    let (mut shown, mut all) = (Shown::default(), Vec::new());
    for number in 0..rounds {
        all.push(round(program, server, number, &mut shown).await);
    }
    for (state, went_well) in [
        ("held: kept beyond a renewal", count(&all, |round| round.held.went_well)),
        ("renewed: renewed", count(&all, |round| round.renewed.went_well)),
        ("waited for: granted behind a release in the dark", count(&all, |round| round.waited.went_well)),
        ("released: released", count(&all, |round| round.released.went_well)),
    ] {
        shown.figure(format!("leader killed while {state}"), format!("{went_well} of {rounds}"));
    }
    let times = |time: fn(&Round) -> Duration| all.iter().map(time).collect::<Vec<_>>();
    shown.times("from the kill to the first quorum read of an onlooker", &times(|round| round.back));
    shown.times("from the kill to the grant behind a release", &times(|round| round.granted));
    let ttl = contenders::TTL;
    shown.times(
        format!("from the end of a process to that of its key, ttl {ttl:?}"),
        &times(|round| round.left),
    );
    shown
}

fn count(all: &[Round], went_well: fn(&Round) -> bool) -> usize {
    all.iter().filter(|round| went_well(round)).count()
}

/// What became of one kill.
struct Round {
    held: Outcome,
    renewed: Outcome,
    waited: Outcome,
    released: Outcome,
    /// From the kill to the first quorum read.
    back: Duration,
    /// From the kill to the grant behind the release.
    granted: Duration,
    /// From the end of a process to that of its key.
    left: Duration,
}

/// What became of one lock.
struct Outcome {
    went_well: bool,
    /// Until when it was held, at the kill.
    until: Duration,
}

async fn round(program: &Path, server: &Server, number: usize, shown: &mut Shown) -> Round {
    let proxied = Proxied::all(server).await;
    let leader = leader_of(server).await;
    let scenes = ["held", "renewed", "waited", "released", "finished"]
        .map(|name| Scene::new(name, number, &proxied, server));
    let [a, b, c, d, e] = &scenes;
    let gate = Gate::new(scenes.len());
    let kill = async {
        gate.step().await;
        gate.step().await;
        server.member(leader).kill().unwrap_or_else(|error| panic!("{error}"));
        let killed = boottime();
        gate.killed(killed);
        (killed, a.back(killed).await)
    };
    let ((killed, back), held, renewed, waited, (released, granted), left) = tokio::join!(
        kill,
        held(a, &gate),
        renewed(b, &gate),
        waited(c, &gate),
        released(d, &gate),
        finished(program, e, &gate)
    );
    restart(server, leader).await;
    for (state, outcome) in
        [("held", &held), ("renewed", &renewed), ("waited for", &waited), ("released", &released)]
    {
        // A request, sent anew where it was silent, has to fit in between. A cluster that is back later may cost the lock.
        let in_time = back + TTL / 4 < outcome.until;
        shown.expect(outcome.went_well || !in_time, || {
            format!(
                "round {number}, {state}: lost, though the cluster was back {:?} after the kill",
                back - killed
            )
        });
    }
    // Keys run out where there is a leader.
    let limit = contenders::TTL.max(back - killed) + Duration::from_secs(8);
    shown.expect(left <= limit, || {
        format!("round {number}: the key of a finished process was there for {left:?}")
    });
    for scene in scenes {
        scene.judge(shown).await;
    }
    Round { held, renewed, waited, released, back: back - killed, granted: granted - killed, left }
}

async fn held(scene: &Scene<'_>, gate: &Gate) -> Outcome {
    let holding = scene.hold("holder").await;
    gate.step().await;
    let killed = gate.kill().await;
    let until = holding.until();
    let kept = holding.outlives(killed).await;
    Outcome { went_well: kept & holding.release().await, until }
}

async fn renewed(scene: &Scene<'_>, gate: &Gate) -> Outcome {
    let holding = scene.hold("holder").await;
    gate.step().await;
    scene.delay(&Method::PUT);
    let held = Arc::clone(&holding.held);
    let renewal = tokio::spawn(async move { held.renew().await });
    scene.under_way().await;
    let killed = gate.kill().await;
    let until = holding.until();
    let renewed = renewal.await.expect("a renewal").is_ok() && holding.outlives(killed).await;
    Outcome { went_well: renewed & holding.release().await, until }
}

async fn waited(scene: &Scene<'_>, gate: &Gate) -> Outcome {
    let holding = scene.hold("holder").await;
    let waiting = scene.wait_behind("waiter").await;
    gate.step().await;
    gate.kill().await;
    let until = holding.until();
    // While there may be no leader yet.
    let released = holding.release().await;
    let next = waiting.await.expect("a waiter");
    Outcome { went_well: released & next.release().await, until }
}

async fn released(scene: &Scene<'_>, gate: &Gate) -> (Outcome, Duration) {
    let holding = scene.hold("holder").await;
    let waiting = scene.wait_behind("waiter").await;
    gate.step().await;
    scene.delay(&Method::DELETE);
    let until = holding.until();
    let release = tokio::spawn(holding.release());
    scene.under_way().await;
    gate.kill().await;
    let released = release.await.expect("a release");
    let next = waiting.await.expect("a waiter");
    let granted = next.granted;
    (Outcome { went_well: released & next.release().await, until }, granted)
}

/// The holder's process dies with the leader: from its end to that of its key.
async fn finished(program: &Path, scene: &Scene<'_>, gate: &Gate) -> Duration {
    let resource = Resource::start().await;
    let mut process =
        start(program, scene.server, &scene.dir, 0, contenders::TTL, &resource, scene.journal());
    let (_, token, _) = scene.journal().granted("the grant of a process", 0).await;
    let waiting = scene.wait_behind("waiter").await;
    gate.step().await;
    gate.kill().await;
    let ended = process.kill().await;
    let gone = onlooker::gone(scene.server.endpoints(), &scene.dir, token).await;
    waiting.await.expect("a waiter").release().await;
    gone.saturating_sub(ended)
}
