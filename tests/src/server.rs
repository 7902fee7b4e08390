//! A server of a test's own, of either kind.

use std::time::Duration;

use etcd_testkit::memory::{Change, Fault, MemoryEtcd, Profile, Rule};
use etcd_testkit::real::{self, Binary};
use etcd_testkit::{Etcd, Version};

use crate::{canary, memory};

/// What server a test needs.
#[derive(Clone, Debug)]
pub struct Needs {
    members: usize,
    root_password: Option<String>,
}

/// A server of a test's own: real processes, or one in memory.
#[derive(Debug)]
pub enum Server {
    /// Processes.
    Real(real::Server),
    /// In this process, on loopback ports.
    Memory(MemoryEtcd),
}

/// A member as its server was told to be.
#[derive(Clone, Debug)]
pub struct ServerMember {
    /// Its place among the members.
    pub place: usize,
    /// Its name.
    pub name: String,
    /// Its URL for clients.
    pub endpoint: String,
    /// Its URL for other members.
    pub peer_url: String,
}

// === impl Needs ===

impl Needs {
    /// A cluster of so many members, without authentication.
    #[must_use]
    pub fn members(members: usize) -> Self {
        Self { members, root_password: None }
    }

    /// A user `root` with this password, and authentication on.
    #[must_use]
    pub fn auth(mut self, root_password: impl Into<String>) -> Self {
        self.root_password = Some(root_password.into());
        self
    }

    pub(crate) async fn real(&self, binary: Binary) -> Server {
        let mut builder = real::Server::builder(binary).members(self.members);
        if let Some(password) = &self.root_password {
            builder = builder.auth(password);
        }
        Server::Real(builder.start().await.unwrap_or_else(|error| panic!("{error}")))
    }

    pub(crate) async fn memory(&self, profile: Profile) -> Server {
        let etcd = memory::start(MemoryEtcd::builder().members(self.members).profile(profile)).await;
        if let Some(password) = &self.root_password {
            let client = canary::builder().endpoints(etcd.endpoints()).build().expect("it has endpoints");
            client.auth().users().create("root", password.as_str()).await.expect("no user so far");
            client.auth().enable().await.expect("not enabled so far");
        }
        Server::Memory(etcd)
    }
}

// === impl Server ===

impl Server {
    /// The members, in the order of [`Etcd::endpoints`].
    pub fn members(&self) -> Vec<ServerMember> {
        let described: Vec<_> = match self {
            Self::Real(server) => {
                let members = server.members().iter();
                members.map(|member| (member.name().to_owned(), member.peer_url().to_owned())).collect()
            }
            Self::Memory(etcd) => {
                let members = etcd.cluster().with_store(|store, _| store.members());
                members.into_iter().map(|member| (member.name, member.peer_urls.join(","))).collect()
            }
        };
        let described = described.into_iter().zip(self.endpoints()).enumerate();
        described
            .map(|(place, ((name, peer_url), endpoint))| ServerMember { place, name, endpoint, peer_url })
            .collect()
    }

    /// Kills a member: it refuses connections.
    ///
    /// # Panics
    /// If there is no such member or it does not end.
    pub async fn kill(&self, place: usize) {
        match self {
            Self::Real(server) => server.member(place).kill().unwrap_or_else(|error| panic!("{error}")),
            Self::Memory(etcd) => etcd.kill(place).await.unwrap_or_else(|error| panic!("{error}")),
        }
    }

    /// Lets an election take so long, where the cluster does not hold one by itself: a killed leader is missed by
    /// real members for a second or two, and by those in memory not at all.
    ///
    /// # Panics
    /// Never: every cluster can be without a leader.
    pub fn without_leader(&self, time: Duration) {
        match self {
            Self::Real(_) => {}
            Self::Memory(etcd) => {
                etcd.faults().apply(Change::NoLeader(time)).unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }

    /// Kills all members.
    ///
    /// # Panics
    /// If one does not end.
    pub async fn kill_all(&self) {
        for place in 0..self.endpoints().len() {
            self.kill(place).await;
        }
    }

    /// Starts all members again, with the same data and ports.
    ///
    /// # Panics
    /// If one does not start.
    pub async fn restart_all(&self) {
        match self {
            Self::Real(server) => server.restart().await.unwrap_or_else(|error| panic!("{error}")),
            Self::Memory(etcd) => {
                for place in 0..self.endpoints().len() {
                    etcd.restart(place).await.unwrap_or_else(|error| panic!("{error}"));
                }
            }
        }
    }

    /// Lets a member stand still: it takes connections and requests, and answers nothing.
    ///
    /// # Panics
    /// If there is no such process.
    pub fn stop(&self, place: usize) {
        match self {
            Self::Real(server) => server.member(place).stop().unwrap_or_else(|error| panic!("{error}")),
            Self::Memory(etcd) => etcd.faults().add(Rule::new(Fault::Hang).member(place)),
        }
    }

    /// Lets a member that stands still go on.
    ///
    /// # Panics
    /// If there is no such process.
    pub fn resume(&self, place: usize) {
        match self {
            Self::Real(server) => server.member(place).resume().unwrap_or_else(|error| panic!("{error}")),
            // Tests that stop a member have no other faults.
            Self::Memory(etcd) => etcd.faults().clear(),
        }
    }
}

impl Etcd for Server {
    fn name(&self) -> &str {
        match self {
            Self::Real(server) => server.name(),
            Self::Memory(etcd) => etcd.name(),
        }
    }

    fn endpoints(&self) -> Vec<String> {
        match self {
            Self::Real(server) => server.endpoints(),
            Self::Memory(etcd) => etcd.endpoints(),
        }
    }

    fn version(&self) -> Version {
        match self {
            Self::Real(server) => server.version(),
            Self::Memory(etcd) => etcd.version(),
        }
    }
}
