//! What a caller says of a watch.

use std::time::Duration;

use etcd_proto::v2::{Index, Key, KeysEvent};
use etcd_transport::Endpoint;
use futures_util::StreamExt;
use tokio::runtime::Handle;

use super::driver::{Driver, Plan, Source};
use super::filter::Scope;
use super::outbox::Outbox;
use super::{Position, WatchItem, WatchStream, WatchUntil};
use crate::v2::Client;
use crate::v2::keys::{IntoKey, key};
use crate::v2::limits::CallOptions;
use crate::{Error, ErrorKind, Result};

/// A watch in the making, see [`Client::watch`].
#[derive(Clone, Debug)]
#[must_use = "a watch does nothing until it is started"]
pub struct Watch {
    client: Client,
    key: Result<Key, std::sync::Arc<etcd_proto::Error>>,
    recursive: bool,
    from: Option<Result<Index, std::sync::Arc<etcd_proto::Error>>>,
    cluster_id: Option<Box<str>>,
    snapshot: bool,
    on_history_lost: OnHistoryLost,
    buffer: usize,
    polls_only: bool,
    reconnect_for: Option<Duration>,
    one_event: bool,
    options: CallOptions,
}

/// What a watch does when the server no longer has the wanted events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnHistoryLost {
    /// It yields [`WatchItem::Resync`] with what is stored now, and goes on from there.
    #[default]
    Resync,
    /// It ends with [`ErrorKind::EventIndexCleared`](crate::ErrorKind::EventIndexCleared).
    Fail,
}

impl Client {
    /// Watches a key, which need not exist, or with [`recursive`](Watch::recursive) all below it too.
    ///
    /// What comes of it is a [`WatchStream`], by [`start`](Watch::start); one event by
    /// [`next_event`](Watch::next_event); a stream that ends by itself by [`until`](Watch::until).
    ///
    /// # Examples
    /// ```
    /// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
    /// use etcd_client::v2::WatchItem;
    /// use futures_util::StreamExt;
    ///
    /// let mut items = client.watch("/config").recursive(true).with_snapshot(true).start();
    /// while let Some(item) = items.next().await {
    ///     match item? {
    ///         WatchItem::Event(event) => println!("{} {}", event.action, event.node.key),
    ///         WatchItem::Resync { index, cause, .. } => println!("read anew at {index}: {cause}"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "etcd_watch")]
    #[doc(alias = "keep_watching")]
    #[doc(alias = "keep_watching_index")]
    #[doc(alias = "watch_until")]
    #[doc(alias = "watchloop")]
    pub fn watch(&self, key: impl IntoKey) -> Watch {
        Watch {
            client: self.clone(),
            key: self::key(key).map_err(std::sync::Arc::new),
            recursive: false,
            from: None,
            cluster_id: None,
            snapshot: false,
            on_history_lost: OnHistoryLost::default(),
            buffer: BUFFER,
            polls_only: false,
            reconnect_for: None,
            one_event: false,
            options: CallOptions::default(),
        }
    }
}

impl Watch {
    /// Watches all below the key too. Hidden keys (an element below the watched one begins with `_`) are left out.
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.recursive = recursive;
        self
    }

    /// Begins at this index, inclusive; without it, and without a snapshot, with what comes from now on.
    #[doc(alias = "wait_index")]
    pub fn from(mut self, index: impl Into<Index>) -> Self {
        let index = index.into();
        self.from = Some(index.to_non_zero().map(|_| index).map_err(std::sync::Arc::new));
        self
    }

    /// Begins behind this index: `.after(answer.header.etcd_index)` sees all that happens after the answer.
    pub fn after(self, index: impl Into<Index>) -> Self {
        let index = index.into();
        // None is what a missing header gives; it must not become "from the very first event on".
        self.from(if index.is_none() { Index::NONE } else { index.next() })
    }

    /// Begins where another watch was, of this process or another, and on no other cluster. A position of a watch
    /// that had not begun is "from now on".
    pub fn resume(mut self, position: &Position) -> Self {
        self.cluster_id = position.cluster_id().map(Box::from);
        if position.next().is_none() { self } else { self.from(position.next()) }
    }

    /// Yields what is stored first, read by quorum, as a [`Resync`](WatchItem::Resync) of cause
    /// [`Started`](super::ResyncCause::Started), and then what comes behind it, with nothing between left out.
    /// An index given by [`from`](Self::from) is without effect then.
    pub fn with_snapshot(mut self, snapshot: bool) -> Self {
        self.snapshot = snapshot;
        self
    }

    /// What to do when the server no longer has the wanted events. Default: [`OnHistoryLost::Resync`].
    pub fn on_history_lost(mut self, what: OnHistoryLost) -> Self {
        self.on_history_lost = what;
        self
    }

    /// How many items may wait for a consumer that is slower than the events; 256 by default, at least 1. Beyond
    /// that the watch stops reading.
    pub fn buffer(mut self, items: usize) -> Self {
        self.buffer = items.max(1);
        self
    }

    /// Long polls only, and no limit for the head of an answer: for proxies that hold streams back. A server before
    /// 2.0 is found out without it (no cluster id), after 10 s where it sends no head before an event (0.3). At more than some hundred writes a second in the whole store events are lost then, and told.
    pub fn polls_only(mut self, polls_only: bool) -> Self {
        self.polls_only = polls_only;
        self
    }

    /// Ends the watch with the last failure if no member has answered for so long; without it a watch tries for
    /// ever. Zero ends it at the first failure. It is looked at behind each failure, and one may take fifteen seconds.
    pub fn reconnect_for(mut self, time: Duration) -> Self {
        self.reconnect_for = Some(time);
        self
    }

    /// Limits each wait for the head of an answer, 5 s by default; waits for events have no limit.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.options.attempt_timeout = Some(timeout);
        self
    }

    /// Asks this member and no other.
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.options.endpoint = Some(endpoint);
        self
    }

    /// Makes the stream. Nothing is sent before it is polled; bad input is its first and only item.
    pub fn start(self) -> WatchStream {
        let from = self.from.clone().filter(|_| !self.snapshot).and_then(Result::ok);
        let outbox = Outbox::new(self.buffer, from.unwrap_or_default(), self.cluster_id.clone());
        let driver = self.into_driver(&outbox);
        let running = {
            let outbox = outbox.clone();
            Box::pin(async move {
                match driver {
                    // It needs a clock, and would panic without.
                    Ok(_) if Handle::try_current().is_err() => outbox.end(Error::new(ErrorKind::NoRuntime)),
                    Ok(driver) => driver.run().await,
                    Err(error) => outbox.end(error),
                }
            })
        };
        WatchStream::new(running, outbox)
    }

    fn into_driver(self, outbox: &Outbox) -> Result<Driver> {
        let bad = |error: &std::sync::Arc<etcd_proto::Error>, key: Option<&Key>| {
            Error::from_shared(error).with_call("watch", key)
        };
        let key = self.key.map_err(|error| bad(&error, None))?;
        let from = self.from.transpose().map_err(|error| bad(&error, Some(&key)))?;
        let scope = Scope { key, recursive: self.recursive };
        let (snapshot, polls_only) = (self.snapshot, self.polls_only);
        let plan = Plan {
            from: if snapshot { None } else { from },
            snapshot,
            on_history_lost: self.on_history_lost,
            polls_only,
            reconnect_for: self.reconnect_for,
            one_event: self.one_event,
        };
        let source = Source::new(self.client, scope.clone(), self.options, outbox.clone(), polls_only);
        Ok(Driver::new(source, scope, plan, outbox.clone()))
    }

    /// A stream that ends behind the item for which `predicate` is true; that item is yielded too.
    ///
    /// The predicate sees resyncs too: on "until it is deleted" a [`Resync`](WatchItem::Resync) without a snapshot is
    /// the answer as well.
    ///
    /// # Errors
    /// As [`WatchStream`]; an error ends it.
    ///
    /// # Examples
    /// ```
    /// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_client::Error> {
    /// use futures_util::TryStreamExt;
    ///
    /// let mut left = 3;
    /// let three = client.watch("/jobs").recursive(true).until(move |_| {
    ///     left -= 1;
    ///     left == 0
    /// });
    /// let items: Vec<_> = three.try_collect().await?;
    /// assert_eq!(items.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn until<P>(self, predicate: P) -> WatchUntil<P>
    where
        P: FnMut(&WatchItem) -> bool + Unpin,
    {
        WatchUntil::new(self.start(), predicate)
    }

    /// Waits for one event, by one poll. To see the next one too, watch [`after`](Self::after) this one's index: what happens
    /// in between is in the history of the server, up to 1000 events of the whole store.
    ///
    /// # Errors
    /// [`ErrorKind::EventIndexCleared`](crate::ErrorKind::EventIndexCleared) if the server no longer remembers the
    /// wanted index: events were lost, read the key anew. Else what would be the last item of the stream.
    ///
    /// # Cancel safety
    /// May be dropped at any time. With [`from`](Self::from) or [`after`](Self::after), watching again at the same
    /// index misses nothing. Without, each new watch begins at its own "now".
    pub async fn next_event(mut self) -> Result<KeysEvent> {
        self.one_event = true;
        // With room for one the watch does not ask for the next before this one is taken.
        self.buffer = 1;
        let mut items = self.with_snapshot(false).on_history_lost(OnHistoryLost::Fail).start();
        loop {
            match items.next().await {
                Some(Ok(WatchItem::Event(event) | WatchItem::AncestorRemoved(event))) => return Ok(event),
                Some(Ok(WatchItem::Resync { .. })) => {}
                Some(Err(error)) => return Err(error),
                None => return Err(Error::new(ErrorKind::BodyInterrupted)),
            }
        }
    }
}

/// Items waiting for the consumer.
const BUFFER: usize = 256;
