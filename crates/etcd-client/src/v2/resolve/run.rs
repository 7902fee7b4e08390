//! One guarded write until its outcome is known, or its time is up.

use std::time::Duration;

use etcd_proto::BoxError;
use etcd_proto::v2::keys::{Get, Watch};
use etcd_proto::v2::{
    Action, Header, Index, Key, KeysEvent, KeysResponse, Operation, Request, Response, WatchResponse,
};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout_at};

use super::evidence::{self, Question, Verdict};
use crate::v2::OperationService;
use crate::v2::limits::{CallOptions, Limits};
use crate::{Error, ErrorKind};

/// Sends the write until it is answered, and reads what an answer leaves open.
pub(super) async fn run<S: OperationService>(
    service: S,
    limits: Limits,
    request: Request,
) -> Result<Response, BoxError> {
    let mut options = request.extensions.get::<CallOptions>().cloned().unwrap_or_default();
    let limit = limits.call(&request.operation, &options);
    // The limits of the calls made here end with that of the whole, whatever the layers below set by default.
    options.call_timeout = limit;
    let until = limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut calls = Calls { service, options, until };
    let mut unknown = None;
    let mut made = 0;
    for round in 0..ROUNDS {
        let error = match calls.send(request.clone()).await {
            Ok(response) => return Ok(counting(response, made)),
            Err(error) => error,
        };
        made += error.attempts().made().max(1);
        // Of the first copy its own word counts; of a repeat only what has become of all.
        if unknown.is_none() && !error.outcome().is_unknown() {
            return Err(error.into());
        }
        match calls.verdict(&request.operation, &error).await {
            // Made up here, with one attempt, which was not one.
            Ruling::Answer(response) => return Ok(counting(*response, made - 1)),
            Ruling::Error(error) => return Err(error.into()),
            Ruling::Undecided => return Err(still_unknown(error).into()),
            Ruling::Again => unknown = Some(error),
        }
        if !calls.pause(round).await {
            break;
        }
    }
    let error = unknown.unwrap_or_else(|| Error::new(ErrorKind::Deadline));
    Err(still_unknown(error).into())
}

/// The answer, with the attempts counted in that were made before it.
fn counting(mut response: Response, before: usize) -> Response {
    if let Response::Keys(keys) = &mut response {
        keys.attempts = keys.attempts.saturating_add(u32::try_from(before).unwrap_or(u32::MAX));
    }
    response
}

/// What follows a failure of the write.
enum Ruling {
    /// It was applied, and this is its answer.
    Answer(Box<Response>),
    /// It was not applied, and this says why.
    Error(Error),
    /// The outcome stays unknown, and no repeat would change that.
    Undecided,
    /// It may not have arrived yet: once more.
    Again,
}

/// The calls made for one write, and the time that they have left.
struct Calls<S> {
    service: S,
    options: CallOptions,
    until: Option<Instant>,
}

impl<S: OperationService> Calls<S> {
    /// Sends one call with what is left of the time.
    async fn send(&mut self, mut request: Request) -> Result<Response, Error> {
        let mut options = self.options.clone();
        if let Some(until) = self.until {
            options.call_timeout = Some(until.saturating_duration_since(Instant::now()));
        }
        request.extensions.insert(options);
        let mut service = self.service.clone();
        std::future::poll_fn(|cx| service.poll_ready(cx)).await.map_err(Error::from_box_of)?;
        service.call(request).await.map_err(Error::from_box_of)
    }

    /// Waits a moment before the next round; `false` if there is no time left.
    async fn pause(&self, round: u32) -> bool {
        let pause = FIRST_PAUSE * 2_u32.pow(round);
        let next = Instant::now() + pause;
        if self.until.is_some_and(|until| next >= until) {
            return false;
        }
        sleep(pause).await;
        true
    }

    /// What a failure of the write means, after all that was read about it.
    async fn verdict(&mut self, operation: &Operation, error: &Error) -> Ruling {
        if evidence::is_removed_member(operation, error.http_status()) {
            return Ruling::Answer(Box::new(Response::Done(())));
        }
        let refused = error.is_compare_failed() || error.is_key_exists() || error.is_key_not_found();
        if !refused {
            // No word about the key: lost, or answered by a server that does not know itself, or by a gateway.
            return if error.may_pass() || is_of_a_gateway(error) {
                Ruling::Again
            } else {
                Ruling::Undecided
            };
        }
        match evidence::question(operation) {
            Question::FirstEventBehind(key, index) => self.who_took(operation, &key, index, error).await,
            Question::WhoCreated(key) => self.who_created(operation, &key).await,
            Question::Nothing => Ruling::Undecided,
        }
    }

    /// Whether this write has taken the place of what was at `compared`.
    async fn who_took(&mut self, operation: &Operation, key: &Key, compared: Index, error: &Error) -> Ruling {
        if let Some((event, header)) = self.first_event(key, compared.next()).await {
            return match evidence::by_first_event(operation, &event) {
                Verdict::Applied => answer(event, header),
                Verdict::NotApplied => Ruling::Error(error.proved_not_applied()),
                Verdict::Undecided => Ruling::Undecided,
            };
        }
        let Some(read) = self.read(key).await else { return Ruling::Undecided };
        match evidence::by_value_now(operation, Some(&read.node)) {
            Verdict::Applied => told(Action::CompareAndSwap, read),
            Verdict::NotApplied | Verdict::Undecided => Ruling::Undecided,
        }
    }

    /// Whether this write has created the key that exists.
    async fn who_created(&mut self, operation: &Operation, key: &Key) -> Ruling {
        let read = match self.get(key).await {
            Ok(read) => read,
            // Gone meanwhile, or never there: only the write itself can tell.
            Err(error) if error.is_key_not_found() => return Ruling::Again,
            Err(_) => return Ruling::Undecided,
        };
        if evidence::is_created(operation, &read.node) {
            return told(Action::Create, read);
        }
        match self.first_event(key, read.node.created_index).await {
            Some((event, header)) if evidence::tells_of_creation(operation, &event) => {
                let KeysEvent { node, prev_node, .. } = event;
                let created = match prev_node {
                    Some(before) if evidence::is_created(operation, &before) => before,
                    Some(_) | None => node,
                };
                answer(KeysEvent::new(Action::Create, created, None), header)
            }
            Some(_) | None => Ruling::Undecided,
        }
    }

    /// The first event of the key at `index` or behind it; `None` if the history does not tell in time.
    async fn first_event(&mut self, key: &Key, index: Index) -> Option<(KeysEvent, Header)> {
        let patience = Instant::now() + PATIENCE;
        let until = self.until.map_or(patience, |until| until.min(patience));
        timeout_at(until, self.search(key, index)).await.ok().flatten()
    }

    async fn search(&mut self, key: &Key, index: Index) -> Option<(KeysEvent, Header)> {
        let mut next = index;
        loop {
            let mut watch = Watch::new(key.clone());
            watch.wait_index = Some(next.to_non_zero().ok()?);
            let Ok(Response::Watch(WatchResponse { header, mut events, .. })) = self.send(watch.into()).await
            else {
                return None;
            };
            let event = events.next().await?.ok()?;
            if evidence::is_about(&event, key) {
                return Some((event, header));
            }
            next = event.index().next();
        }
    }

    /// What the key holds; `None` if that cannot be read.
    async fn read(&mut self, key: &Key) -> Option<KeysResponse> {
        self.get(key).await.ok()
    }

    async fn get(&mut self, key: &Key) -> Result<KeysResponse, Error> {
        let mut get = Get::new(key.clone());
        get.quorum = true;
        match self.send(get.into()).await? {
            Response::Keys(read) => Ok(read),
            _ => Err(Error::new(ErrorKind::UnexpectedResponse)),
        }
    }
}

/// The answer of a write that was applied, made of what the key holds now.
fn told(action: Action, read: KeysResponse) -> Ruling {
    answer(KeysEvent::new(action, read.node, None), read.header)
}

fn answer(event: KeysEvent, header: Header) -> Ruling {
    Ruling::Answer(Box::new(Response::Keys(KeysResponse::new(event, header))))
}

/// Whether something between has answered in place of etcd, and what became of the write is not known.
fn is_of_a_gateway(error: &Error) -> bool {
    let foreign = matches!(error.kind(), ErrorKind::Status | ErrorKind::NotEtcd | ErrorKind::Unreadable);
    foreign && error.outcome().is_unknown()
}

/// A repeat may have ended with less than an earlier copy leaves to fear.
fn still_unknown(error: Error) -> Error {
    let outcome = error.outcome().merge(etcd_proto::Outcome::Unknown);
    error.with_outcome(outcome)
}

/// How often the write is sent from here; the transport repeats it by itself within each.
const ROUNDS: u32 = 8;
/// Doubled after each round.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// How long the history may take to tell. It answers at once, unless the member lags or nothing but refreshes
/// has changed the key, which leave no event.
const PATIENCE: Duration = Duration::from_secs(2);
