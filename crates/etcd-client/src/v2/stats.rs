//! Statistics.

use etcd_proto::v2::stats;

use super::{Call, Client};

/// The statistics calls of a client, see [`Client::stats`].
#[derive(Clone, Debug)]
pub struct Stats(Client);

impl Client {
    /// Statistics; each counts for the answering member only.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats(self.clone())
    }
}

impl Stats {
    /// Asks how many keys calls of each sort the answering member has seen.
    ///
    /// # Errors
    /// As for every call.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn store(&self) -> Call<stats::GetStoreStats> {
        Call::new(&self.0, stats::GetStoreStats::new())
    }

    /// Asks the answering member about itself.
    ///
    /// # Errors
    /// As for every call.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    #[doc(alias = "self")]
    pub fn this_member(&self) -> Call<stats::GetMemberStats> {
        Call::new(&self.0, stats::GetMemberStats::new())
    }

    /// Asks the leader about its followers. A member that is not the leader refuses, and the next one is asked.
    ///
    /// # Errors
    /// [`ErrorKind::NotLeader`](crate::ErrorKind::NotLeader) if no member that was asked is the leader.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn leader(&self) -> Call<stats::GetLeaderStats> {
        Call::new(&self.0, stats::GetLeaderStats::new())
    }
}
