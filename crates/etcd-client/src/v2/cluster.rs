//! Machines, version and health.

use etcd_proto::v2::cluster;

use super::{Call, Client};

impl Client {
    /// Lists the client URLs that the members advertise. They may be wrong or unreachable, and include members
    /// that are down.
    ///
    /// # Errors
    /// As for every call.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn machines(&self) -> Call<cluster::GetMachines> {
        Call::new(self, cluster::GetMachines::new())
    }

    /// Asks the answering member for its version.
    ///
    /// # Errors
    /// As for every call.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn version(&self) -> Call<cluster::GetVersion> {
        Call::new(self, cluster::GetVersion::new())
    }

    /// Asks the answering member whether the cluster is well. A member that says no is no error, but an answer
    /// with `healthy` false.
    ///
    /// # Errors
    /// As for every call.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub fn health(&self) -> Call<cluster::GetHealth> {
        Call::new(self, cluster::GetHealth::new())
    }
}
