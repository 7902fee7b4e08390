//! Polls, streams and reads of one key, through the operation seam.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use etcd_proto::v2::keys::{self, KeysEvent};
use etcd_proto::v2::{EventStream, Header, Index, Node, Request, WatchResponse};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::filter::Scope;
use super::super::outbox::Outbox;
use super::cluster_changed;
use crate::v2::Client;
use crate::v2::limits::CallOptions;
use crate::{Error, ErrorKind, Result};

/// Where polls, streams and reads come from.
#[derive(Clone)]
pub(in crate::v2::watch) struct Source {
    client: Client,
    scope: Scope,
    options: CallOptions,
    outbox: Outbox,
    heads: Heads,
    /// How many members on from the one that calls begin with.
    turn: usize,
}

/// When the head of an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heads {
    /// Before any event: etcd sends it at once (0.4.9 and from 2.0 on), so its wait has a limit.
    First,
    /// With the first event, says the caller.
    WithEvent,
    /// With the first event, so it seems (0.3), until an answer has a cluster's id, as from 2.0 on.
    SeemWithEvent,
}

/// A poll that is open or being opened, from its request to its end.
pub(super) type PollFuture = BoxFuture<'static, Result<Polled>>;

/// How a poll went on.
#[allow(clippy::large_enum_variant, reason = "moved once from the poll to its reader, and kept nowhere")]
pub(super) enum Polled {
    /// With an event.
    Event {
        /// What the server has sent.
        event: KeysEvent,
        /// It came out of the history: it had happened when the poll was opened.
        past: bool,
    },
    /// Its body ended without one, as of a server that stops.
    Empty,
    /// The member's store is behind the wanted index; the poll goes on.
    Behind(PollFuture),
}

/// A stream and what of it is read ahead.
pub(super) struct StreamFeed {
    /// The index of the store when it was opened: it is complete behind that.
    pub(super) opened_at: Index,
    events: EventStream,
    ahead: std::collections::VecDeque<KeysEvent>,
    ended: Option<Option<Error>>,
}

/// What is stored, and at which index.
pub(super) struct Stored {
    pub(super) node: Option<Node>,
    pub(super) index: Index,
}

impl Source {
    pub(in crate::v2::watch) fn new(
        client: Client,
        scope: Scope,
        options: CallOptions,
        outbox: Outbox,
        polls_only: bool,
    ) -> Self {
        let heads = if polls_only { Heads::WithEvent } else { Heads::First };
        Self { client, scope, options, outbox, heads, turn: 0 }
    }

    /// Whether the head of an answer is expected no earlier than the first event.
    pub(super) fn has_late_heads(&self) -> bool {
        match self.heads {
            Heads::First => false,
            Heads::WithEvent => true,
            Heads::SeemWithEvent => self.outbox.cluster_id().is_none(),
        }
    }

    /// A head did not come in time: whether that is how this server is. So it seems where it answers a read, and no
    /// answer ever had a cluster's id.
    pub(super) async fn finds_late_heads(&mut self) -> bool {
        if self.has_late_heads() || self.outbox.cluster_id().is_some() {
            return false;
        }
        let answers = matches!(timeout(HEAD, self.read()).await, Ok(Ok(_)));
        if answers && self.outbox.cluster_id().is_none() {
            self.heads = Heads::SeemWithEvent;
        }
        self.has_late_heads()
    }

    /// Later calls begin at the next member.
    pub(super) fn turn(&mut self) {
        self.turn = self.turn.wrapping_add(1);
    }

    /// The same at the next member.
    pub(super) fn elsewhere(&self) -> Self {
        let mut other = self.clone();
        other.turn();
        other
    }

    /// A long poll for the first event at `next` or behind it.
    pub(super) fn poll(&self, next: Index) -> PollFuture {
        let source = self.clone();
        Box::pin(async move {
            let WatchResponse { header, events, .. } = source.open(Some(next), false).await?;
            let rest = first(events, next, header.etcd_index);
            if !header.etcd_index.is_none() && header.etcd_index.next() < next {
                return Ok(Polled::Behind(Box::pin(rest)));
            }
            rest.await
        })
    }

    /// A long poll for the first event from now on, and the index of the store that this means.
    pub(super) async fn poll_from_now_on(&self) -> Result<(Index, PollFuture)> {
        let WatchResponse { header, events, .. } = self.open(None, false).await?;
        let opened_at = self.index_of(&header)?;
        Ok((opened_at, Box::pin(first(events, opened_at.next(), opened_at))))
    }

    /// A stream of what happens from now on.
    pub(super) async fn stream(&self) -> Result<StreamFeed> {
        let WatchResponse { header, events, .. } = self.open(None, true).await?;
        let opened_at = self.index_of(&header)?;
        Ok(StreamFeed { opened_at, events, ahead: std::collections::VecDeque::new(), ended: None })
    }

    async fn open(&self, next: Option<Index>, stream: bool) -> Result<WatchResponse> {
        let mut watch = keys::Watch::new(self.scope.key.clone());
        watch.recursive = self.scope.recursive;
        watch.stream = stream;
        watch.wait_index = next.map(Index::to_non_zero).transpose()?;
        let mut options = self.options.clone();
        options.turn = self.turn;
        if self.has_late_heads() {
            // A head that comes with the first event is not late: no second copy.
            options.reissue = Some(false);
        } else {
            options.attempt_timeout = options.attempt_timeout.or(Some(HEAD));
        }
        let limit = options.attempt_timeout.map(|attempt| attempt.saturating_mul(2));
        options.call_timeout = options.call_timeout.or(limit);
        let mut request = Request::new(watch);
        request.extensions.insert(options);
        let opening = self.client.send_request::<keys::Watch>(request);
        let response = match limit {
            // Also for services that keep no limits.
            Some(limit) => match timeout(limit, opening).await {
                Ok(opened) => opened?,
                Err(_) => return Err(self.error(ErrorKind::AttemptTimeout)),
            },
            None => opening.await?,
        };
        self.check(&response.header)?;
        Ok(response)
    }

    /// What is stored, by quorum.
    pub(super) async fn read(&self) -> Result<Stored> {
        let mut get = keys::Get::new(self.scope.key.clone());
        (get.recursive, get.quorum) = (self.scope.recursive, true);
        let mut options = self.options.clone();
        options.turn = self.turn;
        let mut request = Request::new(get);
        request.extensions.insert(options);
        match self.client.send_request::<keys::Get>(request).await {
            Ok(answer) => {
                self.check(&answer.header)?;
                Ok(Stored { node: Some(answer.node), index: answer.header.etcd_index })
            }
            // With a file in its way a key is as little there, and can be watched all the same.
            Err(error) if error.is_key_not_found() || error.is_not_a_directory() => {
                // The error has no header; the connections know whose answer it was.
                self.check_id(self.client.cluster_id().as_deref())?;
                let index = error.api().map(|api| api.index).unwrap_or_default();
                Ok(Stored { node: None, index })
            }
            Err(error) => Err(error),
        }
    }

    /// The index of the store in a head, where nothing can go on without one.
    fn index_of(&self, header: &Header) -> Result<Index> {
        if header.etcd_index.is_none() { Err(self.error(ErrorKind::NotEtcd)) } else { Ok(header.etcd_index) }
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind).with_call("watch", Some(&self.scope.key))
    }

    fn check(&self, header: &Header) -> Result<()> {
        self.check_id(header.cluster_id.as_deref())
    }

    fn check_id(&self, seen: Option<&str>) -> Result<()> {
        self.outbox.answered();
        if self.outbox.is_same_cluster(seen) {
            return Ok(());
        }
        Err(cluster_changed(self.outbox.cluster_id().as_deref(), seen))
    }
}

/// The event of a poll at `next`.
async fn first(mut events: EventStream, next: Index, opened_at: Index) -> Result<Polled> {
    match events.next().await {
        // No etcd sends that; to ask again at once would be a loop without end.
        Some(Ok(event)) if event.index() < next => {
            let error = Error::new(ErrorKind::Unreadable).with_call("watch", Some(&event.node.key));
            let (index, next) = (event.index().get(), next.get());
            Err(error.with_source(format!("event {index} to a poll at {next}")))
        }
        Some(Ok(event)) => Ok(Polled::Event { past: event.index() <= opened_at, event }),
        Some(Err(error)) => Err(Error::from_box(error)),
        None => Ok(Polled::Empty),
    }
}

// === impl StreamFeed ===

impl StreamFeed {
    /// The next event; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Result<KeysEvent>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Reads ahead into a bounded buffer, as long as it is polled; ends when the stream does, or never.
    ///
    /// The server drops a stream that is 100 events behind, so it has to be read while a gap is filled.
    pub(super) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.ended.is_none() {
            if self.ahead.len() >= AHEAD {
                return Poll::Pending;
            }
            match self.events.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(event))) => self.ahead.push_back(event),
                Poll::Ready(Some(Err(error))) => self.ended = Some(Some(Error::from_box(error))),
                Poll::Ready(None) => self.ended = Some(None),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// How many events are read ahead.
    pub(super) fn ahead(&self) -> usize {
        self.ahead.len()
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<KeysEvent>>> {
        if let Some(event) = self.ahead.pop_front() {
            return Poll::Ready(Some(Ok(event)));
        }
        match &mut self.ended {
            Some(end) => Poll::Ready(end.take().map(Err)),
            None => self.events.as_mut().poll_next(cx).map_err(Error::from_box),
        }
    }
}

/// Polls what is there, and never ends where there is nothing: for a branch of `select!`.
pub(super) struct Beside<'a>(pub(super) &'a mut Option<PollFuture>);

impl Future for Beside<'_> {
    type Output = Result<Polled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(poll) = self.0.as_mut() else { return Poll::Pending };
        let ended = poll.as_mut().poll(cx);
        if ended.is_ready() {
            *self.0 = None;
        }
        ended
    }
}

/// Sleeps until then, or for ever.
pub(super) async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("scope", &self.scope).field("turn", &self.turn).finish_non_exhaustive()
    }
}

/// How long a head may take that comes before any event.
const HEAD: Duration = Duration::from_secs(5);
/// Decoded events that may be read ahead.
const AHEAD: usize = 256;
