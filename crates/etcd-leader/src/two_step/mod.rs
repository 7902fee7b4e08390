//! The seed's election in two steps, with fitness.

mod driver;
mod leftover;

use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::{Client, IntoKey, Key};
use etcd_recipe::{SingleKey, Timing, Token};
use futures_core::future::BoxFuture;

use self::driver::Driver;
use self::leftover::Confirmations;
use crate::reigns::Reigns;
use crate::settings::{Settings, setters};
use crate::vote::{Candidate, InvalidVote, State, Vote};
use crate::{Error, ErrorKind, Leader, Leadership, Result};

/// An election in two steps on one key, in which the fitter candidate is preferred: the protocol of the old `leader`
/// program, and the format of its votes.
///
/// A candidate **nominates** itself by a tentative vote, lets it **settle**, and **confirms** it. While a vote is
/// tentative a fitter candidate takes over; a confirmed one is nobody else's for as long as its key lives. The key holds
/// `NAME,STATE,FITNESS`, for everybody to read. What is decided is in [`vote`](crate::vote), as functions.
///
/// Use it where fitness has to count, or where others read or write such votes. Else [`Election`](crate::Election) is
/// the better one: it is fair, hands over without a pause, and wakes one candidate and not all.
///
/// **Candidates must have different names.** The old program as another candidate takes part in this, but its own first
/// nomination overwrites whatever is there: a leader of ours hears of that at its next renewal.
///
/// Cheap to clone; a value with its clones is one candidate.
///
/// # Examples
/// ```no_run
/// # async fn bow_down_before_me() {}
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_leader::Error> {
/// use etcd_leader::TwoStep;
///
/// let candidate = TwoStep::new(&client, "/nsr", "node-1").fitness(42);
/// loop {
///     let leading = candidate.campaign().await?;
///     match leading.run(bow_down_before_me()).await {
///         Ok(()) => return leading.resign().await,
///         // The work was dropped; on to the next campaign.
///         Err(error) if error.is_lost() => drop(leading),
///         Err(error) => return Err(error),
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is asked for something"]
pub struct TwoStep {
    client: Client,
    key: Result<Key, String>,
    candidate: Result<Candidate, InvalidVote>,
    settle: Duration,
    settings: Settings,
    reigns: Reigns,
    confirmations: Confirmations,
}

impl TwoStep {
    /// The candidate of this name in the election on this key, with fitness 42. A key that etcd cannot hold, or a name
    /// that a vote cannot, is told when it is used.
    pub fn new(client: &Client, key: impl IntoKey, name: impl Into<String>) -> Self {
        let key = key.try_into().map_err(|error| etcd_client::Error::from(error.into()).to_string());
        Self {
            client: client.clone(),
            key,
            candidate: Candidate::new(name, FITNESS),
            settle: SETTLE,
            settings: Settings::new(TTL),
            reigns: Reigns::default(),
            confirmations: Confirmations::default(),
        }
    }

    /// How fit the candidate is; 42 by default. Of two it is the greater that is preferred, of equals who came first.
    pub fn fitness(mut self, fitness: i64) -> Self {
        self.candidate = self.candidate.and_then(|candidate| Candidate::new(candidate.name(), fitness));
        self
    }

    /// How long a tentative vote stands before it is confirmed: the time that fitter candidates have to take over. 1 s by
    /// default, half of the ttl at most.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// How long the key lives without a renewal: whole seconds, rounded up; 5 s by default, and at least.
    ///
    /// It is renewed every third of that, where the old program did so each second. For how long an election stands
    /// without a leader when that one dies, add the time to settle.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.settings.ttl = ttl;
        self
    }

    setters!();

    /// Waits until this candidate leads: nominated, settled and confirmed. Ready on the gain;
    /// [`Leadership::lost`] is ready on the loss.
    ///
    /// Failures that may pass are waited out.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedVote`] if the key holds something else than a vote: somebody else uses it.
    /// [`ErrorKind::NotStopped`] while a [`Leadership`] of this candidate that was lost is not dropped yet.
    /// [`ErrorKind::InvalidName`], [`ErrorKind::InvalidValue`], [`ErrorKind::InvalidTtl`] for what cannot be sent, and
    /// for a time to settle of more than half the ttl; [`ErrorKind::Client`] for a refusal.
    ///
    /// # Cancel safety
    /// May be dropped at any time. A vote that it has written is deleted in the background, for 14 s at most; outside a
    /// runtime its ttl ends it.
    pub fn campaign(&self) -> BoxFuture<'static, Result<Leadership>> {
        let two_step = self.clone();
        Box::pin(async move {
            two_step.reigns.require_stopped()?;
            let held = loop {
                let mut driver = two_step.driver()?;
                let (written, sent) = driver.run().await?;
                match two_step.single()?.adopt(&written, sent).await {
                    // It has run out before it could be kept.
                    Err(error) if error.is_lost() => {}
                    held => {
                        driver.disarm();
                        break held?;
                    }
                }
            };
            two_step.reigns.require_stopped()?;
            let reign = two_step.reigns.begin(held.lost());
            Ok(Leadership::new(held, reign))
        })
    }

    /// [Campaigns](Self::campaign) for so long at most, by its clock.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`], with the vote deleted as by a drop. Else as [`campaign`](Self::campaign).
    ///
    /// # Cancel safety
    /// As [`campaign`](Self::campaign).
    pub fn campaign_timeout(&self, time: Duration) -> BoxFuture<'static, Result<Leadership>> {
        let (campaign, clock) = (self.campaign(), Arc::clone(&self.settings.clock));
        Box::pin(async move {
            let late = clock.sleep_until(clock.now() + time);
            tokio::select! {
                biased;
                leading = campaign => leading,
                () = late => Err(Error::new(ErrorKind::TimedOut)),
            }
        })
    }

    /// The vote that stands, by quorum, tentative or confirmed; `None` where there is none.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedVote`], [`ErrorKind::InvalidName`], [`ErrorKind::Client`].
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn vote(&self) -> BoxFuture<'static, Result<Option<Vote>>> {
        let two_step = self.clone();
        Box::pin(async move { Ok(two_step.read().await?.map(|(vote, _)| vote)) })
    }

    /// Who leads, by quorum: the name of a confirmed vote, and its token.
    ///
    /// # Errors
    /// As [`vote`](Self::vote).
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn leader(&self) -> BoxFuture<'static, Result<Option<Leader>>> {
        let two_step = self.clone();
        Box::pin(async move {
            let confirmed = two_step.read().await?.filter(|(vote, _)| vote.state == State::Confirmed);
            Ok(confirmed.map(|(vote, token)| Leader::new(vote.candidate.name().to_owned(), token)))
        })
    }

    async fn read(&self) -> Result<Option<(Vote, Token)>> {
        let key = self.key()?;
        let read = match self.client.get(&key).quorum(true).await {
            Ok(read) => read,
            Err(error) if error.is_key_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let vote = read.node.text().parse::<Vote>().map_err(|invalid| Error::malformed(&key, invalid))?;
        let token = Token::new(read.node.created_index.get(), read.header.cluster_id.as_deref())?;
        Ok(Some((vote, token)))
    }

    fn key(&self) -> Result<Key> {
        self.key.clone().map_err(|text| Error::new(ErrorKind::InvalidName).with_detail(text))
    }

    fn single(&self) -> Result<SingleKey> {
        Ok(self.settings.single(SingleKey::new(&self.client, self.key()?)))
    }

    fn driver(&self) -> Result<Driver> {
        let candidate = self.candidate.clone().map_err(Error::invalid_candidate)?;
        let timing = Timing::new(self.settings.ttl, self.settings.skew_allowance)?;
        if self.settle > timing.ttl() / 2 {
            let detail = format!("settling for {:?} is more than half of {:?}", self.settle, timing.ttl());
            return Err(Error::new(ErrorKind::InvalidTtl).with_detail(detail));
        }
        let (clock, confirmations) = (Arc::clone(&self.settings.clock), self.confirmations.clone());
        let (client, key) = (self.client.clone(), self.key()?);
        Ok(Driver::new(client, key, candidate, timing, self.settle, clock, confirmations))
    }
}

/// The old program's defaults.
const FITNESS: i64 = 42;
const TTL: Duration = Duration::from_secs(5);
const SETTLE: Duration = Duration::from_secs(1);

const _: () = {
    const fn shared<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<TwoStep>();
};
