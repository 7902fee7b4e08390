//! Making a server in memory.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::engine::{Clock, Driver, Engine, State};
use super::server::{Listener, Uploads};
use super::{Error, InProcess, MemoryEtcd, Plan, Profile, Quirks, Store};
use crate::port::Port;

/// Settings of a server in memory; [`start`](Self::start) or [`in_process`](Self::in_process) makes it.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until started"]
pub struct MemoryBuilder {
    members: usize,
    profile: Profile,
    quirks: Quirks,
    plan: Plan,
    listen: SocketAddr,
    date: Option<SystemTime>,
}

impl Default for MemoryBuilder {
    fn default() -> Self {
        Self {
            members: 1,
            profile: Profile::default(),
            quirks: Quirks::faithful(),
            plan: Plan::new(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            date: None,
        }
    }
}

impl MemoryBuilder {
    /// How many members the cluster has, 1 to 100; default 1. The first one leads.
    pub fn members(mut self, members: usize) -> Self {
        self.members = members;
        self
    }

    /// Which etcd to behave like; default 3.5.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Which oddities of etcd's watches to have; default all.
    pub fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// What goes wrong; default nothing. It can be changed while the server runs.
    pub fn faults(mut self, plan: impl Into<Plan>) -> Self {
        self.plan = plan.into();
        self
    }

    /// Where the first member listens; default port 0 of 127.0.0.1. Further members take the ports after it, or
    /// free ones with port 0. Without meaning for [`in_process`](Self::in_process).
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// What the cluster's clock shows at the first request; default the system's time at building.
    pub fn date(mut self, date: SystemTime) -> Self {
        self.date = Some(date);
        self
    }

    /// Starts the members on their ports.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](super::ErrorKind::Config) for a number of members out of range,
    /// [`ErrorKind::Listen`](super::ErrorKind::Listen) if a port cannot be had.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O and time.
    pub async fn start(self) -> Result<MemoryEtcd, Error> {
        self.check()?;
        let mut ports = Vec::with_capacity(self.members);
        for member in 0..self.members {
            let address = self.address(member)?;
            let listening = Port::reserve(address).and_then(|port| Ok((port.listen()?, port)));
            ports.push(
                listening.map_err(|error| Error::listen(format!("cannot listen on {address}"), error))?,
            );
        }
        let endpoints: Vec<String> = ports.iter().map(|(_, port)| url(port.address())).collect();
        let cluster = self.cluster(endpoints, Driver::Task(Notify::new()));
        let mut tasks = JoinSet::new();
        let uploads = Uploads::new();
        let mut listening = Vec::with_capacity(ports.len());
        for (member, (socket, port)) in ports.into_iter().enumerate() {
            let (sender, receiver) = watch::channel(Some(0));
            let engine = Arc::clone(cluster.engine());
            // Every port has a member, and every member a gate.
            let Some(gate) = engine.gate(member) else { continue };
            tasks.spawn(Listener::new(engine, member, port, gate, sender, uploads.clone()).run(Some(socket)));
            listening.push(receiver);
        }
        let engine = Arc::clone(cluster.engine());
        tasks.spawn(async move { engine.run().await });
        Ok(MemoryEtcd::new(cluster, tasks, listening))
    }

    /// Makes the cluster without ports; it is reached by its services only. Needs no runtime.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](super::ErrorKind::Config) for a number of members out of range.
    pub fn in_process(self) -> Result<InProcess, Error> {
        self.check()?;
        let endpoints = (1..=self.members).map(|number| format!("http://m{number}.memory:2379")).collect();
        Ok(self.cluster(endpoints, Driver::Bodies))
    }

    fn cluster(self, endpoints: Vec<String>, driver: Driver) -> InProcess {
        let date = self.date.unwrap_or_else(SystemTime::now);
        let mut store = Store::builder()
            .members(self.members)
            .profile(self.profile)
            .quirks(self.quirks)
            .started_at(date)
            .build();
        for (member, endpoint) in endpoints.iter().enumerate() {
            // Every endpoint has a member.
            let _ = store.set_client_urls(member, vec![endpoint.clone()]);
        }
        let state = State::new(store, self.plan, Clock::new(date));
        let engine = Engine::new(state, self.members, driver);
        InProcess::new(Arc::new(engine), self.profile, endpoints)
    }

    fn address(&self, member: usize) -> Result<SocketAddr, Error> {
        let mut address = self.listen;
        if address.port() != 0 {
            let offset = u16::try_from(member).ok();
            let port = offset.and_then(|offset| address.port().checked_add(offset));
            address.set_port(port.ok_or_else(|| Error::config("the ports after the first do not suffice"))?);
        }
        Ok(address)
    }

    fn check(&self) -> Result<(), Error> {
        match self.members {
            1..=MAX_MEMBERS => Ok(()),
            members => Err(Error::config(format!("a cluster has 1 to {MAX_MEMBERS} members, not {members}"))),
        }
    }
}

/// The URL that a client of this host can use.
fn url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        match address {
            SocketAddr::V4(_) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            SocketAddr::V6(_) => address.set_ip(std::net::Ipv6Addr::LOCALHOST.into()),
        }
    }
    format!("http://{address}")
}

const MAX_MEMBERS: usize = 100;
