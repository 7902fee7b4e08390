//! What the tests of watches share.

use std::time::Duration;

use etcd_client::v2::{Client, Key, ResyncCause, Tree, WatchItem, WatchStream};
use etcd_testkit::memory::{InProcess, MemoryEtcd};
use futures_util::StreamExt as _;
use tokio::time::timeout;

/// A cluster of three in this process, in virtual time, and a client of it.
pub(crate) fn cluster() -> (InProcess, Client) {
    let etcd = MemoryEtcd::builder().members(3).in_process().unwrap();
    let client = etcd_tests::Wire::client(&etcd);
    (etcd, client)
}

/// The next item within a time that nothing takes.
pub(crate) async fn next(stream: &mut WatchStream) -> WatchItem {
    let item = timeout(Duration::from_secs(300), stream.next()).await;
    item.expect("an item in time").expect("no end").unwrap()
}

/// Lets a watch work for so long, and expects nothing of it.
pub(crate) async fn nothing_for(stream: &mut WatchStream, time: Duration) {
    if let Ok(item) = timeout(time, stream.next()).await {
        panic!("an item out of nothing: {item:?}");
    }
}

/// The values of so many events.
pub(crate) async fn values(stream: &mut WatchStream, count: usize) -> Vec<String> {
    let mut values = Vec::new();
    for _ in 0..count {
        match next(stream).await {
            WatchItem::Event(event) => values.push(event.node.text().to_owned()),
            other => panic!("no event: {other:?}"),
        }
    }
    values
}

/// What a quorum read shows at and below a key, as a tree.
pub(crate) async fn stored(client: &Client, key: &str) -> Tree {
    let mut tree = Tree::new(Key::new(key).unwrap());
    let items = client.watch(key).recursive(true).with_snapshot(true).start();
    tokio::pin!(items);
    tree.apply(&items.next().await.unwrap().unwrap());
    tree
}

/// What a consumer of a watch sees: how many events, whether each index rose, how often it was told of a loss.
pub(crate) struct Consumer {
    pub(crate) tree: Tree,
    pub(crate) events: Vec<u64>,
    pub(crate) losses: usize,
    last: u64,
}

impl Consumer {
    pub(crate) fn new(key: &str) -> Self {
        Self { tree: Tree::new(Key::new(key).unwrap()), events: Vec::new(), losses: 0, last: 0 }
    }

    /// The index of the last item; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Takes an item; its index must be greater than all before.
    pub(crate) fn take(&mut self, item: &WatchItem) {
        let index = item.index().get();
        let went_back = matches!(item, WatchItem::Resync { cause: ResyncCause::IndexWentBack, .. });
        assert!(index > self.last || went_back, "{index} behind {}: {item:?}", self.last);
        self.last = index;
        if item.event().is_some() {
            self.events.push(index);
        }
        self.losses += usize::from(item.is_loss());
        self.tree.apply(item);
    }
}

/// How many polls and streams are open at all members.
pub(crate) async fn watchers(etcd: &InProcess) -> u64 {
    let mut open = 0;
    for member in 0..etcd_testkit::Etcd::endpoints(etcd).len() {
        let get = http::Request::get("/v2/stats/store").body(String::new()).unwrap();
        let answer = tower::ServiceExt::oneshot(etcd.http_service().to(member), get).await.unwrap();
        let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
        let stats: serde_json::Value = serde_json::from_slice(&body).unwrap();
        open += stats["watchers"].as_u64().unwrap();
    }
    open
}

/// A number that the environment may set.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    let wanted = std::env::var(variable).ok();
    wanted.map_or(default, |wanted| {
        wanted.parse().unwrap_or_else(|_| panic!("{variable} is {wanted}, and no number"))
    })
}
