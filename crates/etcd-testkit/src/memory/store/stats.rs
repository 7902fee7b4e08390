//! How many keys calls of each sort a member has seen: `/v2/stats/store`.
//!
//! The counters are each member's own. A write counts at every member that applies it, a local read at the one that
//! was asked. etcd reads and writes users and members through the same store, so these count as well.

use serde::Serialize;

/// The sort of a call, as etcd counts and names them. A key created in order counts as a create; a watch counts
/// among none, but shows as a waiting watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    Get,
    Set,
    Delete,
    Update,
    Create,
    CompareAndSwap,
    CompareAndDelete,
}

/// etcd's counters in etcd's order.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counters {
    gets_success: u64,
    gets_fail: u64,
    sets_success: u64,
    sets_fail: u64,
    delete_success: u64,
    delete_fail: u64,
    update_success: u64,
    update_fail: u64,
    create_success: u64,
    create_fail: u64,
    compare_and_swap_success: u64,
    compare_and_swap_fail: u64,
    compare_and_delete_success: u64,
    compare_and_delete_fail: u64,
    expire_count: u64,
    watchers: u64,
}

impl Counters {
    /// What a server has counted when a cluster of so many members has just started: writes of its own.
    pub(crate) fn at_start(members: usize) -> Self {
        let members = u64::try_from(members).unwrap_or(u64::MAX);
        Self { sets_success: members.saturating_add(1), create_success: members, ..Self::default() }
    }

    /// Counts a call.
    pub(crate) fn count(&mut self, call: Counted, success: bool) {
        let (succeeded, failed) = match call {
            Counted::Get => (&mut self.gets_success, &mut self.gets_fail),
            Counted::Set => (&mut self.sets_success, &mut self.sets_fail),
            Counted::Delete => (&mut self.delete_success, &mut self.delete_fail),
            Counted::Update => (&mut self.update_success, &mut self.update_fail),
            Counted::Create => (&mut self.create_success, &mut self.create_fail),
            Counted::CompareAndSwap => (&mut self.compare_and_swap_success, &mut self.compare_and_swap_fail),
            Counted::CompareAndDelete => {
                (&mut self.compare_and_delete_success, &mut self.compare_and_delete_fail)
            }
        };
        let counter = if success { succeeded } else { failed };
        *counter = counter.saturating_add(1);
    }

    /// Counts expired keys.
    pub(crate) fn count_expired(&mut self, keys: u64) {
        self.expire_count = self.expire_count.saturating_add(keys);
    }

    /// The counters with the number of waiting watchers.
    pub(crate) fn with_watchers(&self, watchers: u64) -> Self {
        Self { watchers, ..self.clone() }
    }
}
