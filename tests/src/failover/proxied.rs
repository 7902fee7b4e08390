//! A proxy in front of each member of a real cluster.

use etcd_client::RetryConfig;
use etcd_client::v2::{Client, ClientBuilder};
use etcd_testkit::Etcd as _;
use etcd_testkit::proxy::{ConnectionRule, LogEntry, Proxy, Rule};
use etcd_testkit::real::Server;
use http::Method;

use super::refusing::leader_of;

/// A proxy in front of each member of a cluster, so that what was sent can be counted.
#[derive(Debug)]
pub struct Proxied {
    proxies: Vec<Proxy>,
    direct: Vec<String>,
}

impl Proxied {
    /// In front of all members, in their order.
    ///
    /// # Panics
    /// If a port is not to be had.
    pub async fn all(server: &Server) -> Self {
        Self::in_front_of(server.endpoints()).await
    }

    /// In front of all members, the leader first, with its place.
    ///
    /// # Panics
    /// If a port is not to be had, or the members agree on no leader.
    pub async fn leader_first(server: &Server) -> (Self, usize) {
        let leader = leader_of(server).await;
        let mut endpoints = server.endpoints();
        endpoints.swap(0, leader);
        (Self::in_front_of(endpoints).await, leader)
    }

    async fn in_front_of(direct: Vec<String>) -> Self {
        let mut proxies = Vec::new();
        for endpoint in &direct {
            proxies.push(Proxy::builder(endpoint).start().await.expect("a port of this machine"));
        }
        Self { proxies, direct }
    }

    /// A client of all proxies, to be set up further; it begins with the first.
    pub fn client(&self) -> ClientBuilder {
        Client::builder().endpoints(self.proxies.iter().map(Proxy::endpoint).collect::<Vec<_>>())
    }

    /// As [`client`](Self::client), but it begins with the proxy of this number, counted round, and sends nothing twice
    /// because an answer takes its time: for counting on a busy machine.
    pub fn client_from(&self, first: usize) -> ClientBuilder {
        let mut endpoints: Vec<_> = self.proxies.iter().map(Proxy::endpoint).collect();
        let count = endpoints.len();
        endpoints.rotate_left(first % count);
        Client::builder().endpoints(endpoints).retry(RetryConfig::new().reissue(false)).connect_race(None)
    }

    /// A client of the members themselves, which nothing goes wrong for.
    ///
    /// # Panics
    /// Never: the members have endpoints.
    pub fn direct(&self) -> Client {
        Client::builder().endpoints(self.direct.clone()).build().expect("the members have endpoints")
    }

    /// Has each proxy follow this rule, with a count of its own.
    pub fn add(&self, rule: &Rule) {
        self.proxies.iter().for_each(|proxy| proxy.faults().add(rule.clone()));
    }

    /// Has the proxy that a new client begins with follow this rule.
    ///
    /// # Panics
    /// Never: a cluster has members.
    pub fn add_to_first(&self, rule: Rule) {
        self.proxies.first().expect("a cluster has members").faults().add(rule);
    }

    /// Has each proxy follow this rule for the connections that it takes from now on.
    pub fn add_connection(&self, rule: &ConnectionRule) {
        self.proxies.iter().for_each(|proxy| proxy.faults().add_connection(rule.clone()));
    }

    /// Has the proxy that a new client begins with refuse connections.
    ///
    /// # Panics
    /// Never: a cluster has members.
    pub async fn refuse_at_first(&self) {
        self.proxies.first().expect("a cluster has members").refuse().await;
    }

    /// Nothing goes wrong from now on.
    pub fn clear(&self) {
        self.proxies.iter().for_each(|proxy| proxy.faults().clear());
    }

    /// How many requests with this method and just this path were handed to members.
    pub fn forwarded(&self, method: &Method, path: &str) -> usize {
        self.proxies.iter().map(|proxy| proxy.log().forwarded(method, path)).sum()
    }

    /// How many requests with this method and just this path clients have sent.
    pub fn attempts(&self, method: &Method, path: &str) -> usize {
        self.proxies.iter().map(|proxy| proxy.log().attempts(method, path)).sum()
    }

    /// All requests that the proxies have seen and not forgotten, proxy by proxy.
    pub fn entries(&self) -> Vec<LogEntry> {
        self.proxies.iter().flat_map(|proxy| proxy.log().entries()).collect()
    }

    /// Forgets what was seen.
    pub fn forget(&self) {
        self.proxies.iter().for_each(|proxy| proxy.log().clear());
    }

    /// How many connections were taken.
    pub fn connections(&self) -> u64 {
        self.proxies.iter().map(Proxy::connections).sum()
    }
}
