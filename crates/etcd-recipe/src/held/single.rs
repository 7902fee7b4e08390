//! One key that one can hold at a time.

use std::sync::Arc;

use etcd_client::v2::{Client, Compare, IntoKey, Key, KeysResponse};

use super::{HeldKey, Lease, Step, checked};
use crate::cleaner::Leftover;
use crate::enter::{Entered, Entry, enter};
use crate::key_calls::KeyCalls;
use crate::protocol::Place;
use crate::settings::{Settings, setters};
use crate::{Error, Result, Timestamp};

/// One key that one process at a time can hold: it is made where there is none. For two or three contenders, and where
/// other tools look at the key; there is no order among those who wait. Cheap to clone.
///
/// Made with a key that etcd cannot hold, it says so when it is used.
///
/// # Examples
/// ```
/// # async fn example(client: etcd_client::v2::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use etcd_recipe::SingleKey;
///
/// let key = SingleKey::new(&client, "/jobs/nightly").ttl(Duration::from_secs(30));
/// match key.try_hold("worker-7 cd4f61").await? {
///     Some(held) => held.release().await?,
///     None => println!("somebody else does it"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is asked to hold the key"]
pub struct SingleKey {
    client: Client,
    key: Result<Key, String>,
    settings: Settings,
}

impl SingleKey {
    /// The key to hold.
    pub fn new(client: &Client, key: impl IntoKey) -> Self {
        Self { client: client.clone(), key: crate::key::checked(key), settings: Settings::default() }
    }

    setters!();

    /// The same at another key, for recipes that make it of a name.
    pub fn at(mut self, key: impl IntoKey) -> Self {
        self.key = crate::key::checked(key);
        self
    }

    /// Makes the key, with this value, if there is none; `None` if there is one.
    ///
    /// **The value has to be unlike anybody else's**: where the answer to the creation is lost, a key that holds it is
    /// taken for ours, and where nobody waits for that answer, it is deleted. Put a random number into it, or see
    /// [`values_may_repeat`](Self::values_may_repeat).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidTtl`](crate::ErrorKind::InvalidTtl),
    /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) for an empty one, and
    /// [`ErrorKind::Client`](crate::ErrorKind::Client): a refusal, or failures for as long as the ttl.
    ///
    /// # Cancel safety
    /// Dropped, it leaves no key beyond the ttl; what was made is deleted in the background, outside a runtime by its
    /// ttl.
    pub async fn try_hold(&self, value: impl Into<String>) -> Result<Option<HeldKey>> {
        let value = checked(value.into())?;
        let calls = self.calls()?;
        let Entered { mut lease, mut leftover } = match enter(calls, &self.settings, value).await? {
            Entry::Ours(entered) => *entered,
            Entry::Taken => return Ok(None),
        };
        make_valid(&mut lease).await?;
        leftover.disarm();
        HeldKey::start(lease, leftover).map(Some)
    }

    /// Keeps a key alive that the caller has written by other means, with the ttl that is set here: `written` shows it as
    /// it was written (an answer to that write, or to a read that has found it), `sent` is when the first copy of the
    /// write was sent, by the clock that is set here.
    ///
    /// **Only for a key that nobody else writes from now on**: it counts as ours for as long as its created index stays.
    ///
    /// # Errors
    /// As [`try_hold`](Self::try_hold); [`ErrorKind::Lost`](crate::ErrorKind::Lost) if it may have run out by now and
    /// has.
    ///
    /// # Cancel safety
    /// After a drop the key is left to its ttl.
    pub async fn adopt(&self, written: &KeysResponse, sent: Timestamp) -> Result<HeldKey> {
        let (calls, node) = (self.calls()?, &written.node);
        let value = checked(node.text().to_owned())?;
        let place = Place {
            name: calls.key.name().to_owned(),
            created: node.created_index.get(),
            modified: node.modified_index.get(),
        };
        let leftover = Leftover::new(calls.clone(), &value, false);
        let (clock, probe) = (Arc::clone(&self.settings.clock), self.settings.skew_probe.clone());
        let mut lease = Lease::new(calls, clock, value, place, sent, probe);
        lease.term = written.header.raft_term;
        lease.cluster_id = written.header.cluster_id.as_deref().map(String::from);
        make_valid(&mut lease).await?;
        HeldKey::start(lease, leftover)
    }

    /// For values that come again, as another's too: what was made by a creation that nobody waited for is then left to
    /// its ttl. Else it is looked for and deleted for 14 s, by its value.
    pub fn values_may_repeat(mut self) -> Self {
        self.settings.is_unlike_others = false;
        self
    }

    pub(crate) fn calls(&self) -> Result<KeyCalls> {
        let timing = self.settings.timing()?;
        let key = crate::key::taken(&self.key)?;
        Ok(KeyCalls { client: self.client.clone(), key, timing, rewrites: self.settings.rewrites })
    }

    /// The key.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) if etcd cannot hold it.
    pub fn key(&self) -> Result<Key> {
        crate::key::taken(&self.key)
    }

    /// Deletes the key as it is now, if there is one.
    pub(crate) async fn delete_what_is_there(&self) -> Result<()> {
        let calls = self.calls()?;
        let get = calls.client.get(&calls.key).quorum(true).timeout(calls.limit());
        let node = match get.await {
            Ok(read) => read.node,
            Err(error) if error.is_key_not_found() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let delete = calls.client.compare_and_delete(&calls.key, Compare::index(node.modified_index));
        match delete.timeout(calls.limit()).resolve(true).await {
            Ok(_) => Ok(()),
            // Somebody was faster; whoever makes the key next finds out.
            Err(error) if error.is_key_not_found() || error.is_compare_failed() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Looks at the servers' clocks, and renews a key that was made so late that it may have run out.
async fn make_valid(lease: &mut Lease) -> Result<()> {
    lease.look_at_skew(lease.term).await;
    let until = lease.clock.now() + lease.calls.timing.ttl();
    while !lease.is_valid() {
        match lease.step().await {
            Step::Renewed => {}
            Step::Pending(Some(error)) if lease.clock.now() >= until => return Err(error.into()),
            Step::Pending(_) => lease.clock.sleep_until(lease.due()).await,
            Step::Lost(reason) => return Err(Error::lost(reason)),
        }
    }
    Ok(())
}
