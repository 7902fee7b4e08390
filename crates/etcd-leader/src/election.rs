//! An election: a queue of candidates, whose first one leads.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::{Client, Key};
use etcd_recipe::{Contender, HeldKey, Queue, Timing, Token};
use futures_core::future::BoxFuture;

use crate::reigns::Reigns;
use crate::settings::{Settings, setters};
use crate::{Error, ErrorKind, Leader, Leadership, Observe, Result, one_shot};

/// An election: candidates queue up, the first leads, the others wait in the order in which they came.
///
/// Its candidates are the keys below `/elections/NAME/`, each holding the candidate's value. Nothing is sent until it is
/// asked for something. Cheap to clone; a value with its clones is **one candidate**.
///
/// # Examples
/// ```no_run
/// # async fn work() {}
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), etcd_leader::Error> {
/// use std::time::Duration;
/// use etcd_leader::Election;
///
/// let election = Election::new(&client, "my-cluster").ttl(Duration::from_secs(10));
/// let me = election.campaign("leader-1").await?;
/// println!("leading by token {}", me.token());
/// me.run(work()).await?;
/// me.resign().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is asked for something"]
pub struct Election {
    client: Client,
    prefix: Result<Key, String>,
    name: String,
    pub(crate) settings: Settings,
    requeue: bool,
    reigns: Reigns,
}

impl Election {
    /// The election of this name: one element or several, such as `my-cluster` or `db/shard-7`.
    ///
    /// A name that etcd cannot hold is told when the election is used.
    pub fn new(client: &Client, name: impl Into<String>) -> Self {
        Self {
            client: client.clone(),
            prefix: Key::new(PREFIX).map_err(|error| error.to_string()),
            name: name.into(),
            settings: Settings::new(Timing::DEFAULT_TTL),
            requeue: true,
            reigns: Reigns::default(),
        }
    }

    /// The directory above the election's; `/elections` by default.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Key::new(prefix.into()).map_err(|error| error.to_string());
        self
    }

    /// How long a candidate's key lives without a renewal: whole seconds, rounded up; 15 s by default, 5 s at least.
    ///
    /// It is how long an election stands without a leader when that one dies, and an outage shorter than this, less the
    /// margin of [`Timing`], deposes nobody.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.settings.ttl = ttl;
        self
    }

    setters!();

    /// Whether a candidate that has lost its place while waiting queues up again, at the end; else it is
    /// [`ErrorKind::PlaceLost`]. On by default.
    pub fn requeue(mut self, requeue: bool) -> Self {
        self.requeue = requeue;
        self
    }

    /// Waits in the queue until this candidate leads: the seed's call on a gain.
    ///
    /// `value` is what all others see of it, a name or an address. Failures that may pass are waited out, but for those
    /// of the first request: they are repeated for as long as the ttl. The future has to be polled: one that is not
    /// renews its place no more.
    ///
    /// # Errors
    /// [`ErrorKind::NotStopped`] while a [`Leadership`] of this candidate that was lost is not dropped yet: **stop first,
    /// then campaign again**.
    /// [`ErrorKind::InvalidName`], [`ErrorKind::InvalidTtl`], [`ErrorKind::InvalidValue`] for what cannot be sent;
    /// [`ErrorKind::Client`] for a refusal, and where no place was had for as long as the ttl;
    /// [`ErrorKind::PlaceLost`] without [`requeue`](Self::requeue).
    ///
    /// # Cancel safety
    /// May be dropped at any time. Its key is deleted in the background, for 14 s at most; outside a runtime its ttl
    /// ends it.
    pub fn campaign(&self, value: impl Into<String>) -> BoxFuture<'static, Result<Leadership>> {
        let (election, value) = (self.clone(), value.into());
        Box::pin(async move {
            let queue = election.ready_queue()?.value(value);
            election.lead_by(queue.acquire().await?)
        })
    }

    /// [Campaigns](Self::campaign) for so long at most, by the election's clock.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`]; the key is deleted in the background, as by a drop. Else as [`campaign`](Self::campaign).
    ///
    /// # Cancel safety
    /// As [`campaign`](Self::campaign).
    pub fn campaign_timeout(
        &self,
        value: impl Into<String>,
        time: Duration,
    ) -> BoxFuture<'static, Result<Leadership>> {
        let (election, value) = (self.clone(), value.into());
        Box::pin(async move {
            let queue = election.ready_queue()?.value(value);
            election.lead_by(queue.acquire_timeout(time).await?)
        })
    }

    /// Leads again and again until the work is done once: campaigns, does the work while it leads, **drops the work on a
    /// loss**, and only then campaigns again. Resigns behind the work.
    ///
    /// `work` is called once for each leadership, and makes what is done under it.
    ///
    /// # Errors
    /// As [`campaign`](Self::campaign). [`ErrorKind::NotStopped`] where the work has put its [`Leadership`] by, and so is
    /// not known to have stopped.
    ///
    /// # Cancel safety
    /// May be dropped at any time: so is the work, and it resigns in the background.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn write_state(_: u64) {}
    /// # async fn example(election: etcd_leader::Election) -> Result<(), etcd_leader::Error> {
    /// let lead = election.lead("leader-1", |leadership| async move {
    ///     loop {
    ///         write_state(leadership.token().index()).await;
    ///         tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    ///     }
    /// });
    /// lead.await
    /// # }
    /// ```
    pub async fn lead<W, F>(&self, value: impl Into<String>, mut work: W) -> Result<F::Output>
    where
        W: FnMut(Arc<Leadership>) -> F,
        F: Future,
    {
        let value = value.into();
        loop {
            let leadership = Arc::new(self.campaign(value.clone()).await?);
            // The work is gone when this has ended, and with it its leadership.
            let ended = leadership.run(work(Arc::clone(&leadership))).await;
            let leadership = Arc::into_inner(leadership);
            match (ended, leadership) {
                (Ok(done), Some(leadership)) => {
                    // It led to the end of the work; what comes of resigning changes nothing in that.
                    let _resigned = leadership.resign().await;
                    return Ok(done);
                }
                (Ok(done), None) => return Ok(done),
                // What the work has put by stops the next campaign.
                (Err(error), _) if error.is_lost() => {}
                (Err(error), _) => return Err(error),
            }
        }
    }

    /// Makes the candidate of this name lead, and lets it live for `ttl` from then on: the seed's one-shot. Nothing
    /// renews it behind that; the same name again does, from any process.
    ///
    /// While another leads it waits in the queue, and renews its place there.
    ///
    /// A name is a value: where a [`campaign`](Self::campaign) by the same text is in the queue, that one is renewed and
    /// waited for. Where several of that text are, the first.
    ///
    /// # Errors
    /// As [`campaign`](Self::campaign); never [`ErrorKind::NotStopped`].
    ///
    /// # Cancel safety
    /// May be dropped at any time. A place that it has made is deleted in the background; one that it has found, or whose
    /// making was not answered yet, is left to its ttl.
    #[doc(alias = "set_leader")]
    pub fn set(&self, name: impl Into<String>, ttl: Duration) -> BoxFuture<'static, Result<Token>> {
        let (election, name) = (self.clone().ttl(ttl), name.into());
        Box::pin(async move { one_shot::set(&election, &name).await })
    }

    /// [Sets](Self::set) the leader, and waits for so long at most.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`], with the place given up as by a drop; else as [`set`](Self::set).
    ///
    /// # Cancel safety
    /// As [`set`](Self::set).
    pub fn set_timeout(
        &self,
        name: impl Into<String>,
        ttl: Duration,
        time: Duration,
    ) -> BoxFuture<'static, Result<Token>> {
        let (set, clock) = (self.set(name, ttl), Arc::clone(&self.settings.clock));
        Box::pin(async move {
            let late = clock.sleep_until(clock.now() + time);
            tokio::select! {
                biased;
                set = set => set,
                () = late => Err(Error::new(ErrorKind::TimedOut)),
            }
        })
    }

    /// Removes the candidate of this name, the leader or one that waits, from any process. Whoever renewed it hears
    /// that it was lost, at its next renewal at the latest.
    ///
    /// Where several have campaigned with the same text they all go.
    ///
    /// # Errors
    /// [`ErrorKind::NotQueued`] if there is none; [`ErrorKind::InvalidName`], [`ErrorKind::Client`].
    ///
    /// # Cancel safety
    /// After a drop the outcome is unknown.
    #[doc(alias = "delete_leader")]
    pub fn remove(&self, name: impl Into<String>) -> BoxFuture<'static, Result<()>> {
        let (election, name) = (self.clone(), name.into());
        Box::pin(async move { one_shot::remove(&election, &name).await })
    }

    /// Who leads, by quorum; `None` if nobody does.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`], [`ErrorKind::Client`].
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    #[doc(alias = "get_leader")]
    pub fn leader(&self) -> BoxFuture<'static, Result<Option<Leader>>> {
        let candidates = self.candidates();
        Box::pin(async move {
            let first = candidates.await?.into_iter().next();
            Ok(first.map(|first| Leader::new(first.value, first.token)))
        })
    }

    /// All candidates by quorum, the leader first, the others in the order in which they are next.
    ///
    /// # Errors
    /// As [`leader`](Self::leader).
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn candidates(&self) -> BoxFuture<'static, Result<Vec<Contender>>> {
        let election = self.clone();
        Box::pin(async move { Ok(election.queue()?.contenders().await?) })
    }

    /// The leaders as they change, from who leads now on.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidName`] for a name or prefix that etcd cannot hold. All else is told by the stream.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(election: etcd_leader::Election) -> Result<(), etcd_leader::Error> {
    /// use futures_util::TryStreamExt as _;
    ///
    /// let mut leaders = election.observe()?;
    /// while let Some(change) = leaders.try_next().await? {
    ///     match change.leader() {
    ///         Some(leader) => println!("{} leads by token {}", leader.value(), leader.token()),
    ///         None => println!("nobody leads"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn observe(&self) -> Result<Observe> {
        Ok(Observe::new(&self.client, self.directory()?))
    }

    /// The directory of its candidates.
    pub(crate) fn directory(&self) -> Result<Key> {
        let invalid = |detail: String| Error::new(ErrorKind::InvalidName).with_detail(detail);
        let prefix = self.prefix.as_ref().map_err(|text| invalid(text.clone()))?;
        prefix.join(&self.name).map_err(|error| invalid(error.to_string()))
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The queue of its candidates.
    pub(crate) fn queue(&self) -> Result<Queue> {
        let queue = Queue::new(&self.client, self.directory()?).requeue(self.requeue);
        Ok(self.settings.queue(queue))
    }

    fn ready_queue(&self) -> Result<Queue> {
        self.reigns.require_stopped()?;
        self.queue()
    }

    /// Leads by this key, unless another leadership was lost meanwhile and goes on.
    fn lead_by(&self, held: HeldKey) -> Result<Leadership> {
        self.reigns.require_stopped()?;
        let reign = self.reigns.begin(held.lost());
        Ok(Leadership::new(held, reign))
    }
}

const PREFIX: &str = "/elections";

const _: () = {
    const fn shared<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<Election>();
};
