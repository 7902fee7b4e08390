//! A holder that comes too late, and what keeps it from doing harm.
//!
//! The first holder is stopped, as by a long pause of its process, and its lock ends. The second one writes; then the
//! first wakes up and writes as well, without a look at its guard. Its token is older, and the key refuses it.

use std::error::Error;
use std::time::Duration;

use etcd_lock::{FencedKey, Lock};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Lives as long as this function.
    let etcd = etcd_examples::cluster().await?;
    let client = etcd.builder().build()?;
    let key = etcd_examples::fresh_key("fenced-write");
    let state = FencedKey::new(&client, key.as_str());
    let lock = Lock::new(&client, "example-fenced-write").ttl(Duration::from_secs(5));

    let first = lock.clone().owner("first").acquire().await?;
    state.write(first.token(), "by the first").await?;
    println!("the first holds token {} and has written", first.token());
    // A stopped process renews nothing: what is left of it is its token.
    let stopped = first.detach();

    println!("the first is stopped; the second waits until its ttl of 5 s has ended ...");
    let second = lock.owner("second").acquire().await?;
    state.write(second.token(), "by the second").await?;
    println!("the second holds token {} and has written", second.token());

    match state.write(&stopped, "by the first, late").await {
        Err(late) if late.is_fenced() => println!("the first wakes up and writes: {late}"),
        Err(other) => return Err(other.into()),
        Ok(()) => return Err("an old token has overwritten a newer one".into()),
    }
    if let Some(stored) = state.read().await? {
        println!("stored is {:?}, by token {}", stored.value, stored.token);
    }
    second.release().await?;
    // Only since nobody else knows this key: else the memory of the greatest token would go with it.
    client.delete(key.as_str()).await?;
    Ok(())
}
