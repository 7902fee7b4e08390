//! One contender, from its key to the grant.

use std::sync::Arc;

use etcd_client::v2::Index;
use futures_util::StreamExt as _;

use super::list::{List, list};
use super::{Queue, contender};
use crate::cleaner::Leftover;
use crate::enter::{Entered, Entry, enter};
use crate::held::{Lease, Step, pause};
use crate::key_calls::{KeyCalls, may_pass};
use crate::protocol::{AfterList, Listed, Wake, after_list, after_wake};
use crate::{Error, HeldKey, LossReason, Result, Timestamp};

/// Whether to wait for one's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Wait,
    Try,
}

/// Queues up and waits; `None` if it is somebody else's turn and the mode is not to wait.
pub(super) async fn contend(queue: &Queue, mode: Mode) -> Result<Option<HeldKey>> {
    for lost in 0.. {
        let mut contender = Driver::enter(queue, mode).await?;
        match contender.run().await? {
            Turn::Ours => return contender.hold().map(Some),
            Turn::NotOurs => return contender.leave().await.map(|()| None),
            Turn::Lost(reason) if !queue.requeue => return Err(Error::place_lost(reason)),
            Turn::Lost(reason) => tracing::debug!(%reason, "place in the queue lost, queueing up again"),
        }
        // Servers with a wrong clock may end each key at once.
        let clock = &queue.settings.clock;
        clock.sleep_until(clock.now() + pause(lost)).await;
    }
    Ok(None)
}

/// How a place in the queue ended.
#[derive(Debug)]
enum Turn {
    Ours,
    NotOurs,
    Lost(LossReason),
}

struct Driver<'a> {
    queue: &'a Queue,
    mode: Mode,
    lease: Lease,
    leftover: Leftover,
    /// Since when no list could be read; `None` while they can.
    failing: Option<Timestamp>,
    failures: u32,
    /// Whom we waited for last, and how many waits for it have ended in vain.
    waited: Option<(Listed, u32)>,
    /// Where the list ended that was read last.
    index: Index,
}

impl<'a> Driver<'a> {
    async fn enter(queue: &'a Queue, mode: Mode) -> Result<Self> {
        let (directory, timing) = (crate::key::taken(&queue.directory)?, queue.settings.timing()?);
        loop {
            let name = contender::new_name();
            let value = queue.value_of(&name)?;
            let key = directory.join(&name).map_err(etcd_client::Error::from)?;
            let (client, rewrites) = (queue.client.clone(), queue.settings.rewrites);
            let calls = KeyCalls { client, key, timing, rewrites };
            if let Entry::Ours(entered) = enter(calls, &queue.settings, value).await? {
                let Entered { lease, leftover } = *entered;
                let (failing, failures, waited, index) = (None, 0, None, Index::NONE);
                return Ok(Self { queue, mode, lease, leftover, failing, failures, waited, index });
            }
        }
    }

    async fn run(&mut self) -> Result<Turn> {
        loop {
            if let Some(reason) = self.keep_alive().await {
                return Ok(Turn::Lost(reason));
            }
            let list = self.list().await?;
            let listed: Option<Vec<_>> =
                list.as_ref().map(|list| list.contenders.iter().map(super::Contender::listed).collect());
            let next = after_list(listed.as_deref(), &self.lease.place, self.lease.is_valid());
            let next = match next {
                AfterList::Grant => {
                    let term = list.and_then(|list| list.header.raft_term);
                    self.lease.look_at_skew(term).await;
                    // The look takes time, and may have shown that there is less of it.
                    if self.lease.is_valid() { return Ok(Turn::Ours) } else { AfterList::Renew }
                }
                AfterList::Wait(_) if self.mode == Mode::Try => return Ok(Turn::NotOurs),
                AfterList::Wait(predecessor) => match self.wait_for(&predecessor).await {
                    Ok(wake) => after_wake(wake),
                    Err(reason) => return Ok(Turn::Lost(reason)),
                },
                next => next,
            };
            match next {
                AfterList::Renew => self.lease.hurry(),
                AfterList::Lost(loss) => return Ok(Turn::Lost(loss.into())),
                // Neither is left by what is above; both are for the next list.
                AfterList::Grant | AfterList::Wait(_) | AfterList::Again => {}
            }
        }
    }

    /// Renews the own key if it is time to; `Some` if it is lost.
    async fn keep_alive(&mut self) -> Option<LossReason> {
        while self.lease.due() <= self.lease.clock.now() {
            match self.lease.step().await {
                Step::Renewed => {}
                // The next one is due a little later: the list may know more meanwhile.
                Step::Pending(_) => break,
                Step::Lost(reason) => return Some(reason),
            }
        }
        None
    }

    /// The list; `None` if it could not be read this time.
    async fn list(&mut self) -> Result<Option<List>> {
        if self.failures > 0 {
            self.rest(self.failures).await;
        }
        let error = match list(self.queue, self.lease.calls.limit()).await {
            Ok(Some(list)) => {
                (self.failing, self.failures) = (None, 0);
                self.index = list.index;
                return Ok(Some(list));
            }
            Ok(None) => None,
            Err(error) if error.client().is_some_and(|error| !may_pass(error)) => return Err(error),
            Err(error) => Some(error),
        };
        self.failures = self.failures.saturating_add(1);
        let now = self.lease.clock.now();
        let since = *self.failing.get_or_insert(now);
        match error {
            Some(error)
                if self.mode == Mode::Try && now.saturating_since(since) >= self.lease.calls.timing.ttl() =>
            {
                Err(error)
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Waits for the key before ours to end, and renews ours meanwhile.
    async fn wait_for(&mut self, predecessor: &Listed) -> std::result::Result<Wake, LossReason> {
        let vain = match self.waited.take() {
            Some((last, vain)) if last == *predecessor => vain.saturating_add(1),
            Some(_) | None => 0,
        };
        self.waited = Some((predecessor.clone(), vain));
        if vain > 0 {
            // Watches that end at once, or tell of what is not so, must not make us ask without a pause.
            self.rest(vain).await;
        }
        let Some(directory) = self.lease.calls.key.parent() else { return Ok(Wake::Nothing) };
        let Ok(key) = directory.join(&predecessor.name) else { return Ok(Wake::Nothing) };
        let poll = self.queue.client.poll(key).after(self.index).timeout(self.lease.calls.limit());
        let mut woken = std::pin::pin!(async move {
            match poll.await {
                Ok(mut watch) => matches!(watch.events.next().await, Some(Ok(_))),
                Err(_) => false,
            }
        });
        let clock = Arc::clone(&self.lease.clock);
        // A member that is cut off from the others says nothing: the list is read anew after a while.
        let until = clock.now() + self.lease.calls.timing.ttl();
        loop {
            let step = async {
                clock.sleep_until(self.lease.due()).await;
                self.lease.step().await
            };
            tokio::select! {
                biased;
                event = &mut woken => {
                    return Ok(if event { Wake::Event } else { Wake::Nothing });
                }
                () = clock.sleep_until(until) => return Ok(Wake::Nothing),
                step = step => match step {
                    Step::Renewed | Step::Pending(_) => {}
                    Step::Lost(reason) => return Err(reason),
                },
            }
        }
    }

    async fn rest(&self, times: u32) {
        let clock = &self.lease.clock;
        clock.sleep_until(clock.now() + pause(times)).await;
    }

    /// It is our turn: the key is kept from now on by a task of its own.
    fn hold(mut self) -> Result<HeldKey> {
        self.leftover.disarm();
        HeldKey::start(self.lease, self.leftover)
    }

    /// Leaves the queue.
    async fn leave(mut self) -> Result<()> {
        self.leftover.disarm();
        // From here on the keeper sees to it, also if nobody waits any more.
        match HeldKey::give_back(self.lease, self.leftover).await {
            // It is gone, by whatever.
            Err(error) if error.is_lost() => Ok(()),
            left => left,
        }
    }
}
