//! A holder that stands still for longer than its key lives.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;
use tokio::time::sleep;

use super::beliefs::{Beliefs, Pause};
use super::contend::state_of;
use super::contenders::{TTL, start};
use super::fenced::FencedWrites;
use super::journal::{Entry, Journal};
use super::onlooker::Onlooker;
use super::process::Process;
use super::resource::{Resource, older_accepted};
use super::said::{Said, boottime};
use super::shown::Shown;
use crate::{canary, eventually};

/// Has five processes contend, and so many times stops the holder (SIGSTOP) for twice its ttl. `program` as for
/// [`Process::start`].
///
/// # Panics
/// If what is waited for does not happen within two minutes.
pub async fn holder_frozen(program: &Path, server: &Server, rounds: usize) -> Shown {
    let (journal, resource) = (Arc::new(Journal::new()), Resource::start().await);
    let onlooker = Onlooker::watch(server.endpoints(), DIR);
    let client =
        canary::builder().endpoints(server.endpoints()).build().expect("a test server has endpoints");
    let fenced = FencedWrites::watch(&client, &state_of(DIR));
    let processes: BTreeMap<_, _> = (0..CONTENDERS)
        .map(|number| start(program, server, DIR, number, TTL, &resource, &journal))
        .map(|process| (process.name().to_owned(), process))
        .collect();
    let mut shown = Shown::default();
    let (mut pauses, mut hand_overs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        // Anywhere between two renewals, or in the midst of one.
        sleep(TTL.mul_f64(fastrand::f64() / 3.0)).await;
        let (who, token) = eventually("a holder", async || journal.holder()).await;
        let round = freeze(&processes[&who], token, &journal, &fenced).await;
        shown.expect(resource.with_token(token).1 > 0, || {
            format!("the resource took late writes with {token}")
        });
        hand_overs.push(round.next_granted.saturating_sub(round.pause.stopped));
        pauses.push(round.pause);
    }
    let beliefs = Beliefs::read(&journal.entries());
    let missed = beliefs.missed(&pauses);
    let in_time = format!("{} of {}", pauses.len() - missed.len(), pauses.len());
    shown.figure(format!("holders stopped for {:?}: check() is Err at the first call", 2 * TTL), in_time);
    shown.figure("writes with an older token that the resource took", older_accepted(&resource.writes()));
    let refused = resource.writes().iter().filter(|write| !write.accepted).count();
    shown.figure("late writes that it refused", refused);
    let fenced_off = journal
        .entries()
        .iter()
        .filter(|entry| matches!(entry.said, Said::Wrote { taken: false, .. }))
        .count();
    shown.figure(
        "writes that a fenced key in etcd took, and refused",
        format!("{}, {fenced_off}", fenced.tokens().len()),
    );
    shown.problems(fenced.problems());
    shown.figure("calls of check() that were Ok", beliefs.held_checks());
    shown.times("from the stop to the next grant", &hand_overs);
    shown.expect(older_accepted(&resource.writes()) == 0, || "an older token was taken".to_owned());
    shown.problems(missed);
    shown.problems(beliefs.problems());
    shown.problems(beliefs.unfounded(&onlooker.seen()));
    shown
}

struct Round {
    pause: Pause,
    next_granted: Duration,
}

async fn freeze(process: &Process, token: u64, journal: &Journal, fenced: &FencedWrites) -> Round {
    let begin = journal.len();
    let stopped = process.stop();
    let (_, next, next_granted) = journal.granted("the grant behind the stopped holder", begin).await;
    // Behind its write to the resource: both know of it by now.
    eventually("a write of the next holder", async || fenced.tokens().contains(&next).then_some(())).await;
    sleep((stopped + 2 * TTL).saturating_sub(boottime())).await;
    let resumed = process.resume();
    // What it writes behind its first check it writes late.
    let mut has_checked = false;
    let late = |entry: &Entry| {
        has_checked |= is_check_since(&entry.said, token, resumed);
        (has_checked && matches!(entry.said, Said::Wrote { token: of, .. } if of == token)).then_some(())
    };
    journal.wait("a late write behind the first check", begin, late).await;
    let pause = Pause { who: process.name().to_owned(), token, stopped, resumed };
    Round { pause, next_granted }
}

fn is_check_since(said: &Said, of: u64, since: Duration) -> bool {
    matches!(*said, Said::Checked { token, from, .. } if token == of && from >= since)
}

const CONTENDERS: usize = 5;
const DIR: &str = "/recipes/frozen";
