//! Where a list of servers comes from at run time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use etcd_proto::BoxError;

use crate::Endpoint;

/// The answer of an [`EndpointSource`], boxed.
pub type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// Knows the members of a cluster, for [`Transport::sync`](crate::Transport::sync).
///
/// The client asks the cluster itself; anything else may stand behind it, such as a registry of services. It
/// is asked by the caller of `sync`, in the caller's task: nothing is spawned.
///
/// ```
/// use etcd_transport::{EndpointSource, SourceFuture};
///
/// /// Two servers, and nobody knows who leads.
/// struct Fixed;
///
/// impl EndpointSource for Fixed {
///     fn members(&self) -> SourceFuture<'_, Vec<String>> {
///         Box::pin(async { Ok(vec!["http://10.0.0.7:2379".into(), "http://10.0.0.8:2379".into()]) })
///     }
///
///     fn leader(&self) -> SourceFuture<'_, Vec<String>> {
///         Box::pin(async { Ok(Vec::new()) })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), etcd_transport::Error> {
/// let transport = etcd_transport::Transport::builder("10.0.0.7".parse()?).build()?;
/// let report = transport.sync(&Fixed).await?;
/// assert_eq!(report.added()[0].host(), "10.0.0.8");
/// # Ok(())
/// # }
/// ```
pub trait EndpointSource: Send + Sync {
    /// The URLs at which the members say that they serve clients, as they say it.
    ///
    /// An empty list, or one with nothing that can be used, changes nothing.
    fn members(&self) -> SourceFuture<'_, Vec<String>>;

    /// The URLs of the leader; empty where there is none. A failure leaves what was known.
    fn leader(&self) -> SourceFuture<'_, Vec<String>>;
}

/// What [`Transport::sync`](crate::Transport::sync) has changed.
#[derive(Clone, Debug, Default)]
pub struct SyncReport {
    pub(super) added: Vec<Endpoint>,
    pub(super) removed: Vec<Endpoint>,
    pub(super) dropped: Vec<Dropped>,
    pub(super) leader: Option<Endpoint>,
}

impl SyncReport {
    /// Servers that were not in the list before.
    #[must_use]
    pub fn added(&self) -> &[Endpoint] {
        &self.added
    }

    /// Servers that an earlier sync had added and that are no members any more.
    #[must_use]
    pub fn removed(&self) -> &[Endpoint] {
        &self.removed
    }

    /// What the members said that cannot be used, with the reasons.
    #[must_use]
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// The leader, if the source knows it and it is in the list.
    #[must_use]
    pub fn leader(&self) -> Option<&Endpoint> {
        self.leader.as_ref()
    }
}

/// An address that was not taken from an [`EndpointSource`].
#[derive(Clone, Debug)]
pub struct Dropped {
    pub(super) server: Box<str>,
    pub(super) reason: DropReason,
}

impl Dropped {
    /// The server, or what is wrong with the text that should be one; never user information in it.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> DropReason {
        self.reason
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.server, self.reason)
    }
}

/// Why an address was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// It is no server.
    Invalid,
    /// `0.0.0.0` or `::`: what a member listens on, and nothing to connect to.
    Unspecified,
    /// An address of the member's own machine, while no server of the list is on this machine.
    Loopback,
    /// Without TLS, while all servers of the list have it.
    Insecure,
    /// With TLS, while the servers of the list have none: a list is of one sort.
    Encrypted,
    /// The password would go there unencrypted.
    Exposed,
    /// The list is full: 64 servers.
    TooMany,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "no server",
            Self::Unspecified => "nothing to connect to",
            Self::Loopback => "an address of the member's own machine",
            Self::Insecure => "without TLS",
            Self::Encrypted => "with TLS, which the list is without",
            Self::Exposed => "would get the password unencrypted",
            Self::TooMany => "the list is full",
        })
    }
}
