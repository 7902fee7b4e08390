//! What goes on behind a command that has ended.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

/// Waits until nothing does: locks, votes and places in a queue that were given up are deleted by tasks, which end by
/// themselves 14 s later at the latest.
///
/// All clients have to be dropped before: their connections are tasks, too, and end with them.
pub(crate) async fn ended() {
    let metrics = Handle::current().metrics();
    let none = async {
        while metrics.num_alive_tasks() > 0 {
            sleep(TICK).await;
        }
    };
    // Behind it the ttl ends what is left.
    let _elapsed = timeout(PATIENCE, none).await;
}

/// The time that those tasks take at most, and one second.
const PATIENCE: Duration = Duration::from_secs(15);
const TICK: Duration = Duration::from_millis(2);
