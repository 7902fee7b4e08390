//! Waiting for a key to go.

use std::time::Duration;

use etcd_client::v2::{Client, Key};
use futures_util::StreamExt as _;
use tokio::time::{sleep, timeout};

use crate::Result;

/// Waits until a read by quorum shows that the key is gone, or that it may be. What comes of it the next creation
/// decides.
///
/// # Cancel safety
/// May be dropped at any time.
pub(super) async fn until_gone(client: &Client, key: &Key) -> Result<()> {
    let mut failures = 0;
    loop {
        let read = client.get(key).quorum(true).timeout(READ_LIMIT).await;
        match read {
            Ok(read) if read.node.dir => return Err(super::holder::directory(key)),
            Ok(read) => {
                failures = 0;
                let poll = client.poll(key).after(read.header.etcd_index).timeout(READ_LIMIT);
                // A member that is cut off from the others says nothing: the key is read anew after a while.
                let event = timeout(SILENCE, async { poll.await.ok()?.events.next().await?.ok() });
                match event.await {
                    Ok(Some(event)) if event.action.is_removal() => return Ok(()),
                    // A change of what is there, or silence.
                    Ok(Some(_)) | Err(_) => {}
                    // The poll has failed, or was ended.
                    Ok(None) => failures = 1,
                }
            }
            Err(error) if error.is_key_not_found() => return Ok(()),
            Err(error) if failures >= MOST_FAILURES || !may_pass(&error) => return Err(error.into()),
            Err(_) => failures += 1,
        }
        if failures > 0 {
            sleep(PAUSE * failures).await;
        }
    }
}

/// Whether the next read may go well.
fn may_pass(error: &etcd_client::Error) -> bool {
    // Something between that answers in place of etcd comes and goes.
    error.is_retryable() || error.is_status() || error.is_not_etcd() || error.is_unreadable()
}

const READ_LIMIT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(30);
/// With it failures are waited out for a minute at least.
const MOST_FAILURES: u32 = 12;
const PAUSE: Duration = Duration::from_secs(1);
