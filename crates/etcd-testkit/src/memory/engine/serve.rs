//! One request, from the faults that it meets to its answer.

use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::time::sleep;

use super::{Engine, Gate, killed};
use crate::memory::disconnect::{Disconnected, NoAnswer};
use crate::memory::fault::{Fault, page};
use crate::memory::service::{Body, Shape, Watch};
use crate::memory::{Answer, LogEntry, Stalled};

/// A request that has found its member alive.
#[derive(Clone, Copy)]
struct Call<'a> {
    member: usize,
    /// Kills of the member by then: a watch that a later one finds open, or still to be opened, is cut.
    kills: u64,
    request: &'a Request<Bytes>,
}

/// What the client is told of what the store has answered.
#[derive(Clone, Copy)]
enum Told {
    Truth,
    Status(StatusCode),
    Nothing,
}

/// Dropping it changes nothing more: what was applied is, what was not is not.
impl Engine {
    /// Answers a request that was sent to a member.
    pub(crate) async fn serve(
        self: &Arc<Self>,
        member: usize,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, NoAnswer> {
        let mut gate = self.gate(member).ok_or(NoAnswer::Refused)?;
        let Gate { kills, is_down, .. } = *gate.borrow_and_update();
        if is_down {
            return Err(NoAnswer::Refused);
        }
        let call = Call { member, kills, request: &request };
        tokio::select! {
            // The gate first: a dead member does nothing more, whatever is ready as well.
            biased;
            () = killed(&mut gate, kills) => Err(NoAnswer::Lost(Disconnected::RESET)),
            answer = self.meet_faults(call) => answer,
        }
    }

    async fn meet_faults(self: &Arc<Self>, call: Call<'_>) -> Result<Response<Body>, NoAnswer> {
        let Some(fault) = self.with(|state| state.plan.choose(call.member, call.request)) else {
            return Ok(self.answer(call, None).await);
        };
        let instead = |response: Response<Bytes>| {
            self.note(call, &fault, Some(response.status()));
            Ok(response.map(Body::whole))
        };
        let silently = || self.note(call, &fault, None);
        let shaped = async |shape| self.answer(call, Some(&fault)).await.map(|body| body.shaped(shape));
        match &fault {
            Fault::Refuse => {
                silently();
                Err(NoAnswer::Refused)
            }
            Fault::Hang => {
                silently();
                pending().await
            }
            Fault::ResetBeforeHead => {
                silently();
                Err(NoAnswer::Lost(Disconnected::RESET))
            }
            Fault::DropAnswer => {
                drop(self.handle(call, Some(&fault), Told::Nothing));
                Err(NoAnswer::Lost(Disconnected::CLOSED))
            }
            Fault::ErrorBefore { cause } => instead(self.with(|state| state.store.raft_error(cause))),
            Fault::ErrorAfter { cause } => {
                let error = self.with(|state| state.store.raft_error(cause));
                drop(self.handle(call, Some(&fault), Told::Status(error.status())));
                Ok(error.map(Body::whole))
            }
            Fault::Unavailable => instead(page::unavailable()),
            Fault::Html(status) => instead(page::html(*status)),
            Fault::Redirect(target) => instead(page::redirect(target)),
            Fault::Delay(delay) => {
                sleep(*delay).await;
                Ok(self.answer(call, Some(&fault)).await)
            }
            Fault::DelayAnswer(delay) => {
                let answer = self.answer(call, Some(&fault)).await;
                sleep(*delay).await;
                Ok(answer)
            }
            Fault::ResetAfterHead => Ok(shaped(Shape::cut(0, Disconnected::RESET)).await),
            Fault::CutBody(bytes) => Ok(shaped(Shape::cut(*bytes, Disconnected::CLOSED)).await),
            Fault::Dribble { bytes, every } => Ok(shaped(Shape::dribble(*bytes, *every)).await),
            Fault::Change(change) => {
                self.change(change);
                // Looked at here as well: the select around this is not polled before the store has answered.
                if self.kills(call.member) != call.kills {
                    silently();
                    return Err(NoAnswer::Lost(Disconnected::RESET));
                }
                Ok(self.answer(call, Some(&fault)).await)
            }
        }
    }

    /// The store's answer, when its time has come.
    async fn answer(self: &Arc<Self>, call: Call<'_>, fault: Option<&Fault>) -> Response<Body> {
        match self.handle(call, fault, Told::Truth) {
            Handled::Now(response) => response,
            Handled::Stalled(Stalled { after, response }) => {
                sleep(after).await;
                response.map(Body::whole)
            }
        }
    }

    /// Has the store do it. An opened watch is closed when its body is dropped.
    fn handle(self: &Arc<Self>, call: Call<'_>, fault: Option<&Fault>, told: Told) -> Handled {
        let Call { member, kills, request } = call;
        let answer = self.with(|state| {
            let date = state.date();
            let answer = state.store.handle(member, request, date);
            let (status, applied) = match &answer {
                Answer::Complete(response) => (response.status(), response.status().is_success()),
                Answer::Watch(watch) => (watch.head.status(), true),
                Answer::NoQuorum(stalled) => (stalled.response.status(), false),
            };
            let status = match told {
                Told::Truth => Some(status),
                Told::Status(status) => Some(status),
                Told::Nothing => None,
            };
            state.journal.push(entry(member, request, fault, status, applied));
            answer
        });
        match answer {
            Answer::Complete(response) => Handled::Now(response.map(Body::whole)),
            Answer::Watch(watch) => {
                let events = Watch::new(Arc::clone(self), (member, kills), watch.watcher, watch.mode);
                Handled::Now(watch.head.map(|()| Body::watch(events)))
            }
            Answer::NoQuorum(stalled) => Handled::Stalled(stalled),
        }
    }

    /// Logs a request that the store has not seen.
    fn note(&self, call: Call<'_>, fault: &Fault, status: Option<StatusCode>) {
        self.with(|state| state.journal.push(entry(call.member, call.request, Some(fault), status, false)));
    }
}

enum Handled {
    Now(Response<Body>),
    Stalled(Stalled),
}

fn entry(
    member: usize,
    request: &Request<Bytes>,
    fault: Option<&Fault>,
    status: Option<StatusCode>,
    applied: bool,
) -> LogEntry {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    LogEntry {
        number: 0,
        member,
        method: request.method().clone(),
        target,
        applied,
        status,
        fault: fault.cloned(),
    }
}
