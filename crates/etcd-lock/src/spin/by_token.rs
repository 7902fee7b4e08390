//! The holding with a token, from any process.

use std::time::Duration;

use etcd_client::v2::{Compare, Key};

use super::{Holder, Spin, holder};
use crate::{Error, ErrorKind, Result, Token};

/// Renews the holding.
pub(super) async fn renew(spin: &Spin, token: &Token, ttl: Duration) -> Result<()> {
    let key = spin.name.key()?;
    for _ in 0..ROUNDS {
        let Holder { modified, value, .. } = find(spin, &key, token).await?;
        let compare = Compare::index(modified);
        let renewed = if spin.rewrites {
            spin.client.compare_and_swap(&key, value, compare).ttl(ttl).resolve(true).await
        } else {
            spin.client.refresh(&key, ttl).compare(compare).resolve(true).await
        };
        match renewed {
            Ok(_) => return Ok(()),
            Err(error) if has_changed(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(busy(&key))
}

/// Deletes the key of the holding.
pub(super) async fn release(spin: &Spin, token: &Token) -> Result<()> {
    let key = spin.name.key()?;
    for _ in 0..ROUNDS {
        let Holder { modified, .. } = find(spin, &key, token).await?;
        match spin.client.compare_and_delete(&key, Compare::index(modified)).resolve(true).await {
            Ok(_) => return Ok(()),
            // It is gone, and the history does not tell by whom.
            Err(error) if error.is_key_not_found() && !error.outcome().is_not_applied() => return Ok(()),
            Err(error) if has_changed(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(busy(&key))
}

/// The holder, if it has this token: the key alone says nothing, it may be a later holder's.
async fn find(spin: &Spin, key: &Key, token: &Token) -> Result<Holder> {
    let holder = holder::read(&spin.client, key).await?;
    let found = holder.filter(|holder| {
        let elsewhere = matches!(
            (holder.token.cluster_id(), token.cluster_id()), (Some(here), Some(there)) if here != there
        );
        holder.token.index() == token.index() && !elsewhere
    });
    found.ok_or_else(|| Error::from(ErrorKind::UnknownToken).with_detail(token.to_string()))
}

/// Whether somebody has changed or deleted the key since it was read, or an earlier copy of ours has: the next read
/// tells.
fn has_changed(error: &etcd_client::Error) -> bool {
    error.is_compare_failed() || error.is_key_not_found()
}

fn busy(key: &Key) -> Error {
    Error::from(ErrorKind::Conflict)
        .with_detail(format!("{} is written by others", key.as_str().escape_debug()))
}

/// How often the key may change between a read and what follows from it.
const ROUNDS: usize = 8;
