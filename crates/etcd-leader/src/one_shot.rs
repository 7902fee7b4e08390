//! The seeds' calls about a leader by its name: what they do at once, without anything left that runs.

use std::time::Duration;

use etcd_recipe::{Contender, HeldKey, Queue, SingleKey, Token};
use futures_util::StreamExt as _;

use crate::{Election, Error, ErrorKind, Result};

/// Makes the candidate of this name lead.
pub(crate) async fn set(election: &Election, name: &str) -> Result<Token> {
    let queue = election.queue()?;
    for round in 0_u32.. {
        let candidates = queue.contenders().await?;
        let place = candidates.iter().position(|candidate| candidate.value == name);
        let token = match place.map(|place| (place, &candidates[place].token)) {
            // Who leads is followed by others only when it has gone, and then it is not renewed.
            Some((0, token)) => renew(&queue, token, election.settings.ttl).await?,
            Some((_, token)) => wait_for_found(election, &queue, token).await?,
            None => make(election, &queue, name, round).await?,
        };
        if let Some(token) = token {
            return Ok(token);
        }
        // Its place was lost, or taken a moment ago: not too fast again.
        let clock = &election.settings.clock;
        clock.sleep_until(clock.now() + PAUSE * round.min(LAST_PAUSE)).await;
    }
    Err(Error::new(ErrorKind::PlaceLost))
}

/// Removes all candidates of this name.
pub(crate) async fn remove(election: &Election, name: &str) -> Result<()> {
    let queue = election.queue()?;
    let candidates = queue.contenders().await?;
    let named: Vec<Contender> = candidates.into_iter().filter(|candidate| candidate.value == name).collect();
    if named.is_empty() {
        return Err(Error::new(ErrorKind::NotQueued).with_detail(format!("{name:?}")));
    }
    for candidate in named {
        match queue.release_by(&candidate.token).await {
            // It has gone by itself meanwhile.
            Err(error) if error.is_unknown_token() => {}
            released => released?,
        }
    }
    Ok(())
}

/// Renews a candidate that is there until it leads; `None` if it has gone.
async fn wait_for_found(election: &Election, queue: &Queue, token: &Token) -> Result<Option<Token>> {
    let (ttl, clock) = (election.settings.ttl, &election.settings.clock);
    let mut turn = std::pin::pin!(wait_for_turn(election, queue, token));
    while renew(queue, token, ttl).await?.is_some() {
        let next = clock.now() + ttl / 3;
        tokio::select! {
            biased;
            turn = &mut turn => return match turn? {
                // The ttl counts from here on.
                true => renew(queue, token, ttl).await,
                false => Ok(None),
            },
            () = clock.sleep_until(next) => {}
        }
    }
    Ok(None)
}

/// Renews a candidate; `None` if it has gone.
async fn renew(queue: &Queue, token: &Token, ttl: Duration) -> Result<Option<Token>> {
    match queue.renew_by(token, ttl).await {
        Ok(()) => Ok(Some(token.clone())),
        Err(error) if error.is_unknown_token() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes a candidate and waits until it leads; `None` if there was one a moment ago, or its place was lost.
async fn make(election: &Election, queue: &Queue, name: &str, round: u32) -> Result<Option<Token>> {
    let key = election.directory()?.join(place_of(name, round)).map_err(etcd_client::Error::from)?;
    // Whoever sets this name next makes the same key: it must not be cleaned up behind its back.
    let single = election.settings.single(SingleKey::new(election.client(), key)).values_may_repeat();
    // Renews itself while it waits, and is given back if this is dropped.
    let Some(held) = single.try_hold(name).await? else { return Ok(None) };
    let token = held.token().clone();
    let turn = held.run(wait_for_turn(election, queue, &token)).await;
    match turn {
        Ok(Ok(true)) => leave_standing(held).await,
        Ok(Ok(false)) => Ok(None),
        Ok(Err(error)) => Err(error),
        Err(error) if error.is_lost() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Lets it live for its ttl from now on, and renews it no more.
async fn leave_standing(held: HeldKey) -> Result<Option<Token>> {
    match held.renew().await {
        Ok(()) => Ok(Some(held.detach())),
        Err(error) if error.is_lost() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Waits until the candidate with this token is the first of a list by quorum; `false` if it is not there any more.
async fn wait_for_turn(election: &Election, queue: &Queue, token: &Token) -> Result<bool> {
    let mut leaders = election.observe()?;
    loop {
        // What is observed is a hint, the list is the truth.
        let candidates = queue.contenders().await?;
        match candidates.iter().position(|candidate| candidate.token.index() == token.index()) {
            Some(0) => return Ok(true),
            Some(_) => {}
            None => return Ok(false),
        }
        match leaders.next().await {
            Some(change) => drop(change?),
            // It ends with an error only.
            None => return Ok(false),
        }
    }
}

/// The name of the key of a candidate that is set: the same for the same name, so that two who set it at once make one
/// key, and like the random ones of all others (128 bits in hexadecimal).
///
/// `round` makes another where one is taken by something else. FNV-1a: it keeps names apart that are not meant to
/// collide; one that is made to collide gets the key of a later round.
fn place_of(name: &str, round: u32) -> String {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let salt = round.to_be_bytes();
    let bytes = name.bytes().chain(salt);
    let hash = bytes.fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}

const PAUSE: Duration = Duration::from_millis(100);
/// From this round on the pause stays as it is.
const LAST_PAUSE: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_has_the_same_place_and_another_another() {
        assert_eq!(place_of("leader-1", 0), place_of("leader-1", 0));
        assert_ne!(place_of("leader-1", 0), place_of("leader-2", 0));
        assert_ne!(place_of("leader-1", 0), place_of("leader-1", 1));
        assert_eq!(place_of("", 0).len(), 32);
    }
}
