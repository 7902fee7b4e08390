//! From the first read to the confirmed vote: sends what the functions of [`vote`](crate::vote) say.

use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::{Client, Compare, Index, Key, KeysResponse};
use etcd_recipe::{Clock, Timestamp, Timing};

use super::leftover::{Confirmations, Leftover};
use crate::vote::{
    Answer, Ballot, Candidate, Read, State, Step, Vote, after_confirmation, after_nomination, after_read,
};
use crate::{Error, Result};

/// One campaign.
pub(super) struct Driver {
    client: Client,
    key: Key,
    me: Candidate,
    timing: Timing,
    settle: Duration,
    clock: Arc<dyn Clock>,
    /// A confirmation that may have been done, and when its first copy was sent: of this creation of the key.
    confirming: Option<(Ballot, Timestamp)>,
    /// The vote as the last read or write showed it.
    shown: Option<KeysResponse>,
    /// Where the store was at the last read: what happens behind it ends a wait.
    index: Index,
    failures: u32,
    leftover: Leftover,
}

impl Driver {
    pub(super) fn new(
        client: Client,
        key: Key,
        me: Candidate,
        timing: Timing,
        settle: Duration,
        clock: Arc<dyn Clock>,
        confirmations: Confirmations,
    ) -> Self {
        let limit = timing.request_limit();
        let leftover = Leftover::new(client.clone(), key.clone(), me.clone(), limit, confirmations);
        let (confirming, shown) = (None, None);
        let (index, failures) = (Index::NONE, 0);
        Self { client, key, me, timing, settle, clock, confirming, shown, index, failures, leftover }
    }

    /// Campaigns until the vote is confirmed: the key as it was then, and when the confirmation was first sent.
    ///
    /// # Cancel safety
    /// After a drop a vote that was written is deleted in the background.
    pub(super) async fn run(&mut self) -> Result<(KeysResponse, Timestamp)> {
        let mut step = Step::Read;
        loop {
            step = match step {
                Step::Read => self.read().await?,
                Step::Nominate => self.nominate(None).await?,
                Step::TakeOver { compare } => self.nominate(Some(compare)).await?,
                Step::Confirm(ballot) => self.confirm(ballot).await?,
                Step::Wait => self.wait().await,
                Step::Lead(_) => match (self.shown.take(), self.confirming) {
                    (Some(shown), Some((_, sent))) => return Ok((shown, sent)),
                    // Leading follows from an answer to a confirmation, or from a read behind one.
                    (None, _) | (_, None) => Step::Read,
                },
            };
        }
    }

    /// Somebody else sees to the vote.
    pub(super) fn disarm(&mut self) {
        self.leftover.disarm();
    }

    async fn read(&mut self) -> Result<Step> {
        self.pause().await;
        let read = self.client.get(&self.key).quorum(true).timeout(self.timing.request_limit());
        let read = match read.budget_exempt(true).await {
            Ok(read) => {
                self.index = read.header.etcd_index;
                let vote = read.node.text().parse::<Vote>();
                let vote = vote.map_err(|invalid| Error::malformed(&self.key, invalid))?;
                let ballot = ballot(&read);
                self.shown = Some(read);
                Read::Seen(vote, ballot)
            }
            Err(error) if error.is_key_not_found() => {
                self.index = error.api().map_or(Index::NONE, |api| api.index);
                Read::Nobody
            }
            Err(error) if may_pass(&error) => Read::Unknown,
            Err(error) => return Err(error.into()),
        };
        self.failures = if read == Read::Unknown { self.failures.saturating_add(1) } else { 0 };
        Ok(after_read(&read, &self.me, self.confirming.map(|(ballot, _)| ballot)))
    }

    /// Writes the tentative vote: where no key is, or over a less fit one at this index.
    async fn nominate(&mut self, compare: Option<u64>) -> Result<Step> {
        let (ttl, limit) = (self.timing.ttl(), self.timing.request_limit());
        let vote = self.me.vote(State::Tentative).to_string();
        self.leftover.arm();
        let written = match compare {
            None => {
                let create = self.client.create(&self.key, vote).ttl(ttl).timeout(limit);
                create.resolve(true).budget_exempt(true).await
            }
            Some(index) => {
                let swap = self.client.compare_and_swap(&self.key, vote, Compare::index(index));
                swap.ttl(ttl).timeout(limit).resolve(true).budget_exempt(true).await
            }
        };
        Ok(after_nomination(self.answer(written)?))
    }

    /// Lets the tentative vote settle, and confirms it.
    async fn confirm(&mut self, ballot: Ballot) -> Result<Step> {
        self.leftover.arm();
        self.clock.sleep_until(self.clock.now() + self.settle).await;
        self.leftover.expect_confirmed(ballot.created);
        // Of several confirmations of one key the first counts: nobody knows which of them was done.
        let first = self.confirming.filter(|(confirmed, _)| confirmed.created == ballot.created);
        let sent = first.map_or_else(|| self.clock.now(), |(_, sent)| sent);
        self.confirming = Some((ballot, sent));
        let vote = self.me.vote(State::Confirmed).to_string();
        let swap = self.client.compare_and_swap(&self.key, vote, Compare::index(ballot.modified));
        let swap = swap.ttl(self.timing.ttl()).timeout(self.timing.request_limit());
        let written = swap.resolve(true).budget_exempt(true).await;
        let answer = self.answer(written)?;
        if answer == Answer::Refused {
            // This one was not done, whatever the key holds now: by its name alone that may be an earlier life's, and
            // older than this was sent.
            self.confirming = first;
            if first.is_none() {
                self.leftover.expect_no_confirmed();
            }
        }
        Ok(after_confirmation(answer))
    }

    fn answer(&mut self, written: Result<KeysResponse, etcd_client::Error>) -> Result<Answer> {
        let error = match written {
            Ok(written) => {
                let ballot = ballot(&written);
                (self.shown, self.failures) = (Some(written), 0);
                return Ok(Answer::Written(ballot));
            }
            Err(error) => error,
        };
        let is_refused = error.is_compare_failed() || error.is_key_exists() || error.is_key_not_found();
        if is_refused && error.outcome().is_not_applied() {
            return Ok(Answer::Refused);
        }
        if !is_refused && !may_pass(&error) {
            return Err(error.into());
        }
        self.failures = self.failures.saturating_add(1);
        Ok(Answer::Unknown)
    }

    /// Waits for a change of the key, for the ttl at most: who holds it may be cut off, and so may we.
    async fn wait(&mut self) -> Step {
        let until = self.clock.now() + self.timing.ttl();
        let change = self.client.watch(&self.key).after(self.index).next_event();
        tokio::select! {
            biased;
            change = change => if change.is_err() {
                self.failures = self.failures.saturating_add(1);
            },
            () = self.clock.sleep_until(until) => {}
        }
        Step::Read
    }

    /// Not at once again where something has failed.
    async fn pause(&self) {
        if self.failures > 0 {
            let pause = (FIRST_PAUSE * 2_u32.pow(self.failures.min(6) - 1)).min(LONGEST_PAUSE);
            self.clock.sleep_until(self.clock.now() + pause).await;
        }
    }
}

fn ballot(shown: &KeysResponse) -> Ballot {
    Ballot { created: shown.node.created_index.get(), modified: shown.node.modified_index.get() }
}

/// Whether the same may go well a little later, or at another member.
fn may_pass(error: &etcd_client::Error) -> bool {
    // Something between that answers in place of etcd comes and goes.
    let of_a_gateway = error.is_status() || error.is_not_etcd() || error.is_unreadable();
    let transient = error.is_retryable() || !error.outcome().is_not_applied();
    !error.is_cluster_changed() && (of_a_gateway || transient)
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
