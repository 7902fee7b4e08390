//! Somebody who looks at a queue and takes no part in it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use etcd_client::v2::Client;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::beliefs::Listed;
use super::said::boottime;
use crate::{PATIENCE, canary};

/// Somebody who lists a queue by quorum, again and again, and keeps what was seen.
///
/// By the client alone: what the recipe makes of a list is what is in question.
#[derive(Debug)]
pub struct Onlooker {
    seen: Arc<Mutex<Vec<Listed>>>,
    task: AbortHandle,
}

impl Onlooker {
    /// Looks from now on, until this handle is dropped.
    ///
    /// # Panics
    /// If the endpoints are none.
    pub fn watch(endpoints: Vec<String>, dir: &str) -> Self {
        let seen = Arc::<Mutex<Vec<Listed>>>::default();
        let (client, dir, noted) = (client(endpoints), dir.to_owned(), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            loop {
                if let Some(listed) = list(&client, &dir, LOOK).await {
                    noted.lock().unwrap_or_else(PoisonError::into_inner).push(listed);
                }
                sleep(BETWEEN_LOOKS).await;
            }
        });
        Self { seen, task: task.abort_handle() }
    }

    /// All that was seen.
    pub fn seen(&self) -> Vec<Listed> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The tokens in a queue.
///
/// # Panics
/// If it cannot be read for a minute.
pub(super) async fn tokens(endpoints: Vec<String>, dir: &str) -> BTreeSet<u64> {
    let client = client(endpoints);
    crate::eventually("a list of the queue", async || list(&client, dir, LOOK).await).await.tokens
}

/// Waits until a queue lacks this token, or is not there: when that was seen.
///
/// # Panics
/// After a minute.
pub(super) async fn gone(endpoints: Vec<String>, dir: &str, token: u64) -> Duration {
    let client = client(endpoints);
    crate::eventually("the end of a key", async || {
        let listed = list(&client, dir, LOOK).await?;
        (!listed.tokens.contains(&token)).then_some(listed.answered)
    })
    .await
}

async fn list(client: &Client, dir: &str, limit: Duration) -> Option<Listed> {
    let asked = boottime();
    let tokens = match client.get(dir).recursive(true).quorum(true).timeout(limit).await {
        Ok(answer) => answer.node.nodes.iter().map(|node| node.created_index.get()).collect(),
        Err(error) if error.is_key_not_found() => BTreeSet::new(),
        Err(_) => return None,
    };
    Some(Listed { asked, answered: boottime(), tokens })
}

fn client(endpoints: Vec<String>) -> Client {
    canary::builder().endpoints(endpoints).build().expect("a test server has endpoints")
}

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// Where a leader was killed what is asked in the first two seconds is answered after seven.
const LOOK: Duration = Duration::from_millis(1500);
const _: () = assert!(LOOK.as_secs() < PATIENCE.as_secs());
