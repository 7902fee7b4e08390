//! A connect that hangs is raced by the next endpoint.
//!
//! ```text
//!  0 ms      first attempt: the pool holds its request, since there is no connection
//!  250 ms    second attempt beside it, at another endpoint; at once if one of those that race fails
//!  500 ms    third …
//!            the first that has a connection sends; all others are lost, and never sent
//! ```
//!
//! One copy is sent, for every class of request. Two things see to that. All attempts are polled here, in one
//! task, and after each poll it is looked up whether its copy has gone out; if so the others are closed before
//! they are polled again. And should a layer poll them elsewhere, the pool asks the lanes of the race
//! ([`Copies`](crate::copies::Copies)) before it goes on with any.
//!
//! A connection service that does not tell that it holds a request is never raced: what is not held may have
//! been sent. A rival that has not come as far as the pool, since a layer of its endpoint lets it wait, goes on
//! waiting; it wins when it is sent, and if that layer refuses it, it has failed alone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Request;
use tokio::time::Sleep;
use tower::util::Oneshot;
use tower_service::Service;

use super::cluster::Leave;
use super::heat::Heat;
use super::strategy::Servers;
use super::{Table, absolute};
use crate::attempt_state::AttemptState;
use crate::call_state::CallState;
use crate::retry::copy;
use crate::{BodyMode, CallContext, ReqBody};

/// What it takes to begin further attempts beside the first, and those that were begun.
pub(super) struct Race<S: Service<Request<ReqBody>>> {
    table: Arc<Table<S>>,
    /// With a path-only URI; the body is shared.
    request: Request<ReqBody>,
    context: CallContext,
    call: CallState,
    /// The first attempt, which the layers above know.
    host: AttemptState,
    /// How long each gets before the next is tried.
    delay: Duration,
    /// Until the next is tried; set when it is seen that the first has no connection.
    timer: Option<Pin<Box<Sleep>>>,
    /// Beside the first.
    rivals: Vec<Pin<Box<Heat<S>>>>,
}

impl<S: Service<Request<ReqBody>> + Clone> Race<S> {
    /// Prepares for a race; `None` for what is never raced.
    pub(super) fn prepare(
        table: &Arc<Table<S>>,
        request: &Request<ReqBody>,
        context: &CallContext,
        call: &CallState,
        host: &AttemptState,
    ) -> Option<Box<Self>> {
        let delay = table.race?;
        let request = copy(request)?;
        Some(Box::new(Self {
            table: Arc::clone(table),
            request,
            context: context.clone(),
            call: call.clone(),
            host: host.clone(),
            delay,
            timer: None,
            rivals: Vec::new(),
        }))
    }

    /// Those beside the first, in the order in which they were begun.
    pub(super) fn rivals(&mut self) -> &mut Vec<Pin<Box<Heat<S>>>> {
        &mut self.rivals
    }

    /// Whether it is time for the next one.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let delay = self.delay;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(delay)));
        timer.as_mut().poll(cx)
    }

    /// Tries the next one without a pause, since one of those that race has failed.
    pub(super) fn hurry(&mut self) {
        self.timer = Some(Box::pin(tokio::time::sleep(Duration::ZERO)));
    }

    /// Begins the next one; `false` if there is none. It has not been polled.
    ///
    /// None that is ejected: a server that is stopped has connections for everybody, and would win.
    pub(super) fn begin(&mut self) -> bool {
        if self.context.max_attempts.is_some_and(|limit| self.call.made() >= limit) {
            return false;
        }
        let Table { cluster, services, .. } = &*self.table;
        let services = services.of(cluster.roster());
        let roster = services.roster();
        let tried = self.call.tried();
        let servers = Servers::new(roster, cluster, &self.context, &tried);
        let place = servers.best_from(servers.current());
        let fits = servers.get(place).is_some_and(|server| server.tried == 0);
        let member = &roster.members()[place];
        if !fits || !servers.is_usable(place) || !member.claim_probe() {
            return false;
        }
        let Some(mut request) = copy(&self.request) else { return false };
        let leave = Leave::new(cluster, member);
        let untried = roster.endpoints().iter().filter(|other| *other != leave.endpoint());
        let untried = untried.filter(|other| !tried.contains(other)).count();
        let stream = self.context.body == BodyMode::Stream;
        let begin = |attempt: &AttemptState| {
            if stream {
                attempt.may_be_silent();
            }
            attempt.begin(leave.clone(), untried);
        };
        let Some(attempt) = self.call.begin_rival(&self.host, begin) else { return false };
        tracing::debug!(server.address = %leave.endpoint(), "connecting hangs, trying the next endpoint beside it");
        request.extensions_mut().insert(attempt.clone());
        *request.uri_mut() = absolute(request.uri(), leave.endpoint());
        let inner = Oneshot::new(services.at(place).clone(), request);
        let watch = self.table.strays.watch();
        let heat = Heat::new(inner, leave, watch, &self.context, self.call.clone(), attempt);
        self.rivals.push(Box::pin(heat));
        self.timer = None;
        true
    }

    /// Closes an attempt that has lost.
    pub(super) fn close(&self, loser: &AttemptState) {
        loser.lose(self.delay, self.context.idempotence);
    }

    /// Closes all beside the first that have not been taken out, before they are dropped.
    pub(super) fn close_rivals(&mut self) {
        let losers = std::mem::take(&mut self.rivals);
        losers.iter().for_each(|loser| self.close(loser.attempt()));
    }
}

#[cfg(test)]
#[path = "race_test.rs"]
mod tests;
