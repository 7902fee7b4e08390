//! Contenders by their token, from any process.

use std::time::Duration;

use etcd_client::Outcome;
use etcd_client::v2::Compare;

use super::list::{LIST_LIMIT, list};
use super::{Contender, Queue};
use crate::{Error, ErrorKind, Result, Token};

/// Renews the contender with this token.
pub(super) async fn renew(queue: &Queue, token: &Token, ttl: Duration) -> Result<()> {
    for _ in 0..ROUNDS {
        let contender = find(queue, token).await?;
        let compare = Compare::index(contender.modified);
        let answer = if queue.settings.rewrites {
            let swap = queue.client.compare_and_swap(&contender.key, &contender.value, compare).ttl(ttl);
            swap.resolve(true).await
        } else {
            queue.client.refresh(&contender.key, ttl).compare(compare).resolve(true).await
        };
        match answer {
            Ok(_) => return Ok(()),
            // Changed or gone meanwhile, or an earlier copy has done it: the list tells.
            Err(error) if error.is_compare_failed() || error.is_key_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(busy())
}

/// Deletes the contender with this token.
pub(super) async fn release(queue: &Queue, token: &Token) -> Result<()> {
    for _ in 0..ROUNDS {
        let contender = find(queue, token).await?;
        let delete = queue.client.compare_and_delete(&contender.key, Compare::index(contender.modified));
        match delete.resolve(true).await {
            Ok(_) => return Ok(()),
            // It is gone, and the history does not tell by whom.
            Err(error) if error.is_key_not_found() && !error.outcome().is_not_applied() => return Ok(()),
            Err(error) if error.is_compare_failed() || error.is_key_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(busy())
}

async fn find(queue: &Queue, token: &Token) -> Result<Contender> {
    let list = list(queue, LIST_LIMIT).await?;
    let contenders = list.map_or_else(Vec::new, |list| list.contenders);
    let found = contenders.into_iter().find(|contender| {
        contender.token.index() == token.index() && token.may_be_of(contender.token.cluster_id())
    });
    found.ok_or_else(|| Error::new(ErrorKind::UnknownToken).with_detail(token.to_string()))
}

/// Somebody changes the key faster than we can follow.
fn busy() -> Error {
    let error = Error::new(ErrorKind::Client).with_outcome(Outcome::Unknown);
    error.with_detail("the contender changed in every round")
}

/// How often the key may change between the list and what follows from it.
const ROUNDS: usize = 8;
