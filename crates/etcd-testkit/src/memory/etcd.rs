//! A cluster on loopback ports.

use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Error, Faults, HttpService, InProcess, Log, MemoryBuilder, OperationService};
use crate::{Etcd, Version};

/// A cluster in memory whose members listen on loopback ports.
///
/// All members share one state. **Dropping it stops the cluster**, as killing all members for good would: in
/// process requests are refused and open watches cut from then on, also through services, clones and
/// [`InProcess`] handles that live on; listeners end and connections are reset or closed as soon as the runtime gets
/// to it. State and log can still be looked at.
///
/// Its time is the real one. (In paused time sockets and timers do not agree; see [`InProcess`].)
///
/// # Examples
/// ```
/// use etcd_testkit::Etcd as _;
/// use etcd_testkit::memory::{Change, Fault, MemoryEtcd, Rule};
/// use http::Method;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let etcd = MemoryEtcd::builder().members(3).start().await?;
/// println!("{} listens on {:?}", etcd.name(), etcd.endpoints());
///
/// etcd.faults().add(Rule::new(Fault::DropAnswer).method(Method::PUT).nth(1));
/// etcd.kill(2).await?;
/// // ... run the code under test against etcd.endpoints() ...
/// let writes = etcd.log().entries().into_iter().filter(|entry| entry.applied && entry.method == Method::PUT);
/// assert_eq!(writes.count(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemoryEtcd {
    cluster: InProcess,
    /// Whether each member listens, and after how many kills.
    listening: Vec<Receiver<Option<u64>>>,
    /// Ended on drop, and with them the connections.
    _tasks: JoinSet<()>,
}

impl MemoryEtcd {
    /// Starts with one member that behaves like etcd 3.5, and without faults.
    pub fn builder() -> MemoryBuilder {
        MemoryBuilder::default()
    }

    pub(crate) fn new(cluster: InProcess, tasks: JoinSet<()>, listening: Vec<Receiver<Option<u64>>>) -> Self {
        Self { cluster, listening, _tasks: tasks }
    }

    /// The same cluster without the ports: its services, and its state by [`InProcess::with_store`].
    #[must_use]
    pub fn cluster(&self) -> &InProcess {
        &self.cluster
    }

    /// The same cluster as an HTTP service without sockets.
    #[must_use]
    pub fn http_service(&self) -> HttpService {
        self.cluster.http_service()
    }

    /// The same cluster as a service of typed calls.
    #[must_use]
    pub fn operation_service(&self) -> OperationService {
        self.cluster.operation_service()
    }

    /// What goes wrong, to be changed while the server runs.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.cluster.faults()
    }

    /// What was served.
    #[must_use]
    pub fn log(&self) -> Log {
        self.cluster.log()
    }

    /// Kills a member, counted from 0, as SIGKILL would: connections are reset, connecting is refused. Its port
    /// stays reserved. Returns when that is so; nothing happens to a dead one.
    ///
    /// The cluster goes on even if no majority is left, and the leader may be dead; to have it stall as well
    /// apply [`Change::NoLeader`](super::Change::NoLeader).
    ///
    /// # Errors
    /// [`ErrorKind::NoMember`](super::ErrorKind::NoMember) if there is no such member, or it was removed.
    ///
    /// # Cancel safety
    /// Once polled the member is killed.
    pub async fn kill(&self, member: usize) -> Result<(), Error> {
        self.cluster.kill(member)?;
        // Another caller may have brought it back already.
        let kills = self.cluster.engine().kills(member);
        self.wait(member, "stop listening", |life| life.is_none_or(|life| life >= kills)).await
    }

    /// Brings a killed member back on its port, with the state that the cluster has; nothing happens to a live
    /// one. Returns when it listens.
    ///
    /// # Errors
    /// [`ErrorKind::NoMember`](super::ErrorKind::NoMember) if there is no such member, or it was removed from the
    /// cluster; [`ErrorKind::Listen`](super::ErrorKind::Listen) if it does not listen within 5 s: a fault refuses
    /// connections.
    ///
    /// # Cancel safety
    /// Once polled the member is restarted.
    pub async fn restart(&self, member: usize) -> Result<(), Error> {
        self.cluster.restart(member)?;
        let kills = self.cluster.engine().kills(member);
        self.wait(member, "listen", |life| life.is_some_and(|life| life >= kills)).await
    }

    async fn wait(
        &self,
        member: usize,
        wanted: &str,
        is_done: impl Fn(Option<u64>) -> bool,
    ) -> Result<(), Error> {
        let Some(listening) = self.listening.get(member) else { return Err(Error::no_member(member)) };
        let mut listening = listening.clone();
        let done = timeout(LIMIT, listening.wait_for(|life| is_done(*life))).await;
        let message = || format!("member {member} does not {wanted}");
        match done {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(ended)) => Err(Error::listen(message(), ended)),
            Err(late) => Err(Error::listen(message(), late)),
        }
    }
}

impl Drop for MemoryEtcd {
    fn drop(&mut self) {
        self.cluster.engine().stop();
    }
}

impl Etcd for MemoryEtcd {
    fn name(&self) -> &str {
        self.cluster.name()
    }

    fn endpoints(&self) -> Vec<String> {
        self.cluster.endpoints()
    }

    fn version(&self) -> Version {
        self.cluster.version()
    }
}

const LIMIT: Duration = Duration::from_secs(5);
