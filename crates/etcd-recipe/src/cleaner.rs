//! Keys that may be left behind: of a creation that nobody waits for any more, or whose copies may land late.

use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::Compare;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use crate::key_calls::KeyCalls;

/// A key that is ours by name and value, to be deleted when nobody wants it any more.
///
/// Dropped while it is armed, it starts one task that reads the key by quorum and deletes what it finds, for twice the
/// 7 s after which a server gives up at most. Outside a runtime it does nothing, and the ttl ends the key.
#[derive(Debug)]
pub(crate) struct Leftover {
    calls: KeyCalls,
    value: Arc<str>,
    /// Whether nobody else writes this value: else a late key cannot be told from another's.
    is_unlike_others: bool,
    state: Armed,
}

/// What may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Armed {
    /// Nothing: no creation was sent, or the key has an owner.
    No,
    /// The key that was created at this index and no other: done once it was seen gone.
    Made(u64),
    /// A copy of the creation may land later: looked for until time is up.
    Late,
}

impl Leftover {
    pub(crate) fn new(calls: KeyCalls, value: &str, is_unlike_others: bool) -> Self {
        Self { calls, value: Arc::from(value), is_unlike_others, state: Armed::No }
    }

    /// A creation is being sent. What cannot be told from another's key is left to its ttl.
    pub(crate) fn expect_late(&mut self) {
        self.state = if self.is_unlike_others { Armed::Late } else { Armed::No };
    }

    /// The creation was answered; `late` says whether another copy of it may be under way.
    pub(crate) fn expect_made(&mut self, created: u64, late: bool) {
        self.state = if late && self.is_unlike_others { Armed::Late } else { Armed::Made(created) };
    }

    /// Somebody else sees to it.
    pub(crate) fn disarm(&mut self) {
        self.state = Armed::No;
    }

    /// Reads and deletes, until nothing can be left or time is up.
    pub(crate) async fn clean(&mut self) {
        let state = std::mem::replace(&mut self.state, Armed::No);
        clean(&self.calls, &self.value, state).await;
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        if self.state == Armed::No {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let (calls, value, state) = (self.calls.clone(), Arc::clone(&self.value), self.state);
        // It ends by itself, see `clean`, and belongs to nobody who could end it.
        drop(runtime.spawn(async move { clean(&calls, &value, state).await }));
    }
}

async fn clean(calls: &KeyCalls, value: &str, state: Armed) {
    let cleaned = async {
        let mut pause = FIRST_PAUSE;
        loop {
            let created = match state {
                Armed::No => return,
                Armed::Made(created) => Some(created),
                Armed::Late => None,
            };
            let gone = look(calls, value, created).await;
            if gone && created.is_some() {
                return;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    // Behind it the ttl ends what is left.
    let _elapsed = timeout(PATIENCE, cleaned).await;
}

/// Deletes the key if it is ours: the one that was created at this index, or any that holds our value. Whether it is
/// known to be gone.
async fn look(calls: &KeyCalls, value: &str, created: Option<u64>) -> bool {
    let get = calls.client.get(&calls.key).quorum(true);
    let node = match get.timeout(calls.limit()).budget_exempt(true).await {
        Ok(read) => read.node,
        Err(error) => return error.is_key_not_found(),
    };
    let is_ours = created.map_or(node.text() == value, |created| node.created_index.get() == created);
    if node.dir || !is_ours {
        return true;
    }
    let delete = calls.client.compare_and_delete(&calls.key, Compare::index(node.modified_index));
    delete.timeout(calls.limit()).resolve(true).budget_exempt(true).await.is_ok()
}

/// Twice the time after which a server gives up on a request.
pub(crate) const PATIENCE: Duration = Duration::from_secs(14);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
