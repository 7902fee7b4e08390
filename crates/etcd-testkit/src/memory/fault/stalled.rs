//! What becomes of writes that find no leader.

/// What becomes of writes that find no leader or no majority, keys, members and users alike. The client is told
/// the same in each case, after 7 s: status 500, for keys with error 300. It waits that long even if there is a
/// leader again meanwhile, as with etcd, which never proposes a request twice.
///
/// A real cluster does either: a write that some member has put into its log before the leader was gone lands once
/// there is a majority; one that came while no leader was known is lost. Reads by consensus are lost always.
///
/// # Examples
/// `PUT` lands later and the others are lost:
/// ```
/// use std::time::Duration;
///
/// use etcd_testkit::memory::{Change, Fault, MemoryEtcd, Rule, StalledWrites};
/// use http::Method;
///
/// let etcd = MemoryEtcd::builder().members(3).in_process()?;
/// let fate = |fate| Fault::Change(Change::StalledWrites(fate));
/// etcd.faults().add(Rule::new(fate(StalledWrites::LandLater)).method(Method::PUT));
/// etcd.faults().add(Rule::new(fate(StalledWrites::Lost)));
/// etcd.faults().apply(Change::NoLeader(Duration::from_secs(10)))?;
/// # Ok::<(), etcd_testkit::memory::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StalledWrites {
    /// They are never carried out.
    #[default]
    Lost,
    /// They are carried out, in their order, when their member reaches a leader again; whether or not that member
    /// lives then, and whether or not the client still waits. A time to live counts from when the write came.
    ///
    /// Those that wait are bounded with those of [`Fault::ApplyLater`](super::Fault::ApplyLater); what finds no
    /// room is lost.
    LandLater,
}
