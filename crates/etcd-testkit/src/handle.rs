//! What every kind of test server can say about itself.

use std::fmt::Debug;

use crate::Version;

/// A running etcd, whatever stands behind it.
///
/// Tests that only talk to a server take `&dyn Etcd`, so that the same test runs on a
/// real server and on one in memory. The server lives as long as the handle does.
pub trait Etcd: Debug + Send + Sync {
    /// What to call this server in a test's output: kind, version, number of members.
    fn name(&self) -> &str;

    /// The URL of each member for clients, such as `http://127.0.0.1:34567`, in the order of the members.
    ///
    /// A member that is down is listed too.
    fn endpoints(&self) -> Vec<String>;

    /// The version whose behaviour a client will see.
    fn version(&self) -> Version;
}
