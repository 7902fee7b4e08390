//! A cluster, a watch of it, those who write, and what goes wrong.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use etcd_client::v2::{Client, WatchState, WatchStream};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{Change, Contact, InProcess, MemoryEtcd, Rule, Snapshot};
use etcd_tests::Wire;
use etcd_transport::{Endpoints, Transport};
use futures_util::StreamExt as _;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::kind::{Kind, Tally};
use super::truth::Truth;
use super::write::Pace;

/// A cluster, a watch of it, those who write, and what goes wrong.
pub(super) struct Scene {
    pub(super) etcd: InProcess,
    pub(super) client: Client,
    pub(super) truth: Arc<Mutex<Truth>>,
    pub(super) tally: Tally,
    stream: Arc<Mutex<WatchStream>>,
    reading: watch::Sender<bool>,
    consumer: AbortHandle,
    /// States that the store can be put back to, each with its index.
    past: Vec<(u64, Snapshot)>,
    /// Where the last watch was opened.
    at: usize,
    pub(super) rng: fastrand::Rng,
    pub(super) writes: u64,
}

impl Scene {
    pub(super) async fn start(mut rng: fastrand::Rng) -> Self {
        let etcd = MemoryEtcd::builder().members(MEMBERS).in_process().unwrap();
        let endpoints = etcd.endpoints()[..SEEN].join(",");
        let transport = Transport::builder(Endpoints::parse(&endpoints).unwrap());
        let client = Client::from_transport(transport.build_with(Wire::new(&etcd)).unwrap());
        let truth = Arc::new(Mutex::new(Truth::new(&etcd)));
        let watch = client.watch(WATCHED).recursive(true).with_snapshot(true).buffer(rng.usize(1..300));
        let stream = Arc::new(Mutex::new(watch.start()));
        let (reading, is_reading) = watch::channel(true);
        let consumer = tokio::spawn(consume(Arc::clone(&stream), Arc::clone(&truth), is_reading));
        let consumer = consumer.abort_handle();
        let tally = Tally::default();
        Self {
            etcd,
            client,
            truth,
            tally,
            stream,
            reading,
            consumer,
            past: Vec::new(),
            at: 0,
            rng,
            writes: 0,
        }
    }

    pub(super) fn truth(&self) -> MutexGuard<'_, Truth> {
        // Where the consumer has failed, its complaint is the one to be seen.
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has this go wrong, with writes during and after it.
    pub(super) async fn meet(&mut self, kind: Kind) {
        self.look_at_log();
        self.remember();
        match kind {
            Kind::Partition | Kind::Stale | Kind::Restart => self.at_member(kind).await,
            Kind::LeaderLoss => {
                let time = Duration::from_millis(self.rng.u64(500..8_000));
                self.etcd.faults().apply(Change::NoLeader(time)).unwrap();
                self.tally.add(kind);
                assert!(!self.write_one(), "written without a leader");
                self.write_on().await;
                sleep(time).await;
                self.write_on().await;
            }
            Kind::Overflow => self.overflow().await,
            Kind::HistoryCleared => self.clear_history().await,
            Kind::IndexBack => self.put_back().await,
            Kind::CutBeforeHead
            | Kind::CutBeforeEvent
            | Kind::CutInsideEvent
            | Kind::Reset
            | Kind::SilentPeer
            | Kind::Slow => self.at_watches(kind).await,
        }
        self.look_at_log();
        if self.rng.u8(0..4) == 0 {
            // Long enough for a stream to be left, or a poll renewed.
            sleep(Duration::from_millis(self.rng.u64(500..60_000))).await;
        }
    }

    /// Ends all that is wrong, and waits until the watch has told of all that has happened.
    pub(super) async fn end(&mut self) {
        self.heal();
        self.write(20, Pace::Pauses(5)).await;
        self.told("after the end of all faults").await;
        self.consumer.abort();
    }

    /// The next watches meet a fault, and writes go on until one has, unless none comes.
    async fn at_watches(&mut self, kind: Kind) {
        let times = self.rng.u64(1..4);
        let fault = kind.fault(&mut self.rng).expect("it is one of watches");
        self.etcd.faults().add(Rule::new(fault).watches().first(times));
        let before = self.tally.of(kind);
        for _ in 0..20 {
            self.write_on().await;
            self.look_at_log();
            if self.tally.of(kind) > before {
                break;
            }
            // A stream is never opened anew while it brings something.
            sleep(Duration::from_millis(1_200)).await;
        }
        self.write_on().await;
        if self.rng.u8(0..3) > 0 {
            // Else what is left of it is met together with the next one.
            self.etcd.faults().clear();
        }
    }

    /// The member that the watch is at is cut off, lags or dies, for a time.
    async fn at_member(&mut self, kind: Kind) {
        let time = Duration::from_millis(self.rng.u64(100..50_000));
        let open = |member| self.etcd.with_store(|store, _| store.watcher_count(member)) > 0;
        if let Some(member) = (0..SEEN).find(|member| open(*member)) {
            self.at = member;
            self.tally.add(kind);
        }
        let faults = self.etcd.faults();
        match kind {
            Kind::Partition => {
                let contact = if self.rng.bool() { Contact::NoLeader } else { Contact::NoQuorum };
                self.etcd.with_store(|store, now| {
                    store.freeze(self.at).unwrap();
                    store.set_contact(self.at, contact).unwrap();
                    if store.leader() == Some(self.at) {
                        store.set_leader(Some(WITNESS), now).unwrap();
                    }
                });
            }
            Kind::Stale => faults.apply(Change::Lag { member: self.at, lasts: time }).unwrap(),
            _ if self.rng.u8(0..4) == 0 => {
                (0..SEEN).for_each(|member| faults.apply(Change::Kill(member)).unwrap());
            }
            _ => faults.apply(Change::Kill(self.at)).unwrap(),
        }
        self.write_on().await;
        sleep(time).await;
        self.write_on().await;
        if self.rng.u8(0..3) > 0 {
            self.heal();
        }
        self.write_on().await;
    }

    /// More happens to a stream that nobody reads than the server keeps for it.
    async fn overflow(&mut self) {
        if !self.go_live().await {
            return;
        }
        self.reading.send_replace(false);
        let count = self.rng.u64(110..900);
        self.write(count, Pace::Burst(50)).await;
        let waiting: u64 = (0..SEEN).map(|at| self.etcd.with_store(|store, _| store.watcher_count(at))).sum();
        if waiting == 0 {
            self.tally.add(Kind::Overflow);
        }
        sleep(Duration::from_millis(self.rng.u64(0..3_000))).await;
        self.reading.send_replace(true);
        self.write_on().await;
    }

    /// What the consumer has not read goes out of the history, by its size or at once.
    async fn clear_history(&mut self) {
        let before = self.truth().counts.cleared;
        if self.rng.bool() {
            self.go_live().await;
        }
        self.reading.send_replace(false);
        if self.rng.bool() {
            let count = self.rng.u64(1_050..1_500);
            self.write(count, Pace::Burst(80)).await;
        } else {
            let count = self.rng.u64(110..400);
            self.write(count, Pace::Burst(30)).await;
            self.etcd.faults().apply(Change::ClearHistory).unwrap();
            self.write_on().await;
        }
        self.reading.send_replace(true);
        self.write_on().await;
        self.heal();
        self.told("after the history was cleared").await;
        if self.truth().counts.cleared > before {
            self.tally.add(Kind::HistoryCleared);
        }
    }

    /// The store is put back, with all members started anew. Writes go on, but not so many that the index is where
    /// it was before the watch has seen it: then no client could know.
    async fn put_back(&mut self) {
        self.heal();
        self.write(120, Pace::Pauses(3)).await;
        self.told("before the store is put back").await;
        let index = self.etcd.with_store(|store, _| store.index());
        self.past.retain(|(at, _)| at + 100 < index);
        let Some((at, snapshot)) = self.rng.choice(self.past.clone()) else { return };
        let before = self.truth().counts.went_back;
        let faults = self.etcd.faults();
        (0..SEEN).for_each(|member| faults.apply(Change::Kill(member)).unwrap());
        self.truth().went_back();
        self.etcd.with_store(|store, _| store.restore(&snapshot));
        self.past.retain(|(kept, _)| *kept <= at);
        sleep(Duration::from_millis(self.rng.u64(0..3_000))).await;
        self.heal();
        let most = (index - at) / 3;
        let count = self.rng.u64(0..most.min(300));
        self.write(count, Pace::Pauses(10)).await;
        self.told("after the store was put back").await;
        assert_eq!(self.truth().counts.went_back, before + 1, "resyncs for one restore");
        self.tally.add(Kind::IndexBack);
        self.write_on().await;
    }

    /// Writes until the watch takes events from a stream; whether it does.
    async fn go_live(&mut self) -> bool {
        self.heal();
        for _ in 0..400 {
            self.write(10, Pace::Pauses(2)).await;
            if self.stream.lock().unwrap().state() == WatchState::Live {
                return true;
            }
        }
        false
    }

    /// Waits until the watch has told of all that has happened.
    async fn told(&mut self, when: &str) {
        let begun = Instant::now();
        while !self.truth().is_told() {
            assert!(begun.elapsed() < LONG, "lost in silence {when}: {}", self.truth().untold());
            assert!(!self.consumer.is_finished(), "the consumer has failed");
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn heal(&mut self) {
        self.etcd.faults().clear();
        for member in 0..SEEN {
            let faults = self.etcd.faults();
            faults.apply(Change::Restart(member)).unwrap();
            faults.apply(Change::Lag { member, lasts: Duration::ZERO }).unwrap();
            self.etcd.with_store(|store, _| {
                store.set_contact(member, Contact::Connected).unwrap();
                store.catch_up(member, usize::MAX).unwrap();
            });
        }
        self.etcd.faults().apply(Change::NoLeader(Duration::ZERO)).unwrap();
        self.etcd.with_store(|store, now| store.set_leader(Some(WITNESS), now)).unwrap();
    }

    /// Keeps the present state, to be put back to later.
    fn remember(&mut self) {
        let now = self.etcd.with_store(|store, _| (store.index(), store.snapshot()));
        self.past.push(now);
    }

    /// Counts the faults that watches have met.
    fn look_at_log(&mut self) {
        for entry in self.etcd.log().entries() {
            if entry.target.contains("wait=true") {
                self.at = entry.member;
            }
            if let Some(fault) = entry.fault {
                self.tally.add(Kind::of(&fault));
            }
        }
        self.etcd.log().clear();
    }
}

/// Reads the watch, at once or slowly or not at all, and holds each item against what has happened.
async fn consume(
    stream: Arc<Mutex<WatchStream>>,
    truth: Arc<Mutex<Truth>>,
    mut is_reading: watch::Receiver<bool>,
) {
    loop {
        is_reading.wait_for(|reading| *reading).await.unwrap();
        let item = tokio::select! {
            biased;
            _ = is_reading.wait_for(|reading| !*reading) => continue,
            item = std::future::poll_fn(|cx| stream.lock().unwrap().poll_next_unpin(cx)) => item,
        };
        let item = item.expect("a watch has no end").unwrap_or_else(|error| panic!("{error:?}"));
        truth.lock().unwrap().take(&item);
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.consumer.abort();
    }
}

pub(super) const WATCHED: &str = "/a/ddd";
/// Members that the watch knows of.
const SEEN: usize = 3;
/// One of two that it does not: they keep the majority, and tell what has happened.
pub(super) const WITNESS: usize = 3;
const MEMBERS: usize = 5;
/// A silent poll is left within 45 s, at each of three members.
const LONG: Duration = Duration::from_secs(400);
