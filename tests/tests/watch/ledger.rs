//! What writers of a real server were told, and what a watch has told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use etcd_client::v2::{Client, ResyncCause, Tree, WatchItem, WatchState, WatchStream};
use futures_util::StreamExt as _;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::support::{Consumer, stored};

/// Several who write below a directory, each value once.
#[derive(Clone, Debug)]
pub(crate) struct Writers {
    /// How many at a time.
    pub(crate) count: usize,
    /// How many sets all make together in a second; `None` for as many as they can.
    pub(crate) rate: Option<u64>,
    /// How long one waits for an answer.
    pub(crate) patience: Duration,
}

/// What the writers have done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    /// The values that were taken, by index.
    pub(crate) taken: BTreeMap<u64, String>,
    /// The values of which nobody knows.
    pub(crate) unknown: BTreeSet<String>,
}

/// What a watch has told.
pub(crate) struct Ledger {
    pub(crate) consumer: Consumer,
    /// The values by index.
    pub(crate) told: BTreeMap<u64, String>,
    /// For each event that overwrites another the indexes of both.
    overwritten: Vec<(u64, u64)>,
    /// The index of the snapshot that it began with.
    began: u64,
    /// Indexes between which it has told of a loss: behind the first, up to the second.
    pub(crate) gaps: Vec<(u64, u64)>,
    /// Whether it has taken events from a stream.
    pub(crate) joined: bool,
}

impl Writers {
    /// Writes so many values, or until `until` is set.
    pub(crate) async fn write(
        &self,
        client: impl Fn() -> Client,
        dir: &str,
        most: usize,
        until: Arc<AtomicBool>,
    ) -> Written {
        let mut writers = JoinSet::new();
        for number in 0..self.count {
            let (client, dir, until, patience) =
                (client(), dir.to_owned(), Arc::clone(&until), self.patience);
            let pause = self.rate.map(|rate| Duration::from_secs(self.count as u64) / rate as u32);
            let share = most / self.count + usize::from(number < most % self.count);
            writers.spawn(async move {
                let mut written = Written::default();
                let mut clock = pause.map(interval);
                if let Some(clock) = &mut clock {
                    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
                }
                for round in 0..share {
                    if until.load(Ordering::SeqCst) {
                        break;
                    }
                    if let Some(clock) = &mut clock {
                        clock.tick().await;
                    }
                    let (key, value) = (format!("{dir}/{number}/{}", round % 7), format!("{number}-{round}"));
                    match client.set(key, value.as_str()).timeout(patience).await {
                        Ok(set) => {
                            written.taken.insert(set.index().get(), value);
                        }
                        Err(_) => {
                            written.unknown.insert(value);
                        }
                    }
                }
                written
            });
        }
        let mut all = Written::default();
        for written in writers.join_all().await {
            all.taken.extend(written.taken);
            all.unknown.extend(written.unknown);
        }
        all
    }
}

impl Ledger {
    /// Nothing told.
    pub(crate) fn new(dir: &str) -> Self {
        let (told, gaps) = (BTreeMap::new(), Vec::new());
        Self { consumer: Consumer::new(dir), told, overwritten: Vec::new(), began: 0, gaps, joined: false }
    }

    /// Reads a watch until it has told of `last`, which is set once the writers have ended.
    pub(crate) async fn read(
        items: &mut WatchStream,
        dir: &str,
        last: tokio::sync::watch::Receiver<u64>,
    ) -> Self {
        let mut ledger = Self::new(dir);
        let mut quiet_since = Instant::now();
        loop {
            let wanted = *last.borrow();
            if wanted > 0 && ledger.consumer.last() >= wanted {
                return ledger;
            }
            match timeout(Duration::from_millis(200), items.next()).await {
                Ok(item) => {
                    ledger.take(&item.expect("a watch has no end").unwrap());
                    quiet_since = Instant::now();
                }
                Err(_) if wanted == 0 => quiet_since = Instant::now(),
                Err(_) => {
                    let at = ledger.consumer.last();
                    assert!(quiet_since.elapsed() < LONG, "silent at {at}, {wanted} was written");
                }
            }
            ledger.joined |= items.state() == WatchState::Live;
        }
    }

    /// Takes an item.
    pub(crate) fn take(&mut self, item: &WatchItem) {
        let before = self.consumer.last();
        self.consumer.take(item);
        match item {
            WatchItem::Event(event) => {
                let old = self.told.insert(event.index().get(), event.node.text().to_owned());
                assert_eq!(old, None, "doubled");
                let before = event.prev_node.iter().map(|node| node.modified_index.get());
                self.overwritten.extend(before.map(|before| (event.index().get(), before)));
            }
            WatchItem::Resync { index, cause: ResyncCause::Started, .. } => self.began = index.get(),
            WatchItem::Resync { index, cause, .. } => {
                assert_eq!(*cause, ResyncCause::HistoryCleared, "at {index} behind {before}");
                // The history holds the last thousand: a resync for less is one for nothing.
                assert!(index.get() >= before + HISTORY, "a resync at {index} behind {before}");
                self.gaps.push((before, index.get()));
            }
            other => panic!("an item that the test does not know: {other:?}"),
        }
    }

    /// Holds what was told against what was written.
    ///
    /// # Panics
    /// If an event that was written was neither told nor lost in a gap, or one was told that nobody has written.
    pub(crate) fn check(&self, written: &Written) {
        for (index, value) in written.taken.range(self.began + 1..) {
            match self.told.get(index) {
                Some(told) => assert_eq!(told, value, "at {index}"),
                None => assert!(self.is_known_lost(*index), "lost in silence: {index}; {:?}", self.gaps),
            }
        }
        // Those of which the writers know nothing show by what has overwritten them, or in the tree at the end.
        for (index, before) in &self.overwritten {
            let is_known = self.told.contains_key(before) || self.is_known_lost(*before);
            assert!(is_known, "lost in silence: {before}, which {index} has overwritten; {:?}", self.gaps);
        }
        let taken: BTreeSet<&String> = written.taken.values().collect();
        for (index, value) in &self.told {
            assert!(
                taken.contains(value) || written.unknown.contains(value),
                "{value} at {index} was never written"
            );
        }
    }

    /// Whether an index is before the beginning, or in a gap.
    fn is_known_lost(&self, index: u64) -> bool {
        index <= self.began || self.gaps.iter().any(|(from, to)| *from < index && index <= *to)
    }

    /// Reads on until the tree is that of a read by quorum.
    pub(crate) async fn settle(&mut self, items: &mut WatchStream, client: &Client, dir: &str) {
        let begun = Instant::now();
        loop {
            let now: Tree = stored(client, dir).await;
            if self.consumer.tree.iter().eq(now.iter()) {
                return;
            }
            assert!(begun.elapsed() < LONG, "another tree: {:?} for {now:?}", self.consumer.tree);
            if let Ok(item) = timeout(Duration::from_millis(500), items.next()).await {
                self.take(&item.expect("a watch has no end").unwrap());
            }
        }
    }
}

/// Longer than anything takes on a busy machine.
const LONG: Duration = Duration::from_secs(50);
/// The events that etcd keeps (0.2 to 3.5).
const HISTORY: u64 = 1_000;
