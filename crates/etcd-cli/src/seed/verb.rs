//! What each verb does and prints.

use etcd_client::v2::{Client, Compare, Ttl, WatchItem};
use etcd_lock::{Lock, Token};
use futures_util::StreamExt as _;

use super::args::Verb;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::{host, locks, value};

/// Does it.
pub(super) async fn run(verb: Verb, client: &Client, out: &mut Output) -> Result<()> {
    match verb {
        Verb::Get { key } => get(client, out, &key).await,
        Verb::Set { key, value, precond, ttl } => set(client, out, &key, value, precond, ttl).await,
        Verb::Delete { key } => {
            out.value(&format!("deleting {key}"))?;
            client.delete(key).await?;
            Ok(())
        }
        Verb::Watch { key, index } => watch(client, out, &key, index).await,
        Verb::Leader => {
            out.line("finding leader")?;
            let leader = client.members().leader().await?;
            out.value(&format!("leader is {}", leader.id))
        }
        Verb::Lock { key, ttl, index } => lock(client, out, &key, ttl, index).await,
        Verb::Unlock { key, index } => {
            out.value(&format!("unlocking {key} ({index})"))?;
            Ok(Lock::new(client, key).release_by(&Token::new(index, None)?).await?)
        }
    }
}

async fn get(client: &Client, out: &mut Output, key: &str) -> Result<()> {
    out.value(&format!("getting {key}"))?;
    let node = client.get(key).sorted(true).await?.node;
    let value = match node.dir {
        true => node.nodes.iter().map(|child| child.key.as_str()).collect::<Vec<_>>().join("\n"),
        false => node.text().to_owned(),
    };
    if node.dir && value.is_empty() {
        // That program had no word for an empty directory.
        return Err(Failure::new(Exit::Failed, format!("{key} is an empty directory")));
    }
    out.value(&format!("got value: {value}"))
}

async fn set(
    client: &Client,
    out: &mut Output,
    key: &str,
    value: String,
    precond: Option<String>,
    ttl: Option<u64>,
) -> Result<()> {
    out.value(&format!("setting {key} to {value}"))?;
    if let Some(precond) = &precond {
        out.value(&format!("  precond = {precond}"))?;
    }
    if let Some(ttl) = ttl {
        out.line(&format!("  ttl = {ttl}"))?;
    }
    // There, too, 0 is none.
    let ttl = ttl.filter(|ttl| *ttl > 0).map(Ttl::from_secs).transpose();
    let ttl = ttl.map_err(|error| Failure::usage(error.to_string()))?;
    match (precond, ttl) {
        (None, None) => client.set(key, value).await?,
        (None, Some(ttl)) => client.set(key, value).ttl(ttl).await?,
        (Some(precond), None) => client.compare_and_swap(key, value, Compare::value(precond)).await?,
        (Some(precond), Some(ttl)) => {
            client.compare_and_swap(key, value, Compare::value(precond)).ttl(ttl).await?
        }
    };
    Ok(())
}

async fn lock(client: &Client, out: &mut Output, key: &str, ttl: u64, index: Option<u64>) -> Result<()> {
    let what = index.map_or_else(|| key.to_owned(), |index| format!("{key} ({index})"));
    out.value(&format!("locking {what} for {ttl}"))?;
    // It may wait for long.
    out.finish()?;
    let ttl = value::lock_ttl(&ttl.to_string()).map_err(Failure::usage)?;
    let lock = Lock::new(client, key).owner(format!("{}:{}", host::name(), std::process::id()));
    if let Some(index) = index {
        return Ok(lock.renew_by(&Token::new(index, None)?, ttl).await?);
    }
    let token = locks::lease(&lock, ttl).await?;
    out.line(&format!("got back index number {}", token.index()))
}

async fn watch(client: &Client, out: &mut Output, key: &str, index: Option<u64>) -> Result<()> {
    let watch = client.watch(key).recursive(true);
    let watch = match index {
        Some(index) => watch.from(index),
        None => watch,
    };
    let mut items = watch.start();
    while let Some(item) = items.next().await {
        let item = item?;
        out.line(&format!("index is {}", item.index()))?;
        match &item {
            WatchItem::Event(event) | WatchItem::AncestorRemoved(event) => {
                let key = &event.node.key;
                match &event.node.value {
                    Some(value) => out.value(&format!("key {key} was set to {value}"))?,
                    None if event.action.is_removal() => out.value(&format!("key {key} was deleted"))?,
                    None => out.line("I don't know what happened")?,
                }
            }
            // Events are lost, or a kind of item that a later client may add.
            _ => out.line("I don't know what happened")?,
        }
        out.finish()?;
    }
    Ok(())
}
