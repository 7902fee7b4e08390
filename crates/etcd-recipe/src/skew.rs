//! How the clocks of the servers differ.
//!
//! etcd's v2 API counts a time to live by two clocks: the member that takes a write adds the ttl to its own date, and
//! the leader compares that with its own. The writer cannot see it: the answer repeats the ttl that was asked for. A
//! quorum read through the leader shows it (measured on 3.4.23: with clocks 3 and 8 s behind a key of 20 s is shown
//! with 17 and 12).

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use etcd_client::Endpoint;
use etcd_client::v2::{Client, Node};

use crate::key_calls::KeyCalls;
use crate::protocol::Place;
use crate::{Clock, Timestamp};

/// Finds out how the clocks of the servers differ, once in each raft term, for all that share it. Cheap to clone; a
/// clone shares what is known.
///
/// It asks who leads, and reads the own key through the leader: two requests before a grant, where nothing is known
/// of the term. A holding that would end early is believed in for as long as the leader shows, and is renewed through
/// the leader while its clock differs by more than a second; that is told by a warning. Where the leader is not among
/// the client's endpoints, or does not answer, it goes on without, which is told by [`report`](Self::report).
///
/// Without it a member whose clock is behind the leader's by more than the margin lets two holders believe at once.
/// Tokens fence off the late one all the same.
#[derive(Clone, Default)]
pub struct SkewProbe(Arc<Mutex<Known>>);

/// What a [`SkewProbe`] has found in the last raft term that it looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkewReport {
    /// The raft term; 0 where the servers tell none.
    pub term: u64,
    /// By how many seconds the leader showed more (or less) than the ttl that was asked for; 0 if it was within
    /// what the time on the way explains. `None`: it was not found out.
    pub seconds: Option<i64>,
}

/// What all that share a probe know.
#[derive(Debug, Default)]
struct Known {
    /// What is known of a term, so that it is not asked for again.
    found: Option<Found>,
    /// How the last look ended.
    last: Option<SkewReport>,
}

/// What is known of one term.
#[derive(Clone, Debug)]
struct Found {
    report: SkewReport,
    skew: Skew,
}

/// What follows from it for a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Skew {
    /// The term that this is of; `None`: nothing is known.
    term: Option<u64>,
    /// By how much a key written by some other member than the leader ends early.
    short: Duration,
    /// Who to renew through while clocks differ.
    leader: Option<Endpoint>,
}

impl Skew {
    pub(crate) fn leader(&self) -> Option<&Endpoint> {
        self.leader.as_ref()
    }

    pub(crate) fn is_of(&self, term: Option<u64>) -> bool {
        self.term == Some(term.unwrap_or_default())
    }

    /// By how much a renewal falls short that was answered in this term, through this member if it is known.
    pub(crate) fn shortfall(&self, term: Option<u64>, through: Option<&Endpoint>) -> Duration {
        let by_leader = self.is_of(term) && through.is_some() && through == self.leader();
        if by_leader { Duration::ZERO } else { self.short }
    }
}

impl SkewProbe {
    /// One that has found out nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was found last; `None` before the first look.
    #[must_use]
    pub fn report(&self) -> Option<SkewReport> {
        self.known().last
    }

    /// What is known of this term, asked for if nothing is; and until when a key is valid at most that was written at
    /// `written` or later.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub(crate) async fn ask(
        &self,
        calls: &KeyCalls,
        clock: &Arc<dyn Clock>,
        place: &Place,
        written: Timestamp,
        term: Option<u64>,
    ) -> (Skew, Timestamp) {
        let term = term.unwrap_or_default();
        let validity = calls.timing.validity();
        if let Some(found) = self.found().filter(|found| found.report.term == term) {
            let limit = (written + validity) - found.skew.short;
            return (found.skew, limit);
        }
        let asked = clock.now();
        let unknown = Found { report: SkewReport { term, seconds: None }, skew: Skew::default() };
        let (leader, node) = match read_through_leader(calls, place).await {
            Ok(Some(shown)) => shown,
            Ok(None) => {
                tracing::debug!(term, "the leader is none of the client's endpoints: no look at its clock");
                self.set(unknown);
                return (Skew::default(), written + validity);
            }
            // It may answer the next time.
            Err(error) => {
                tracing::debug!(term, %error, "the leader did not answer: no look at its clock");
                self.tell(unknown.report);
                return (Skew::default(), written + validity);
            }
        };
        let shown = Duration::from_secs(node.ttl.and_then(|ttl| u64::try_from(ttl).ok()).unwrap_or_default());
        // Shown are whole seconds, rounded up.
        let limit = (asked + shown.saturating_sub(SECOND)) - calls.timing.margin();
        let seconds = difference(calls.timing.ttl(), shown, clock.now().saturating_since(written));
        let mut skew = Skew { term: Some(term), ..Skew::default() };
        if seconds != 0 {
            tracing::warn!(term, seconds, "the clocks of the servers differ: keys do not live for their ttl");
            skew.short = Duration::from_secs(u64::try_from(-seconds).unwrap_or_default());
            skew.leader = Some(leader);
        }
        let report = SkewReport { term, seconds: Some(seconds) };
        self.set(Found { report, skew: skew.clone() });
        (skew, limit)
    }

    fn found(&self) -> Option<Found> {
        self.known().found.clone()
    }

    fn set(&self, found: Found) {
        let mut known = self.known();
        known.last = Some(found.report);
        known.found = Some(found);
    }

    /// Says how a look ended that found out nothing.
    fn tell(&self, report: SkewReport) {
        self.known().last = Some(report);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Each change is one assignment: a panic leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SkewProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SkewProbe").field(&self.report()).finish()
    }
}

/// The own key as the leader shows it; `None` if the leader is none of the client's endpoints, or the key is another.
async fn read_through_leader(
    calls: &KeyCalls,
    place: &Place,
) -> Result<Option<(Endpoint, Node)>, etcd_client::Error> {
    let Some(leader) = leader(&calls.client, calls.limit()).await? else { return Ok(None) };
    let get = calls.client.get(&calls.key).quorum(true).endpoint(leader.clone());
    let read = get.timeout(calls.limit()).budget_exempt(true).await?;
    Ok((read.node.created_index.get() == place.created).then_some((leader, read.node)))
}

/// The leader's endpoint, if it is one of the client's.
async fn leader(client: &Client, limit: Duration) -> Result<Option<Endpoint>, etcd_client::Error> {
    let Some(endpoints) = client.endpoints() else { return Ok(None) };
    let leader = client.members().leader().timeout(limit).await?;
    let mut urls = leader.client_urls.iter().filter_map(|url| url.parse::<Endpoint>().ok());
    Ok(urls.find(|url| endpoints.contains(url)))
}

/// By how many seconds a key lives longer (or shorter) than its ttl, that was written so long ago at most and is shown
/// with so many seconds left; 0 if rounding and the time on the way explain it.
fn difference(ttl: Duration, shown: Duration, age: Duration) -> i64 {
    let secs = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let least = ttl.saturating_sub(age).saturating_sub(SECOND);
    if shown < least {
        return -secs((least + SECOND).saturating_sub(shown) + SECOND);
    }
    if shown > ttl + SECOND { secs(shown.saturating_sub(ttl)) } else { 0 }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_rounding_and_the_time_on_the_way_are_no_difference() {
        let difference = |shown: u64, age: u64| {
            let time = |millis| Duration::from_millis(millis);
            difference(time(20_000), time(shown * 1000), time(age))
        };
        assert_eq!(difference(20, 0), 0);
        assert_eq!(difference(19, 5), 0);
        assert_eq!(difference(13, 6500), 0);
        assert_eq!(difference(21, 0), 0);
        assert_eq!(difference(23, 0), 3);
        // On the safe side: of what is shown up to a second may be gone.
        assert_eq!(difference(17, 0), -4);
        assert_eq!(difference(12, 0), -9);
        assert_eq!(difference(0, 0), -21);
    }
}
