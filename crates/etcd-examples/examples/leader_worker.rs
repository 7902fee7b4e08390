//! Work that only the leader does: begun when it leads, dropped where it stands when it leads no more, begun again.
//!
//! Runs against the endpoints in the environment (see `ClientBuilder::from_env`), else against an etcd in memory that ends
//! with it. What it writes lies in a directory of its own, which it deletes.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::Client;
use etcd_leader::{Election, Leadership};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Lives as long as this function.
    let etcd = etcd_examples::cluster().await?;
    let client = etcd.builder().build()?;
    let directory = etcd_examples::fresh_key("leader-worker");
    let ended = run(&client, &directory).await;
    // Also after an error: what was written until then goes away.
    client.delete_dir(directory.as_str()).recursive(true).await?;
    ended
}

async fn run(client: &Client, directory: &str) -> Result<(), Box<dyn Error>> {
    // The shortest ttl there is, so that the example is short: a program takes 10 to 60 s.
    let election = Election::new(client, "report").prefix(directory).ttl(Duration::from_secs(5));
    let by_hand = depose_once(election.clone());
    let mut round = 0;
    let work = |leadership: Arc<Leadership>| {
        round += 1;
        work(leadership, round)
    };
    let (pages, deposed) = tokio::join!(election.lead("worker-1", work), by_hand);
    deposed?;
    println!("done: {} pages", pages?);
    Ok(())
}

/// What only the leader may do. A loss drops it at the `await` where it is.
async fn work(leadership: Arc<Leadership>, round: u32) -> u32 {
    let _stopped = Stopped(round);
    println!("round {round}: leading by token {}", leadership.token());
    for page in 1..=6 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        // Whoever takes the page refuses one with a smaller fence than it has seen: a leader that was stopped here for
        // long does no harm either.
        println!("round {round}: page {page}, fence {}", leadership.token().index());
    }
    6
}

/// Says when the work is gone, finished or not.
struct Stopped(u32);

impl Drop for Stopped {
    fn drop(&mut self) {
        println!("round {}: stopped", self.0);
    }
}

/// Somebody removes the leader by hand; it hears of that at its next renewal.
async fn depose_once(election: Election) -> etcd_leader::Result<()> {
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    println!("somebody removes worker-1");
    election.remove("worker-1").await
}
