//! Prints what happens below a key, one line of JSON for each item, until it is stopped.
//!
//! `cargo run --example watch -- [ENDPOINTS [KEY]]`; the default is what the environment says, and `/`. The first line
//! is what is stored, and so is one of cause `history cleared` where events were lost.

use std::error::Error;
use std::io::Write as _;

use etcd_client::v2::{Client, WatchItem};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let client = match args.next() {
        Some(endpoints) => Client::connect(endpoints)?,
        None => Client::from_env()?,
    };
    let key = args.next().unwrap_or_else(|| "/".to_owned());
    let mut items = client.watch(key).recursive(true).with_snapshot(true).start();
    let mut out = std::io::stdout();
    while let Some(item) = items.try_next().await? {
        writeln!(out, "{}", line(&item)?)?;
        // Whoever reads a pipe wants each line when it happens.
        out.flush()?;
    }
    Ok(())
}

fn line(item: &WatchItem) -> Result<Value, serde_json::Error> {
    Ok(match item {
        WatchItem::Event(event) => json!({ "event": serde_json::to_value(event)? }),
        WatchItem::AncestorRemoved(event) => json!({ "ancestorRemoved": serde_json::to_value(event)? }),
        WatchItem::Resync { snapshot, index, cause } => json!({
            "resync": { "snapshot": serde_json::to_value(snapshot)?, "index": index, "cause": cause.to_string() }
        }),
        // Kinds that a later version may add.
        other => json!({ "index": other.index() }),
    })
}
