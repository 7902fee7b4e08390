//! Waiting for what etcd itself needs time for.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long a test waits before it fails: far longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer.
///
/// # Panics
/// After [`PATIENCE`] without one, naming `what` was waited for.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what} did not happen within {PATIENCE:?}");
        sleep(PAUSE).await;
    }
}

const PAUSE: Duration = Duration::from_millis(50);
