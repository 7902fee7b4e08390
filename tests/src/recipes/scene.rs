//! One queue in a cluster that loses its leader, and all who look at it.

use std::sync::Arc;
use std::time::Duration;

use etcd_lock::{Lock, LockGuard, Timing};
use etcd_testkit::Etcd as _;
use etcd_testkit::proxy::{Fault, Rule};
use etcd_testkit::real::Server;
use http::Method;
use tokio::sync::{Barrier, watch};
use tokio::task::JoinHandle;

use super::beliefs::Beliefs;
use super::contend::{Believer, release};
use super::contenders::lock;
use super::journal::Journal;
use super::onlooker::{self, Onlooker};
use super::said::{Said, boottime};
use super::shown::Shown;
use crate::eventually;
use crate::failover::Proxied;

/// When the leader dies, for all who wait for that.
#[derive(Debug)]
pub(super) struct Gate {
    step: Barrier,
    killed: watch::Sender<Option<Duration>>,
}

/// One queue, and all who look at it.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) dir: String,
    pub(super) proxied: &'a Proxied,
    pub(super) server: &'a Server,
    journal: Arc<Journal>,
    onlooker: Onlooker,
}

/// What somebody of this process holds, and is asked about again and again.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) held: Arc<LockGuard>,
    pub(super) granted: Duration,
    who: &'static str,
    believer: Believer,
    journal: Arc<Journal>,
}

// === impl Gate ===

impl Gate {
    /// For so many scenes, and one who kills.
    pub(super) fn new(scenes: usize) -> Self {
        Self { step: Barrier::new(scenes + 1), killed: watch::Sender::new(None) }
    }

    /// Waits until all have come so far.
    pub(super) async fn step(&self) {
        self.step.wait().await;
    }

    /// Says that it is done.
    pub(super) fn killed(&self, at: Duration) {
        self.killed.send_replace(Some(at));
    }

    /// Waits until it is done: when that was.
    pub(super) async fn kill(&self) -> Duration {
        self.step().await;
        let mut killed = self.killed.subscribe();
        let at = killed.wait_for(Option::is_some).await.expect("the gate has the sender");
        at.expect("waited for")
    }
}

// === impl Scene ===

impl<'a> Scene<'a> {
    pub(super) fn new(name: &str, round: usize, proxied: &'a Proxied, server: &'a Server) -> Self {
        let dir = format!("/recipes/leader/{name}-{round}");
        let (journal, onlooker) = (Arc::new(Journal::new()), Onlooker::watch(server.endpoints(), &dir));
        Self { dir, proxied, server, journal, onlooker }
    }

    pub(super) fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// Acquires at once, through the proxies.
    pub(super) async fn hold(&self, who: &'static str) -> Holding {
        let (lock, journal) = (self.lock(who), Arc::clone(&self.journal));
        acquire(lock, who, journal).await
    }

    /// Queues up behind who is there, and comes back when the wait has begun.
    pub(super) async fn wait_behind(&self, who: &'static str) -> JoinHandle<Holding> {
        let path = format!("/v2/keys{}/", self.dir);
        let polls = || {
            let entries = self.proxied.entries();
            entries.iter().filter(|entry| entry.target.starts_with(&path) && is_poll(&entry.target)).count()
        };
        let before = polls();
        let waiting = tokio::spawn(acquire(self.lock(who), who, Arc::clone(&self.journal)));
        eventually("the poll of a waiter", async || (polls() > before).then_some(())).await;
        waiting
    }

    /// Has the next request of this method on a key of the queue, at each proxy, be passed on only after a while.
    pub(super) fn delay(&self, method: &Method) {
        self.proxied.add(&Rule::new(DELAY).method(method.clone()).key_prefix(&self.dir).nth(1));
    }

    /// Waits until such a request is with a proxy.
    pub(super) async fn under_way(&self) {
        let path = format!("/v2/keys{}/", self.dir);
        eventually("a request at a proxy", async || {
            let entries = self.proxied.entries();
            entries
                .iter()
                .any(|entry| entry.target.starts_with(&path) && entry.fault == Some(DELAY))
                .then_some(())
        })
        .await;
    }

    /// When the onlooker saw the queue by quorum for the first time behind the kill.
    pub(super) async fn back(&self, killed: Duration) -> Duration {
        eventually("a quorum read behind the kill", async || {
            self.onlooker.seen().iter().find(|listed| listed.asked >= killed).map(|listed| listed.answered)
        })
        .await
    }

    /// Adds what was wrong: beliefs, and keys that are left.
    pub(super) async fn judge(self, shown: &mut Shown) {
        let left = onlooker::tokens(self.server.endpoints(), &self.dir).await;
        let beliefs = Beliefs::read(&self.journal.entries());
        let problems = [beliefs.problems(), beliefs.unfounded(&self.onlooker.seen())].concat();
        shown.problems(problems.into_iter().map(|problem| format!("{}: {problem}", self.dir)));
        shown.expect(left.is_empty(), || format!("{}: {left:?} are left", self.dir));
    }

    fn lock(&self, who: &str) -> Lock {
        let client = self.proxied.client().build().expect("proxies have endpoints");
        lock(&client, &self.dir).ttl(TTL).owner(who)
    }
}

// === impl Holding ===

impl Holding {
    /// Waits for a renewal that was sent behind the kill; false if it is lost before there is one.
    pub(super) async fn outlives(&self, killed: Duration) -> bool {
        let behind = killed + validity();
        eventually("a renewal or a loss", async || {
            let is_renewed = self.held.valid_until().since_origin() >= behind;
            if self.held.check().is_err() { Some(false) } else { is_renewed.then_some(true) }
        })
        .await
    }

    /// When it ends, unless it is renewed.
    pub(super) fn until(&self) -> Duration {
        self.held.valid_until().since_origin()
    }

    /// Gives it back; whether that is known to have gone well.
    pub(super) async fn release(self) -> bool {
        // It asks no more, so that there is but one owner, in a runtime of one thread.
        drop(self.believer);
        let held = Arc::into_inner(self.held).expect("a believer holds it while it asks, and no longer");
        match release(held).await {
            Ok(said) => {
                let was_held = matches!(said, Said::Released { was_held: true, .. });
                self.journal.note(self.who, said);
                was_held
            }
            Err(_) => false,
        }
    }
}

async fn acquire(lock: Lock, who: &'static str, journal: Arc<Journal>) -> Holding {
    let held = Arc::new(lock.acquire().await.unwrap_or_else(|error| panic!("{who}: {error:?}")));
    let granted = boottime();
    let believer = Believer::watch(who, &held, &journal);
    Holding { held, granted, who, believer, journal }
}

fn is_poll(target: &str) -> bool {
    target.contains("wait=true")
}

fn validity() -> Duration {
    Timing::new(TTL, Duration::ZERO).expect("long enough").validity()
}

/// Renewed every 3 s: so much of it is left at any time that an election fits in, and so short is the limit of a request
/// that many an election does not fit in there.
pub(super) const TTL: Duration = Duration::from_secs(9);
/// Long enough for the leader to die in, shorter than the limit of a request, which is 1.5 s.
const DELAY: Fault = Fault::Delay(Duration::from_millis(400));
