//! A running etcd of one or more members.

use std::time::Duration;

use tempfile::TempDir;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::binary::Binary;
#[cfg(not(feature = "tls"))]
use super::builder::Certificates;
use super::builder::ServerBuilder;
use super::error::Result;
use super::member::Member;
use super::ready;
#[cfg(feature = "tls")]
use super::tls::Certificates;
use crate::{Etcd, Version};

/// A running etcd: one process or a cluster of them.
///
/// Dropping it kills the processes, waits for their end and removes their data.
#[derive(Debug)]
pub struct Server {
    name: String,
    version: Version,
    members: Vec<Member>,
    start_limit: Duration,
    lifetime: Option<AbortHandle>,
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "always none"))]
    certificates: Option<Certificates>,
    /// Last, so that it is removed when no process writes to it any more.
    _directory: TempDir,
}

impl Server {
    /// Starts with one member of `binary`, the v2 API on, authentication off, and no end of its life.
    pub fn builder(binary: Binary) -> ServerBuilder {
        ServerBuilder::new(binary)
    }

    pub(super) fn new(
        version: Version,
        members: Vec<Member>,
        start_limit: Duration,
        directory: TempDir,
        certificates: Option<Certificates>,
    ) -> Self {
        let name = match members.len() {
            1 => format!("etcd {version}"),
            count => format!("etcd {version}, {count} members"),
        };
        Self { name, version, members, start_limit, lifetime: None, certificates, _directory: directory }
    }

    /// The certificates of a server that speaks TLS, and of its clients.
    ///
    /// # Panics
    ///
    /// If it does not speak TLS.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("started with `tls`")
    }

    /// The members, in the order of [`Etcd::endpoints`].
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member number `index`, counted from 0.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    #[must_use]
    pub fn member(&self, index: usize) -> &Member {
        &self.members[index]
    }

    /// Kills all members (SIGKILL) and waits for their end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Signal`](super::ErrorKind::Signal) if the system refuses.
    pub fn kill(&self) -> Result<()> {
        self.members.iter().try_for_each(Member::kill)
    }

    /// Starts all members again with the same data and ports, and waits until they are ready; running ones are
    /// killed first.
    ///
    /// # Errors
    ///
    /// As [`Member::restart`].
    ///
    /// # Cancel safety
    ///
    /// After a drop each member may run or not; call it again.
    pub async fn restart(&self) -> Result<()> {
        let deadline = Instant::now() + self.start_limit;
        self.kill()?;
        self.members.iter().try_for_each(Member::launch)?;
        ready::wait(&self.members.iter().collect::<Vec<_>>(), deadline).await
    }

    /// Kills all members after `lifetime`, for good.
    pub(super) fn end_after(&mut self, lifetime: Duration) {
        let slots: Vec<_> = self.members.iter().map(Member::slot).collect();
        let task = tokio::spawn(async move {
            sleep(lifetime).await;
            slots.iter().for_each(|slot| slot.expire());
        });
        self.lifetime = Some(task.abort_handle());
    }
}

impl Etcd for Server {
    fn name(&self) -> &str {
        &self.name
    }

    fn endpoints(&self) -> Vec<String> {
        self.members.iter().map(|member| member.endpoint().to_owned()).collect()
    }

    fn version(&self) -> Version {
        self.version
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.lifetime {
            task.abort();
        }
        // Not left to the members' own drop: an aborted task may hold their slots for a moment longer.
        for member in &self.members {
            member.slot().expire();
        }
    }
}
