//! Services that register, and somebody who watches which are there.
//!
//! Runs against the endpoints in the environment (see `ClientBuilder::from_env`), else against an etcd in memory that ends
//! with it. What it writes lies in a directory of its own, which it deletes.

use std::error::Error;
use std::time::Duration;

use etcd_client::v2::{Client, Key, Tree, WatchStream};
use etcd_recipe::KeepAlive;
use futures_util::TryStreamExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Lives as long as this function.
    let etcd = etcd_examples::cluster().await?;
    let client = etcd.builder().build()?;
    let services = etcd_examples::fresh_key("services");
    let ended = tour(&client, &services).await;
    // Also after an error: what was written until then goes away.
    client.delete_dir(services.as_str()).recursive(true).await?;
    ended
}

async fn tour(client: &Client, services: &str) -> Result<(), Box<dyn Error>> {
    let mut seen = Tree::new(Key::new(services)?);
    let mut items = client.watch(services).recursive(true).with_snapshot(true).start();
    show(&mut seen, &mut items).await?;

    let register =
        |name: &str, address| KeepAlive::register(client, format!("{services}/web/{name}"), address, TTL);
    let one = register("1", "10.0.0.7:80").await?;
    show(&mut seen, &mut items).await?;
    let two = register("2", "10.0.0.8:80").await?;
    show(&mut seen, &mut items).await?;

    match register("2", "10.0.0.9:80").await {
        Err(error) if error.is_key_exists() => println!("a second \"2\" is refused: {error}"),
        other => drop(other?),
    }
    // Renewals are silent, and a change of the address is not.
    one.set_value("10.0.0.7:8080").await?;
    show(&mut seen, &mut items).await?;

    one.check()?;
    one.deregister().await?;
    show(&mut seen, &mut items).await?;
    // A dropped one is given back in the background; one that is killed ends by its ttl.
    drop(two);
    show(&mut seen, &mut items).await
}

/// Prints what the next event of the watch has changed.
async fn show(seen: &mut Tree, items: &mut WatchStream) -> Result<(), Box<dyn Error>> {
    let item = items.try_next().await?.ok_or("a watch ends with an error only")?;
    seen.apply(&item);
    let web = seen.iter().filter_map(|(key, _)| Some((key.name(), seen.text(key)?)));
    println!("services: {:?}", web.collect::<Vec<_>>());
    Ok(())
}

const TTL: Duration = Duration::from_secs(10);
