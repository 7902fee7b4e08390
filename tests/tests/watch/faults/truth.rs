//! What has really happened, and what a watch has told of it.

use bytes::Bytes;
use etcd_client::v2::{Key, KeysEvent, ResyncCause, Tree, WatchItem};
use etcd_testkit::memory::{Answer, InProcess, WatcherId};

use super::scene::{WATCHED, WITNESS};

/// What has really happened, as a member tells it that nothing is ever wrong with, and how far a watch has told it.
pub(super) struct Truth {
    etcd: InProcess,
    watcher: WatcherId,
    happened: Vec<Happened>,
    /// How much of it the watch has told of.
    told: usize,
    /// Index of the last item.
    last: u64,
    pub(super) tree: Tree,
    pub(super) counts: Counts,
}

enum Happened {
    Event(Box<KeysEvent>),
    WentBack,
}

/// What a watch has told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) events: u64,
    /// Resyncs, since the history was cleared.
    pub(super) cleared: u64,
    /// Resyncs, since the index went back.
    pub(super) went_back: u64,
    /// Events that resyncs have told of as lost.
    pub(super) lost: u64,
}

impl Truth {
    pub(super) fn new(etcd: &InProcess) -> Self {
        let target = format!("/v2/keys{WATCHED}?wait=true&stream=true&recursive=true");
        let Answer::Watch(opened) = ask(etcd, &target) else { panic!("no watch at the witness") };
        Self {
            etcd: etcd.clone(),
            watcher: opened.watcher,
            happened: Vec::new(),
            told: 0,
            last: 0,
            tree: Tree::new(Key::new(WATCHED).unwrap()),
            counts: Counts::default(),
        }
    }

    /// Takes down what has happened; more often than each 100 events, or the witness misses some.
    pub(super) fn take_down(&mut self) {
        let lines: Vec<Bytes> =
            self.etcd.with_store(|store, _| std::iter::from_fn(|| store.read_watch(self.watcher)).collect());
        assert!(lines.len() < 100, "the witness was not asked for too long");
        for line in lines {
            let event: Box<KeysEvent> = serde_json::from_slice(&line).unwrap();
            // A stream on a directory hears of its end twice; see `Quirks::doubled_deletes`.
            let is_doubled = matches!(self.happened.last(), Some(Happened::Event(last)) if *last == event);
            if !is_doubled {
                self.happened.push(Happened::Event(event));
            }
        }
    }

    /// Takes down that the store was put back.
    pub(super) fn went_back(&mut self) {
        self.take_down();
        self.happened.push(Happened::WentBack);
    }

    /// Whether the watch has told of all that has happened.
    pub(super) fn is_told(&mut self) -> bool {
        self.take_down();
        self.told == self.happened.len()
    }

    /// What the watch has not told of yet, for a complaint.
    pub(super) fn untold(&self) -> String {
        let first = self.happened.get(self.told).map(Happened::index);
        format!("{} of {} told, first untold {first:?}", self.told, self.happened.len())
    }

    /// Takes an item of the watch.
    ///
    /// # Panics
    /// If it is not the next event, nor a resync where events are lost.
    pub(super) fn take(&mut self, item: &WatchItem) {
        self.take_down();
        match item {
            WatchItem::AncestorRemoved(event) if self.had_nothing_to_take_along(event) => {}
            WatchItem::Event(event) | WatchItem::AncestorRemoved(event) => {
                self.event(event);
                let is_above = !event.node.key.is_at_or_below(&Key::new(WATCHED).unwrap());
                assert_eq!(is_above, matches!(item, WatchItem::AncestorRemoved(_)), "{item:?}");
            }
            WatchItem::Resync { index, cause, .. } => self.resync(index.get(), *cause),
            other => panic!("an item that the test does not know: {other:?}"),
        }
        self.last = item.index().get();
        self.tree.apply(item);
    }

    /// Takes the event that must be the next one.
    fn event(&mut self, event: &KeysEvent) {
        match self.happened.get(self.told) {
            Some(Happened::Event(next)) => {
                assert_eq!(event, &**next, "not the next event; {}", self.untold())
            }
            Some(Happened::WentBack) => panic!("went on in a store that was put back: {event:?}"),
            None => panic!("told once more: {event:?}"),
        }
        self.told += 1;
        self.counts.events += 1;
    }

    /// Whether this is the end of a directory above that found nothing of what is watched: the history of the server
    /// tells of it and a live watch, as the witness has, does not.
    fn had_nothing_to_take_along(&self, event: &KeysEvent) -> bool {
        let next = self.happened.get(self.told).and_then(Happened::index);
        let index = event.index().get();
        self.tree.is_empty() && index > self.last && next.is_none_or(|next| index < next)
    }

    /// Goes on behind the index of a resync, which must have been needed.
    fn resync(&mut self, index: u64, cause: ResyncCause) {
        let went_back = self.happened.iter().rposition(|happened| matches!(happened, Happened::WentBack));
        let went_back = went_back.filter(|place| *place >= self.told).map(|place| place + 1);
        match cause {
            ResyncCause::Started => assert_eq!(self.last, 0, "started twice"),
            ResyncCause::HistoryCleared => {
                assert!(went_back.is_none(), "the store was put back, which is not what it says");
                assert!(index > self.last, "{index} behind {}", self.last);
                assert!(self.is_gone(self.last + 1), "a resync at {index} behind {} for nothing", self.last);
                self.counts.cleared += 1;
            }
            ResyncCause::IndexWentBack => {
                assert!(went_back.is_some(), "at {index} behind {}: nothing went back", self.last);
                self.counts.went_back += 1;
            }
            other => panic!("a cause that the test does not know: {other:?}"),
        }
        let from = went_back.unwrap_or(self.told);
        let skipped = self.happened[from..].iter().take_while(|it| it.index().is_some_and(|it| it <= index));
        let told = from + skipped.count();
        self.counts.lost += (told - self.told) as u64;
        self.told = told;
    }

    /// Whether the history no longer has an index.
    fn is_gone(&self, index: u64) -> bool {
        let target = format!("/v2/keys{WATCHED}?wait=true&recursive=true&waitIndex={index}");
        match ask(&self.etcd, &target) {
            Answer::Complete(refused) => refused.status() == 400,
            Answer::Watch(opened) => {
                self.etcd.with_store(|store, _| store.close_watch(opened.watcher));
                false
            }
            Answer::NoQuorum(stalled) => panic!("a watch needs no quorum: {stalled:?}"),
        }
    }
}

impl Happened {
    fn index(&self) -> Option<u64> {
        match self {
            Self::Event(event) => Some(event.index().get()),
            Self::WentBack => None,
        }
    }
}

/// Asks the witness.
fn ask(etcd: &InProcess, target: &str) -> Answer {
    let request = http::Request::get(target).body(Bytes::new()).unwrap();
    etcd.with_store(|store, now| store.handle(WITNESS, &request, now))
}
