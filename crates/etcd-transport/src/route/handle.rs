//! The list of servers as its owner sees it: to be looked at and replaced at run time.

use std::net::IpAddr;
use std::sync::Arc;

use super::cluster::Cluster;
use super::source::{DropReason, Dropped, EndpointSource, SyncReport};
use crate::{Endpoint, Endpoints, Error, ErrorKind};

/// The list of servers of a router, and how to replace it. Cloning costs a reference count.
///
/// From [`RouteLayer::handle`](crate::RouteLayer::handle), for a stack of one's own; a built
/// [`Transport`](crate::Transport) has the same methods.
///
/// ```
/// use etcd_transport::{Endpoints, RouteLayer};
///
/// let route = RouteLayer::new(Endpoints::parse("a, b")?);
/// let servers = route.handle();
/// servers.set_endpoints(&Endpoints::parse("b, c")?)?;
/// assert_eq!(servers.endpoints().first().host(), "b");
/// # Ok::<(), etcd_transport::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RouteHandle {
    cluster: Arc<Cluster>,
    /// Whether requests carry a password that must not go over a network unencrypted.
    secret: bool,
}

impl RouteHandle {
    pub(super) fn new(cluster: &Arc<Cluster>) -> Self {
        Self { cluster: Arc::clone(cluster), secret: false }
    }

    /// Says that requests carry a password that must not go over a network unencrypted.
    pub(crate) fn guarding_password(mut self, secret: bool) -> Self {
        self.secret = secret;
        self
    }

    /// The servers as of now.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints {
        self.cluster.roster().endpoints().clone()
    }

    /// Replaces the list; calls that begin from now on see the new one.
    ///
    /// Servers that stay keep their connections, their services with what endpoint layers know, and their
    /// health. Calls in flight end where they are. A call pinned to a server that is gone is an error of kind
    /// `InvalidEndpoint`. Servers that an earlier [`sync`](Self::sync) had added are gone too.
    ///
    /// # Errors
    ///
    /// And then nothing has changed: `InsecureEndpoint` for a server without TLS where all have it now,
    /// `InsecureAuth` for one that would get the password unencrypted.
    pub fn set_endpoints(&self, endpoints: &Endpoints) -> Result<(), Error> {
        self.cluster.change(|list| {
            let secure = list.now.iter().all(is_secure);
            for endpoint in endpoints {
                if let Some(refusal) = self.refusal(endpoint, secure) {
                    return Err(Error::new(refusal.kind()).at(Some(endpoint.clone())));
                }
            }
            list.configured = endpoints.clone();
            list.now = endpoints.clone();
            Ok(())
        })
    }

    /// Asks for the members of the cluster and takes them into the list, beside the servers that were
    /// configured (by the builder or by [`set_endpoints`](Self::set_endpoints)), which always stay.
    ///
    /// Members of an earlier sync that are none any more leave the list. What cannot be used is dropped and
    /// told in the report, see [`DropReason`]; where nothing is left the list stays as it is. With more than
    /// 64 servers the rest is dropped. Who leads is taken down too.
    ///
    /// It happens when it is called, and never by itself: behind a proxy or in containers the addresses that
    /// members tell are often of no use.
    ///
    /// # Errors
    ///
    /// The source's: its own if it is one of this crate, else of kind `Layer`. The list stays as it is.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the question; the list changes at the very end or not at all.
    pub async fn sync(&self, source: &dyn EndpointSource) -> Result<SyncReport, Error> {
        let members = source.members().await.map_err(Error::of_readiness)?;
        let leader = source.leader().await.ok();
        let mut report = SyncReport::default();
        self.cluster.change(|list| {
            let secure = list.configured.iter().all(is_secure);
            let local = list.configured.iter().any(Endpoint::is_loopback);
            let mut merged: Vec<Endpoint> = list.configured.iter().cloned().collect();
            let mut usable = false;
            for url in &members {
                let endpoint = match Endpoint::parse(url.trim(), Endpoints::DEFAULT_PORT) {
                    Ok(endpoint) => endpoint,
                    Err(error) => {
                        report.drop(&error, DropReason::Invalid);
                        continue;
                    }
                };
                let known = merged.contains(&endpoint);
                let encrypted = (!secure && is_secure(&endpoint)).then_some(DropReason::Encrypted);
                let reason = match unusable(&endpoint, local)
                    .or(encrypted)
                    .or_else(|| self.refusal(&endpoint, secure).map(Refusal::reason))
                {
                    None if !known && merged.len() >= MOST => Some(DropReason::TooMany),
                    reason => reason.filter(|_| !known),
                };
                match reason {
                    Some(reason) => report.drop(&endpoint, reason),
                    None => {
                        usable = true;
                        if !known {
                            merged.push(endpoint);
                        }
                    }
                }
            }
            let Ok(merged) = Endpoints::of(merged) else { return };
            if usable {
                report.added = merged.iter().filter(|new| !list.now.contains(new)).cloned().collect();
                report.removed = list.now.iter().filter(|old| !merged.contains(old)).cloned().collect();
                list.now = merged;
            }
        });
        if let Some(urls) = leader {
            let roster = self.cluster.roster();
            let known =
                |url: &String| url.parse::<Endpoint>().ok().filter(|it| roster.endpoints().contains(it));
            report.leader = urls.iter().find_map(known);
            self.cluster.lead(report.leader.as_ref());
        }
        Ok(report)
    }

    /// Forgets all failures: endpoints that are ejected are as good as any. For a caller who knows that the
    /// network is back.
    pub fn reset_health(&self) {
        for member in self.cluster.roster().members() {
            member.reset();
        }
    }

    /// Why a server cannot be one of this client, whoever names it; `secure` is what the list is.
    fn refusal(&self, endpoint: &Endpoint, secure: bool) -> Option<Refusal> {
        if is_secure(endpoint) {
            None
        } else if secure {
            Some(Refusal::Insecure)
        } else {
            (self.secret && !endpoint.is_loopback()).then_some(Refusal::Exposed)
        }
    }
}

/// What the owner's own words cannot allow either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// Without TLS, while all servers of the list have it.
    Insecure,
    /// The password would go there unencrypted.
    Exposed,
}

impl Refusal {
    fn kind(self) -> ErrorKind {
        match self {
            Self::Insecure => ErrorKind::InsecureEndpoint,
            Self::Exposed => ErrorKind::InsecureAuth,
        }
    }

    fn reason(self) -> DropReason {
        match self {
            Self::Insecure => DropReason::Insecure,
            Self::Exposed => DropReason::Exposed,
        }
    }
}

impl SyncReport {
    fn drop(&mut self, server: &impl ToString, reason: DropReason) {
        self.dropped.push(Dropped { server: server.to_string().into(), reason });
    }
}

/// Why an address that a member tells is of no use here.
fn unusable(endpoint: &Endpoint, local: bool) -> Option<DropReason> {
    let host = endpoint.host().trim_start_matches('[').trim_end_matches(']');
    if host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified()) {
        Some(DropReason::Unspecified)
    } else if endpoint.is_loopback() && !local {
        Some(DropReason::Loopback)
    } else {
        None
    }
}

/// Whether requests go there encrypted.
fn is_secure(endpoint: &Endpoint) -> bool {
    endpoint.is_https()
}

/// How many servers a list has at most after a sync; more that were configured stay.
const MOST: usize = 64;

#[cfg(test)]
#[path = "handle_test.rs"]
mod tests;
