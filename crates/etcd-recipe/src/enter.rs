//! Making a key of ours, until it is known whether it is there.

use std::sync::Arc;

use etcd_client::Outcome;
use etcd_client::v2::Header;

use crate::cleaner::Leftover;
use crate::held::{Lease, pause};
use crate::key_calls::{KeyCalls, Reply};
use crate::protocol::{AfterCreate, Place, after_create, after_creator_read};
use crate::settings::Settings;
use crate::{Clock, Error, Result, Timestamp};

/// A key that was made for us, and who cleans up if nobody takes it.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) lease: Lease,
    /// Armed: a drop deletes the key.
    pub(crate) leftover: Leftover,
}

/// What became of a creation.
#[derive(Debug)]
pub(crate) enum Entry {
    /// The key is ours.
    Ours(Box<Entered>),
    /// There is a key of that name which is not ours.
    Taken,
}

/// Makes the key. Failures that may pass are repeated for as long as the ttl.
///
/// # Cancel safety
/// After a drop the key is deleted in the background, see [`Leftover`].
pub(crate) async fn enter(calls: KeyCalls, settings: &Settings, value: String) -> Result<Entry> {
    let leftover = Leftover::new(calls.clone(), &value, settings.is_unlike_others);
    let clock = Arc::clone(&settings.clock);
    let mut creation = Creation { started: clock.now(), leftover, calls, clock, value, copies: false };
    match creation.run().await? {
        Some((place, header)) => {
            creation.leftover.expect_made(place.created, creation.copies);
            let Creation { calls, clock, value, started, copies, leftover } = creation;
            let probe = settings.skew_probe.clone();
            let mut lease = Lease::new(calls, clock, value, place, started, probe);
            lease.uncertain = copies;
            lease.term = header.as_ref().and_then(|header| header.raft_term);
            lease.cluster_id = header.and_then(|header| header.cluster_id).map(String::from);
            Ok(Entry::Ours(Box::new(Entered { lease, leftover })))
        }
        None => {
            creation.leftover.disarm();
            Ok(Entry::Taken)
        }
    }
}

struct Creation {
    calls: KeyCalls,
    clock: Arc<dyn Clock>,
    value: String,
    /// When the first copy was sent: it may be the one that was applied.
    started: Timestamp,
    /// Whether more than one copy may have gone out.
    copies: bool,
    leftover: Leftover,
}

impl Creation {
    /// The place of the key; `None` if it is not ours.
    async fn run(&mut self) -> Result<Option<(Place, Option<Header>)>> {
        let name = self.calls.key.name().to_owned();
        let mut next = AfterCreate::Again;
        for failures in 0.. {
            let reply = match next {
                AfterCreate::Placed(place) => return Ok(Some((place, None))),
                AfterCreate::Rename => return Ok(None),
                AfterCreate::Again => self.create(&name).await?,
                AfterCreate::Read => self.read(&name).await?,
            };
            next = reply.answer;
            if let AfterCreate::Placed(place) = next {
                return Ok(Some((place, reply.header)));
            }
            if let Some(error) = reply.error.filter(|_| !matches!(next, AfterCreate::Rename)) {
                self.wait(failures, error).await?;
            }
        }
        Ok(None)
    }

    async fn create(&mut self, name: &str) -> Result<Reply<AfterCreate>> {
        self.leftover.expect_late();
        let reply = self.calls.create(&self.value).await;
        self.copies |= reply.copies;
        let reply = match reply.into_permanent() {
            Ok(reply) => reply,
            Err(error) => {
                // A refusal by itself leaves nothing behind.
                if !self.copies {
                    self.leftover.disarm();
                }
                return Err(self.failed(error));
            }
        };
        if reply.error.as_ref().is_some_and(|error| error.is_key_exists()) && !self.copies {
            // No copy but this one: whoever made the key, it was not us.
            return Ok(Reply {
                answer: AfterCreate::Rename,
                header: None,
                error: reply.error,
                copies: false,
            });
        }
        let answer = after_create(reply.answer, name);
        Ok(Reply { answer, header: reply.header, error: reply.error, copies: reply.copies })
    }

    async fn read(&mut self, name: &str) -> Result<Reply<AfterCreate>> {
        let reply =
            self.calls.read(&self.value).await.into_permanent().map_err(|error| self.failed(error))?;
        let answer = after_creator_read(reply.answer, name);
        Ok(Reply { answer, header: reply.header, error: reply.error, copies: false })
    }

    /// It is given up; what became of the key is what all copies leave to fear.
    fn failed(&self, error: etcd_client::Error) -> Error {
        let error = Error::from(error);
        if self.copies { error.with_outcome(Outcome::Unknown) } else { error }
    }

    /// Waits for the next try, if there is to be one.
    async fn wait(&mut self, failures: u32, error: etcd_client::Error) -> Result<()> {
        let next = self.clock.now() + pause(failures);
        if next.saturating_since(self.started) >= self.calls.timing.ttl() {
            if !self.copies {
                self.leftover.disarm();
            }
            return Err(self.failed(error));
        }
        self.clock.sleep_until(next).await;
        Ok(())
    }
}
