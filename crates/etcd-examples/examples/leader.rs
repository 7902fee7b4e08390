//! Two candidates of one election, and somebody who watches who leads; then the old `leader` program's way.
//!
//! Runs against the endpoints in the environment (see `ClientBuilder::from_env`), else against an etcd in memory that ends
//! with it. What it writes lies in a directory of its own, which it deletes.

use std::error::Error;
use std::time::Duration;

use etcd_client::v2::Client;
use etcd_leader::{Election, LeaderChange, Observe, TwoStep};
use futures_util::TryStreamExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Lives as long as this function.
    let etcd = etcd_examples::cluster().await?;
    let client = etcd.builder().build()?;
    let directory = etcd_examples::fresh_key("leader");
    let ended = tour(&client, &directory).await;
    // Also after an error: what was written until then goes away.
    client.delete_dir(directory.as_str()).recursive(true).await?;
    ended
}

async fn tour(client: &Client, directory: &str) -> Result<(), Box<dyn Error>> {
    println!("# A queue of candidates");
    let candidate = || Election::new(client, "my-cluster").prefix(directory).ttl(TTL);
    let mut leaders = candidate().observe()?;
    show(&mut leaders).await?;
    let first = candidate().campaign("leader-1").await?;
    show(&mut leaders).await?;
    let second = tokio::spawn(candidate().campaign("leader-2"));
    first.proclaim("leader-1 at 10.0.0.1:80").await?;
    show(&mut leaders).await?;
    first.resign().await?;
    show(&mut leaders).await?;
    let second = second.await??;
    second.check()?;
    println!(
        "leader-2 may write with fence {}, for {:?} without a renewal",
        second.token(),
        second.remaining()
    );
    second.resign().await?;
    show(&mut leaders).await?;

    println!("\n# By name, as the seeds did");
    let token = candidate().set("leader-1", TTL).await?;
    println!("set leader-1: token {token}");
    println!("set leader-1 again: token {}", candidate().set("leader-1", TTL).await?);
    candidate().remove("leader-1").await?;
    println!("removed leader-1");

    println!("\n# In two steps, the fitter first");
    let key = format!("{directory}/nsr");
    let candidate = |name, fitness| TwoStep::new(client, key.as_str(), name).fitness(fitness);
    let (weak, fit) = (candidate("node-1", 1), candidate("node-2", 42));
    let waiting = tokio::spawn(weak.campaign());
    while weak.vote().await?.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{key} holds {:?}", client.get(key.as_str()).await?.text());
    let leading = fit.campaign().await?;
    println!("{key} holds {:?}", client.get(key.as_str()).await?.text());
    leading.resign().await?;
    let leading = waiting.await??;
    println!("{key} holds {:?}", client.get(key.as_str()).await?.text());
    Ok(leading.resign().await?)
}

/// Prints the next change.
async fn show(leaders: &mut Observe) -> Result<(), Box<dyn Error>> {
    let change = leaders.try_next().await?.ok_or("an observer ends with an error only")?;
    if let LeaderChange::Resynced { cause, .. } = &change {
        println!("changes were lost: {cause}");
    }
    match change.leader() {
        Some(leader) => println!("{:?} leads by token {}", leader.value(), leader.token()),
        None => println!("nobody leads"),
    }
    Ok(())
}

const TTL: Duration = Duration::from_secs(10);
