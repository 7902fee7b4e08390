//! A holder whose process is killed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;

use super::beliefs::Beliefs;
use super::contenders::start;
use super::journal::Journal;
use super::onlooker::{self, Onlooker};
use super::resource::{Resource, older_accepted};
use super::shown::Shown;
use crate::eventually;

/// Has processes contend, and so many times kills the holder (SIGKILL) and starts another contender in its place.
/// `program` as for [`Process::start`](super::Process::start).
///
/// # Panics
/// If what is waited for does not happen within a minute or two.
pub async fn holder_killed(program: &Path, server: &Server, rounds: usize) -> Shown {
    let (journal, resource) = (Arc::new(Journal::new()), Resource::start().await);
    let onlooker = Onlooker::watch(server.endpoints(), DIR);
    let mut shown = Shown::default();
    let (mut processes, mut hand_overs, mut ends) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut in_order = 0;
    let (mut begin, mut number) = (0, 0);
    for _ in 0..rounds {
        while processes.len() < CONTENDERS {
            let process = start(program, server, DIR, number, TTL, &resource, &journal);
            processes.insert(process.name().to_owned(), process);
            number += 1;
        }
        let (who, token, _) = journal.granted("a grant", begin).await;
        let queue = eventually("a queue of all contenders", async || {
            let queue = onlooker::tokens(server.endpoints(), DIR).await;
            (queue.len() == CONTENDERS).then_some(queue)
        })
        .await;
        let next = queue.iter().nth(1).copied();
        begin = journal.len();
        let mut process = processes.remove(&who).expect("one of the processes was granted it");
        let killed = process.kill().await;
        let (_, granted, at) = journal.granted("the grant behind the killed holder", begin).await;
        let gone = onlooker::gone(server.endpoints(), DIR, token).await;
        hand_overs.push(at.saturating_sub(killed));
        ends.push(gone.saturating_sub(killed));
        in_order += usize::from(Some(granted) == next);
        shown.expect(queue.first() == Some(&token), || format!("{token} is not the first of {queue:?}"));
        shown.expect(Some(granted) == next, || format!("{granted} was granted behind {queue:?}"));
    }
    shown.figure("holders killed (-9): the next in line was granted it", format!("{in_order} of {rounds}"));
    shown.times(format!("from the kill to the next grant, ttl {TTL:?}"), &hand_overs);
    shown.times("from the kill to a list without its key", &ends);
    let beliefs = Beliefs::read(&journal.entries());
    shown.expect(older_accepted(&resource.writes()) == 0, || "an older token was taken".to_owned());
    shown.problems(beliefs.problems());
    shown.problems(beliefs.unfounded(&onlooker.seen()));
    shown
}

const CONTENDERS: usize = 4;
const DIR: &str = "/recipes/killed";
/// So long that none of those who wait loses its place where the machine stands still for a while.
const TTL: Duration = Duration::from_secs(8);
