//! The vote of a campaign that nobody waits for any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use etcd_client::v2::{Client, Compare, Key};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use crate::vote::{Candidate, State, Vote};

/// How often a candidate has gone about to confirm a vote; shared by its clones, which all write the same votes.
#[derive(Clone, Debug, Default)]
pub(super) struct Confirmations(Arc<AtomicU64>);

impl Confirmations {
    /// The number of one more.
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The number of the last.
    fn last(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Deletes the candidate's vote when it is dropped armed, by one task for 14 s at most: twice the time after which a
/// server gives up on a write, which may land until then. Outside a runtime it does nothing, and the ttl ends the vote.
#[derive(Debug)]
pub(super) struct Leftover {
    /// Whether there may be a vote of ours.
    armed: bool,
    client: Client,
    key: Key,
    me: Candidate,
    limit: Duration,
    confirmations: Confirmations,
    confirmed: Option<Confirmed>,
}

/// A confirmation of this campaign that may have been done.
#[derive(Clone, Copy, Debug)]
struct Confirmed {
    /// The index of the key's creation.
    created: u64,
    /// Its number among all of the candidate.
    number: u64,
}

impl Leftover {
    pub(super) fn new(
        client: Client,
        key: Key,
        me: Candidate,
        limit: Duration,
        confirmations: Confirmations,
    ) -> Self {
        Self { armed: false, client, key, me, limit, confirmations, confirmed: None }
    }

    /// A vote is being written, or was found that is ours.
    pub(super) fn arm(&mut self) {
        self.armed = true;
    }

    /// The vote in the key of this creation is about to be confirmed: from now on a confirmed one is not that of an
    /// earlier campaign.
    pub(super) fn expect_confirmed(&mut self, created: u64) {
        self.confirmed = Some(Confirmed { created, number: self.confirmations.next() });
    }

    /// It was refused: a confirmed vote is not this campaign's.
    pub(super) fn expect_no_confirmed(&mut self) {
        self.confirmed = None;
    }

    /// Somebody else sees to it.
    pub(super) fn disarm(&mut self) {
        self.armed = false;
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.armed {
            let left = Left {
                client: self.client.clone(),
                key: self.key.clone(),
                me: self.me.clone(),
                limit: self.limit,
                confirmations: self.confirmations.clone(),
                confirmed: self.confirmed,
            };
            // It ends by itself, and belongs to nobody who could end it.
            drop(runtime.spawn(async move {
                let _elapsed = timeout(PATIENCE, left.clean()).await;
            }));
        }
    }
}

/// What the task that cleans up knows.
struct Left {
    client: Client,
    key: Key,
    me: Candidate,
    limit: Duration,
    confirmations: Confirmations,
    confirmed: Option<Confirmed>,
}

impl Left {
    async fn clean(&self) {
        let mut pause = FIRST_PAUSE;
        while !self.look().await {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Whether the vote in the key of this creation can have been confirmed by this campaign alone.
    fn has_confirmed(&self, created: u64) -> bool {
        let is_ours = |confirmed: Confirmed| {
            confirmed.created == created && confirmed.number == self.confirmations.last()
        };
        self.confirmed.is_some_and(is_ours)
    }

    /// Deletes the vote if it is this campaign's; whether it is known to be gone.
    async fn look(&self) -> bool {
        let get = self.client.get(&self.key).quorum(true).timeout(self.limit);
        let node = match get.budget_exempt(true).await {
            Ok(read) => read.node,
            Err(error) => return error.is_key_not_found(),
        };
        match node.text().parse::<Vote>() {
            Ok(vote) if vote.candidate.name() == self.me.name() => match vote.state {
                // Another campaign that takes it up finds it gone, and nominates itself anew.
                State::Tentative => {}
                State::Confirmed if self.has_confirmed(node.created_index.get()) => {}
                // A leader's, of another campaign or an earlier life.
                State::Confirmed => return true,
            },
            Ok(_) | Err(_) => return true,
        }
        let delete = self.client.compare_and_delete(&self.key, Compare::index(node.modified_index));
        delete.timeout(self.limit).resolve(true).budget_exempt(true).await.is_ok()
    }
}

const PATIENCE: Duration = Duration::from_secs(14);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
