//! Every keys call of the v2 API, with its answer.
//!
//! Runs against the endpoints in the environment (see `ClientBuilder::from_env`), else against an etcd in memory that ends
//! with it. All is below a fresh random prefix which alone it deletes: it can be run twice, and on a cluster in use.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use etcd_client::Result;
use etcd_client::v2::{Client, Compare, KeysEvent, KeysResponse};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&*error);
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    // Lives as long as this function.
    let etcd = etcd_examples::cluster().await?;
    let cluster = etcd.builder().build()?;
    let version = cluster.version().await?;
    let prefix = format!("/quickstart-{:016x}", fastrand::u64(..));
    println!("etcd {}; all keys below {prefix}", version.server);

    let ended = tour(&cluster.namespace(prefix.as_str())?).await;
    // Also after an error: what was written until then goes away.
    let deleted = cluster.delete_dir(prefix.as_str()).recursive(true).await;
    ended?;
    println!("\ndelete_dir({prefix:?}).recursive(true)");
    show(&deleted?);
    Ok(())
}

async fn tour(client: &Client) -> Result<()> {
    values(client).await?;
    directories(client).await?;
    reading(client).await?;
    deleting(client).await?;
    watching(client).await?;
    cluster(client).await
}

async fn values(client: &Client) -> Result<()> {
    println!("\n# Values");
    println!("set(\"/foo/bar\", \"Hello World\")");
    show(&client.set("/foo/bar", "Hello World").await?);
    println!("set(\"/foo/bar\", \"Hello World\").ttl(60 s)");
    let set = client.set("/foo/bar", "Hello World").ttl(Duration::from_secs(60)).await?;
    show(&set);
    println!("compare_and_swap(\"/foo/bar\", \"Goodbye\", Compare::value(\"Hello World\"))");
    let swapped = client.compare_and_swap("/foo/bar", "Goodbye", Compare::value("Hello World")).await?;
    show(&swapped);
    println!("compare_and_swap(\"/foo/bar\", \"Hello again\", Compare::index({}))", swapped.index());
    show(&client.compare_and_swap("/foo/bar", "Hello again", Compare::index(swapped.index())).await?);
    println!("compare_and_swap(\"/foo/bar\", \"too late\", Compare::index({}))", set.index());
    show_refusal(client.compare_and_swap("/foo/bar", "too late", Compare::index(set.index())).await)?;
    println!("create(\"/foo/boo\", \"Hello World\")");
    show(&client.create("/foo/boo", "Hello World").await?);
    println!("create(\"/foo/boo\", \"once more\")");
    show_refusal(client.create("/foo/boo", "once more").await)?;
    println!("update(\"/foo/boo\", \"Hello Etcd\")");
    show(&client.update("/foo/boo", "Hello Etcd").await?);
    println!("refresh(\"/foo/boo\", 60 s)");
    show(&client.refresh("/foo/boo", Duration::from_secs(60)).await?);
    println!("modify(\"/foo/boo\", append \"!\")");
    show(&client.modify("/foo/boo", |text| Some(format!("{text}!"))).await?);
    Ok(())
}

async fn directories(client: &Client) -> Result<()> {
    println!("\n# Directories");
    println!("set_dir(\"/fooDir\")");
    show(&client.set_dir("/fooDir").await?);
    println!("create_dir(\"/barDir\").ttl(60 s)");
    show(&client.create_dir("/barDir").ttl(Duration::from_secs(60)).await?);
    println!("update_dir(\"/barDir\").ttl(120 s)");
    match client.update_dir("/barDir").ttl(Duration::from_secs(120)).await {
        Ok(updated) => show(&updated),
        Err(error) if error.is_directory_ttl() => {
            println!(
                "    this server is an etcd 3.5, none of which can change the ttl of a directory; going on"
            );
        }
        Err(error) => return Err(error),
    }
    println!("ensure_dir(\"/fooDir\")");
    client.ensure_dir("/fooDir").await?;
    println!("    there it is");
    for job in ["Job1", "Job2"] {
        println!("create_in_order(\"/queue\", {job:?})");
        show(&client.create_in_order("/queue", job).await?);
    }
    println!("create_dir_in_order(\"/queue\")");
    show(&client.create_dir_in_order("/queue").await?);
    Ok(())
}

async fn reading(client: &Client) -> Result<()> {
    println!("\n# Reading");
    println!("get(\"/foo/bar\").quorum(true)");
    show(&client.get("/foo/bar").quorum(true).await?);
    println!("get(\"/\").recursive(true).sorted(true)");
    show(&client.get("/").recursive(true).sorted(true).await?);
    println!("exists(\"/foo/bar\"): {}", client.exists("/foo/bar").await?);
    println!("exists(\"/foo/none\"): {}", client.exists("/foo/none").await?);
    println!("get(\"/foo/none\")");
    show_refusal(client.get("/foo/none").await)
}

async fn deleting(client: &Client) -> Result<()> {
    println!("\n# Deleting");
    println!("delete(\"/foo/bar\")");
    show(&client.delete("/foo/bar").await?);
    println!("delete_dir(\"/fooDir\")");
    show(&client.delete_dir("/fooDir").await?);
    println!("delete_dir(\"/queue\").recursive(true)");
    show(&client.delete_dir("/queue").recursive(true).await?);
    let boo = client.get("/foo/boo").await?;
    println!("compare_and_delete(\"/foo/boo\", Compare::value(\"something else\"))");
    show_refusal(client.compare_and_delete("/foo/boo", Compare::value("something else")).await)?;
    println!("compare_and_delete(\"/foo/boo\", Compare::index({}))", boo.index());
    show(&client.compare_and_delete("/foo/boo", Compare::index(boo.index())).await?);
    Ok(())
}

async fn watching(client: &Client) -> Result<()> {
    println!("\n# Watching");
    let first = client.set("/news", "one").await?;
    client.set("/news", "two").await?;
    client.delete("/news").await?;
    println!("watch(\"/news\").from({}).next_event(), then after each", first.index());
    let mut event = client.watch("/news").from(first.index()).next_event().await?;
    show_event(&event);
    while !event.action.is_removal() {
        event = client.watch("/news").after(event.index()).next_event().await?;
        show_event(&event);
    }
    Ok(())
}

async fn cluster(client: &Client) -> Result<()> {
    println!("\n# Cluster");
    println!("machines(): {}", client.machines().await?.join(", "));
    let leader = client.members().leader().await?;
    println!("members().leader(): {} ({})", leader.name, leader.id);
    println!("stats().store(): {} sets seen", client.stats().store().await?.sets_success);
    println!("health(): {}", client.health().await?.healthy);
    Ok(())
}

fn show(answer: &KeysResponse) {
    for node in answer.node.walk() {
        let (key, index) = (&node.key, node.modified_index);
        let ttl = node.ttl.map(|ttl| format!(", ttl {ttl} s")).unwrap_or_default();
        match &node.value {
            Some(value) => println!("    {} {key} = {value:?} (index {index}{ttl})", answer.action),
            None if node.dir => println!("    {} {key}, a directory (index {index}{ttl})", answer.action),
            None => println!("    {} {key} (index {index})", answer.action),
        }
    }
}

fn show_event(event: &KeysEvent) {
    println!("    {} {} {:?} (index {})", event.action, event.node.key, event.node.text(), event.index());
}

/// Prints a refusal that is expected here; any other error ends the tour.
fn show_refusal(answer: Result<KeysResponse>) -> Result<()> {
    match answer {
        Ok(answer) => show(&answer),
        Err(error) if error.api().is_some() && error.outcome().is_not_applied() => {
            println!("    refused: {error}, outcome: {}", error.outcome());
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn report(error: &(dyn Error + 'static)) {
    eprintln!("{error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
    if error.downcast_ref::<etcd_client::Error>().is_some_and(etcd_client::Error::is_connect) {
        eprintln!("Without an endpoint in the environment this program brings an etcd in memory along.");
        eprintln!("To get a real one: `cargo xtask etcd` fetches two and prints where they are; start");
        eprintln!("one with `--enable-v2 --data-dir DIR`, and set ETCDCTL_ENDPOINTS=http://127.0.0.1:2379.");
    }
}
