//! One request, from the faults that it meets to its answer.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::backlog::Held;
use super::claim::Claim;
use super::ticket::Ticket;
use super::{Engine, killed};
use crate::memory::disconnect::{Disconnected, NoAnswer, Unread};
use crate::memory::fault::{Fault, page};
use crate::memory::journal::{EntryId, Reply};
use crate::memory::service::{Body, Shape, Watch};
use crate::memory::{Answer, Stalled};

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// The member that it was sent to.
    pub(crate) member: usize,
    /// Kills of the member by the time at which the connection was made; `None` without connections.
    pub(crate) kills: Option<u64>,
}

/// A request that has found its member alive.
#[derive(Clone, Copy)]
struct Call<'a> {
    member: usize,
    /// Kills of the member by then: one that was killed later does nothing with it.
    kills: u64,
    entry: EntryId,
    request: &'a Request<Bytes>,
}

/// A request that was let in.
struct Arrival {
    kills: u64,
    entry: EntryId,
    fault: Option<Fault>,
}

impl Engine {
    /// Answers a request that was sent to a member.
    ///
    /// Dropping it changes nothing more, but that the log says so: what was applied is, what waits to be applied
    /// by itself will be, the rest is not.
    pub(crate) async fn serve(
        self: &Arc<Self>,
        caller: Caller,
        head: Parts,
        upload: impl Future<Output = Result<Bytes, Unread>>,
    ) -> Result<Response<Body>, NoAnswer> {
        let mut gate = self.gate(caller.member).ok_or(NoAnswer::Refused)?;
        let request = Request::from_parts(head, ());
        let Arrival { kills, entry, fault } = self.arrive(caller, &request)?;
        let ticket = Ticket::new(self, entry);
        let carried_out = async {
            if fault == Some(Fault::Refuse) {
                return Err(NoAnswer::Refused);
            }
            let body = upload.await.map_err(NoAnswer::Unread)?;
            let request = &request.map(|()| body);
            let call = Call { member: caller.member, kills, entry, request };
            match &fault {
                None => self.answer(call).await,
                Some(fault) => self.meet_fault(call, fault).await,
            }
        };
        let answer = tokio::select! {
            // The gate first: a dead member does nothing more, whatever is ready as well.
            biased;
            () = killed(&mut gate, kills) => Err(LOST),
            answer = carried_out => answer,
        };
        ticket.close(&answer);
        answer
    }

    /// Notes a request, and lets it in if its member lives, and did when the connection was made.
    fn arrive(&self, caller: Caller, request: &Request<()>) -> Result<Arrival, NoAnswer> {
        let Caller { member, kills: opened_at } = caller;
        self.with(|state| {
            let entry = state.journal.push(member, request);
            let kills = state.kills(member);
            if opened_at.is_some_and(|opened_at| opened_at != kills) {
                state.journal.amend(entry, |entry| entry.reply = Reply::Cut);
                return Err(LOST);
            }
            if state.is_down(member) {
                state.journal.amend(entry, |entry| entry.reply = Reply::Refused);
                return Err(NoAnswer::Refused);
            }
            let fault = state.plan.choose(member, request);
            state.journal.amend(entry, |entry| entry.fault.clone_from(&fault));
            Ok(Arrival { kills, entry, fault })
        })
    }

    async fn meet_fault(self: &Arc<Self>, call: Call<'_>, fault: &Fault) -> Result<Response<Body>, NoAnswer> {
        let instead = |response: Response<Bytes>| Ok(response.map(Body::whole));
        let shaped = async |shape| Ok::<_, NoAnswer>(self.answer(call).await?.map(|body| body.shaped(shape)));
        match fault {
            // Before the body was read already.
            Fault::Refuse => Err(NoAnswer::Refused),
            Fault::Hang => pending().await,
            Fault::ResetBeforeHead => Err(LOST),
            Fault::DropAnswer => {
                drop(self.handle(call)?);
                Err(NoAnswer::Lost(Disconnected::CLOSED))
            }
            Fault::ErrorBefore { cause } => instead(self.with(|state| state.store.raft_error(cause))),
            Fault::ErrorAfter { cause } => {
                drop(self.handle(call)?);
                instead(self.with(|state| state.store.raft_error(cause)))
            }
            Fault::Unavailable => instead(page::unavailable()),
            Fault::Html(status) => instead(page::html(*status)),
            Fault::HtmlAfter(status) => {
                drop(self.handle(call)?);
                instead(page::html(*status))
            }
            Fault::Redirect(target) => instead(page::redirect(target)),
            Fault::Delay(delay) => {
                sleep(*delay).await;
                self.answer(call).await
            }
            Fault::ApplyLater(delay) => self.apply_later(call, *delay).await,
            Fault::DelayAnswer(delay) => {
                let answer = self.answer(call).await;
                sleep(*delay).await;
                answer
            }
            Fault::ResetAfterHead => shaped(Shape::cut(0, Disconnected::RESET)).await,
            Fault::CutBody(bytes) => shaped(Shape::cut(*bytes, Disconnected::CLOSED)).await,
            Fault::StallBody(bytes) => {
                shaped(Shape::stall(*bytes, self.death(call.member, call.kills))).await
            }
            Fault::Dribble { bytes, every } => {
                shaped(Shape::dribble(*bytes, *every, self.death(call.member, call.kills))).await
            }
            Fault::Change(change) => {
                if let Err(error) = self.change(change) {
                    return instead(page::mistake(&error));
                }
                // If it kills the member, the request finds that out.
                self.answer(call).await
            }
        }
    }

    /// The store's answer, when its time has come.
    async fn answer(self: &Arc<Self>, call: Call<'_>) -> Result<Response<Body>, NoAnswer> {
        Ok(self.settle(self.handle(call)?).await)
    }

    /// Leaves the request to the cluster, and waits for the answer.
    async fn apply_later(
        self: &Arc<Self>,
        call: Call<'_>,
        delay: Duration,
    ) -> Result<Response<Body>, NoAnswer> {
        // A time that tokio cannot show never comes.
        let Some(due) = Instant::now().checked_add(delay) else { return pending().await };
        let (sender, receiver) = oneshot::channel();
        let is_held = self.with(|state| {
            if state.kills(call.member) != call.kills {
                return Err(LOST);
            }
            let (request, asked) = (call.request.clone(), state.date());
            let held = Held { member: call.member, request, entry: call.entry, asked };
            Ok(state.backlog.wait(due, held, sender))
        })?;
        if !is_held {
            return Ok(page::overloaded().map(Body::whole));
        }
        let claim = Claim::new(Arc::clone(self), receiver, due);
        let answer = claim.wait().await.ok_or(LOST)?;
        Ok(self.settle(self.handled(call, answer)).await)
    }

    async fn settle(&self, handled: Handled) -> Response<Body> {
        match handled {
            Handled::Now(response) => response,
            Handled::Stalled(Stalled { after, response }) => {
                sleep(after).await;
                response.map(Body::whole)
            }
        }
    }

    /// Has the store do it. An opened watch is closed when its body is dropped.
    fn handle(self: &Arc<Self>, call: Call<'_>) -> Result<Handled, NoAnswer> {
        let answer = self.with(|state| {
            // Looked at here as well: the gate tells of a kill only after it.
            if state.kills(call.member) != call.kills {
                return Err(LOST);
            }
            let date = state.date();
            Ok(state.carry_out(call.member, call.request, call.entry, date))
        })?;
        Ok(self.handled(call, answer))
    }

    fn handled(self: &Arc<Self>, call: Call<'_>, answer: Answer) -> Handled {
        match answer {
            Answer::Complete(response) => Handled::Now(response.map(Body::whole)),
            Answer::Watch(watch) => {
                let life = (call.member, call.kills);
                let events = Watch::new(Arc::clone(self), life, watch.watcher, watch.mode);
                Handled::Now(watch.head.map(|()| Body::watch(events)))
            }
            Answer::NoQuorum(stalled) => Handled::Stalled(stalled),
        }
    }
}

enum Handled {
    Now(Response<Body>),
    Stalled(Stalled),
}

/// What those hear whose member dies.
const LOST: NoAnswer = NoAnswer::Lost(Disconnected::RESET);

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;
    use crate::memory::MemoryEtcd;

    #[tokio::test]
    async fn a_connection_of_an_old_life_is_not_served_by_the_new_one() {
        let etcd = MemoryEtcd::builder().in_process().unwrap();
        let ask = async |kills| {
            let head = Request::new(()).into_parts().0;
            etcd.engine().serve(Caller { member: 0, kills }, head, ready(Ok(Bytes::new()))).await
        };
        assert!(ask(Some(0)).await.is_ok());
        etcd.kill(0).unwrap();
        etcd.restart(0).unwrap();
        assert!(matches!(ask(Some(0)).await, Err(NoAnswer::Lost(how)) if how.is_reset()));
        assert_eq!(etcd.log().entries()[1].reply, Reply::Cut);
        assert!(ask(Some(1)).await.is_ok());
    }
}
