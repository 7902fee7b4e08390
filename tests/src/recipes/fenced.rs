//! All that was written to a fenced key.

use std::sync::{Arc, Mutex, PoisonError};

use etcd_client::v2::Client;
use etcd_lock::Fenced;
use futures_util::StreamExt as _;
use tokio::task::AbortHandle;

/// Somebody who watches a fenced key, and keeps the token of each write that etcd has taken.
///
/// By the client alone: what the key takes is what is in question.
#[derive(Debug)]
pub(super) struct FencedWrites {
    seen: Arc<Mutex<Seen>>,
    task: AbortHandle,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    tokens: Vec<u64>,
    problems: Vec<String>,
}

impl FencedWrites {
    /// All writes from the first on.
    pub(super) fn watch(client: &Client, key: &str) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let (noted, mut events) = (Arc::clone(&seen), client.watch(key).from(1).start());
        let task = tokio::spawn(async move {
            while let Some(item) = events.next().await {
                let told = item.map_err(|error| error.to_string()).and_then(|item| {
                    let event = item.event().ok_or("writes were missed")?;
                    let fenced = Fenced::parse(event.node.text()).map_err(|error| error.to_string())?;
                    Ok(fenced.token.index())
                });
                let mut seen = noted.lock().unwrap_or_else(PoisonError::into_inner);
                match told {
                    Ok(token) => seen.tokens.push(token),
                    Err(problem) => seen.problems.push(format!("the fenced key: {problem}")),
                }
            }
        });
        Self { seen, task: task.abort_handle() }
    }

    /// The tokens, in the order of the writes.
    pub(super) fn tokens(&self) -> Vec<u64> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).tokens.clone()
    }

    /// What was wrong: an older token behind a newer one, or writes that were not seen.
    pub(super) fn problems(&self) -> Vec<String> {
        let Seen { tokens, mut problems } = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let older = tokens.windows(2).filter(|pair| pair[1] < pair[0]);
        problems.extend(older.map(|pair| format!("the fenced key took {} behind {}", pair[1], pair[0])));
        if tokens.is_empty() {
            problems.push("nothing was written to the fenced key".to_owned());
        }
        problems
    }
}

impl Drop for FencedWrites {
    fn drop(&mut self) {
        self.task.abort();
    }
}
