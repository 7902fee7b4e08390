//! The list of servers of a client, and the members of the cluster as its source.

use etcd_transport::{EndpointSource, Endpoints, SourceFuture, SyncReport, Transport};

use super::{Client, EndpointList};
use crate::{Error, ErrorKind, Result};

impl Client {
    /// The servers as of now; `None` where the client was made of a service other than a built
    /// [`Transport`].
    #[must_use]
    pub fn endpoints(&self) -> Option<Endpoints> {
        self.transport()?.endpoints()
    }

    /// Replaces the list of servers, for all clones and namespaces of this client; calls that begin from now on
    /// see the new one.
    ///
    /// Servers that stay keep their connections and what is known of their health. Servers that an earlier
    /// [`sync`](Self::sync) had added are gone.
    ///
    /// ```
    /// use etcd_client::v2::Client;
    ///
    /// let client = Client::connect("10.0.0.1, 10.0.0.2")?;
    /// client.set_endpoints(["10.0.0.2", "10.0.0.3"])?; // connections to 10.0.0.2 stay
    /// # Ok::<(), etcd_client::Error>(())
    /// ```
    ///
    /// # Errors
    /// And then nothing has changed: [`ErrorKind::InvalidConfig`] for an empty list, an item that is no endpoint,
    /// one in plain text where all are `https` now, and where the client was made of a service other than a
    /// built [`Transport`]; [`ErrorKind::InsecureAuth`] for one that would get the password unencrypted.
    pub fn set_endpoints(&self, endpoints: impl EndpointList) -> Result<()> {
        let endpoints = Endpoints::parse(&endpoints.into_list())?;
        Ok(self.servers()?.set_endpoints(&endpoints)?)
    }

    /// Takes the members of the cluster into the list of servers, for all clones and namespaces of this client,
    /// beside those that were configured, which always stay.
    ///
    /// It happens when it is called, and never by itself: behind a proxy or in containers the addresses that
    /// members advertise are often of no use. What cannot be used is left out and told in the report: `http`
    /// where all servers are `https`, an address of the member's own machine, more than 64 servers. Members of an
    /// earlier sync that are none any more leave the list; where nothing is left it stays as it is. Who leads is
    /// taken down too: calls that only the leader answers begin there.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), etcd_client::Error> {
    /// use etcd_client::v2::Client;
    ///
    /// let client = Client::connect("10.0.0.1")?;
    /// for server in client.sync().await?.added() {
    ///     println!("also asking {server}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Members::list`](super::Members::list), and then nothing has changed; that the leader is not known is
    /// no error. [`ErrorKind::InvalidConfig`] where the client was made of a service other than a built
    /// [`Transport`].
    ///
    /// # Cancel safety
    /// May be dropped at any time: the list changes at the very end or not at all.
    pub async fn sync(&self) -> Result<SyncReport> {
        self.servers()?.sync(self).await.map_err(Error::from_sync)
    }

    /// Forgets which servers have failed: those that were left out are as good as any. For a caller who knows
    /// that the network is back. Without effect where the client was made of a service other than a built
    /// [`Transport`].
    pub fn reset_health(&self) {
        if let Some(transport) = self.transport() {
            transport.reset_health();
        }
    }

    /// The id of the cluster, once an answer has told it; `None` also where the client was made of a service
    /// other than a built [`Transport`].
    #[must_use]
    pub fn cluster_id(&self) -> Option<String> {
        self.transport()?.cluster_id()
    }

    /// Forgets which cluster this is and which index was seen, for all clones and namespaces: after the cluster
    /// was replaced or restored, on purpose. The next answer with an id says which cluster it is; an
    /// [expected id](super::ClientBuilder::expected_cluster_id) stays. Without effect where the client was made of
    /// a service other than a built [`Transport`].
    pub fn forget_cluster_id(&self) {
        if let Some(transport) = self.transport() {
            transport.forget_cluster_id();
        }
    }

    fn servers(&self) -> Result<&Transport> {
        self.transport().ok_or_else(|| {
            Error::new(ErrorKind::InvalidConfig)
                .with_source("client was made of a service and has no list of servers")
        })
    }
}

/// The members as they are asked through this client; for [`Client::sync`], or for a [`Transport`] of one's own.
impl EndpointSource for Client {
    fn members(&self) -> SourceFuture<'_, Vec<String>> {
        Box::pin(async {
            let members = Self::members(self).list().await?;
            Ok(members.into_iter().flat_map(|member| member.client_urls).collect())
        })
    }

    fn leader(&self) -> SourceFuture<'_, Vec<String>> {
        Box::pin(async {
            // A hint only: it is not worth the time of repeats while the cluster elects.
            Ok(Self::members(self).leader().retry(false).await?.client_urls)
        })
    }
}
