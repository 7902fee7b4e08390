//! What the results of attempts say of one endpoint.
//!
//! ```text
//!            failure              failure number `after`
//! Serving ───────────> Failing ───────────────────────────> Ejected <──┐
//!    ^                    │                                    │       │ the probe fails:
//!    │      answer        │                                    │ time  │ twice as long
//!    ├────────────────────┘                                    v       │
//!    └──────────────────────────────────────────────────── HalfOpen ───┘
//!                    the probe is answered
//! ```
//!
//! Results only: a connection that can be made says nothing, since the kernel of a stopped server makes it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

/// When an endpoint that keeps failing is left out, and for how long.
///
/// Failures in a row count: no connection, a connection that ends without an answer, an attempt that is given
/// up, an answer that shows a member without a quorum. Any other answer ends the row. The first failure
/// already lets later calls begin elsewhere; being ejected means not to be chosen at all while another
/// endpoint is there.
///
/// | setting | default | is |
/// | --- | --- | --- |
/// | [`after`](Self::after) | 3 | failures in a row that eject |
/// | [`base`](Self::base) | 1 s | the first time out, doubled by each probe that fails |
/// | [`cap`](Self::cap) | 30 s | the longest time out |
///
/// Each time is drawn from the upper half of its length, so that clients do not come back together. When it is
/// over, one request that only reads is let through as a probe, and its result decides. An endpoint whose probe
/// says nothing gets the next one after the same time again. The last endpoint that is not ejected stays.
///
/// ```
/// use std::time::Duration;
///
/// use etcd_transport::Ejection;
///
/// let ejection = Ejection::default().after(5).base(Duration::from_millis(500)).cap(Duration::from_secs(10));
/// # drop(ejection);
/// ```
#[derive(Clone, Debug)]
pub struct Ejection {
    after: u32,
    base: Duration,
    cap: Duration,
    rng: Rng,
}

impl Ejection {
    /// How many failures in a row eject; 0 counts as 1. Default 3.
    #[must_use]
    pub fn after(mut self, failures: u32) -> Self {
        self.after = failures.max(1);
        self
    }

    /// The first time out. Default 1 s; zero lets the next read be the probe.
    #[must_use]
    pub fn base(mut self, time: Duration) -> Self {
        self.base = time;
        self
    }

    /// The longest time out. Default 30 s.
    #[must_use]
    pub fn cap(mut self, time: Duration) -> Self {
        self.cap = time;
        self
    }

    /// Jitter that is the same in each run, for tests. Default: a random seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.rng = Rng::with_seed(seed);
        self
    }

    /// The jitter's source, for whoever draws from it.
    pub(super) fn take_rng(&mut self) -> Rng {
        self.rng.fork()
    }

    /// How long an endpoint is out whose probe has failed so many times.
    fn length(&self, probes: u32, rng: &mut Rng) -> Duration {
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(probes));
        doubled.min(self.cap).mul_f64(0.5 + 0.5 * rng.f64())
    }
}

impl Default for Ejection {
    fn default() -> Self {
        Self { after: 3, base: Duration::from_secs(1), cap: Duration::from_secs(30), rng: Rng::new() }
    }
}

/// What is known of an endpoint from the results of attempts; the better ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Condition {
    /// It answers, or was never asked.
    Serving,
    /// It has failed since its last answer, but not often enough to be ejected.
    Failing,
    /// Its time out is over: the next read is its probe.
    HalfOpen,
    /// It is to be left alone, as long as there is another.
    Ejected,
}

impl Condition {
    /// Whether it is not out, not even on probation.
    pub(super) fn is_in(self) -> bool {
        match self {
            Self::Serving | Self::Failing => true,
            Self::HalfOpen | Self::Ejected => false,
        }
    }
}

/// The health of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Whether there is anything in the record. Nearly always there is not, and nobody locks.
    ill: AtomicBool,
    record: Mutex<Record>,
}

/// Under one short lock, which only those meet who look at an endpoint that fails.
#[derive(Debug, Default)]
struct Record {
    /// In a row.
    failures: u32,
    out: Option<Out>,
}

/// Being ejected.
#[derive(Debug)]
struct Out {
    /// Its time, drawn.
    length: Duration,
    /// The end of that time.
    until: Instant,
    /// How many probes have failed.
    probes: u32,
    /// When the probe was let through whose result is awaited.
    probe: Option<Instant>,
}

impl Health {
    fn record(&self) -> MutexGuard<'_, Record> {
        // The data is whole between any two statements.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known.
    pub(super) fn condition(&self) -> Condition {
        if !self.ill.load(Ordering::Relaxed) {
            return Condition::Serving;
        }
        let record = self.record();
        match &record.out {
            Some(out) if Instant::now() < out.until => Condition::Ejected,
            Some(_) => Condition::HalfOpen,
            None if record.failures > 0 => Condition::Failing,
            None => Condition::Serving,
        }
    }

    /// Whether this request may be sent to an endpoint whose time is over, as its probe.
    ///
    /// One gets the right. As long as nothing is heard of it the endpoint is out for its time once more, so
    /// that a probe that is lost does no harm.
    pub(super) fn claim_probe(&self) -> bool {
        let mut record = self.record();
        let now = Instant::now();
        match &mut record.out {
            Some(out) if now < out.until => false,
            Some(out) => {
                out.probe = Some(now);
                out.until = now + out.length;
                true
            }
            None => true,
        }
    }

    /// An attempt was answered; says whether that ends a row of failures.
    pub(super) fn served(&self) -> bool {
        if !self.ill.load(Ordering::Relaxed) {
            return false;
        }
        let mut record = self.record();
        *record = Record::default();
        self.ill.store(false, Ordering::Relaxed);
        true
    }

    /// An attempt that was begun then has failed; `last` keeps the endpoint in. Says whether it was ejected.
    pub(super) fn failed(&self, begun: Instant, last: bool, rule: &Ejection, rng: &mut Rng) -> bool {
        let mut guard = self.record();
        let record = &mut *guard;
        self.ill.store(true, Ordering::Relaxed);
        record.failures = record.failures.saturating_add(1);
        let now = Instant::now();
        match &mut record.out {
            Some(out) => {
                // What was in flight when it was ejected tells nothing new; only the probe, or what came
                // after it, does.
                if out.probe.is_some_and(|probe| begun >= probe) {
                    out.probes = out.probes.saturating_add(1);
                    out.length = rule.length(out.probes, rng);
                    out.until = now + out.length;
                    out.probe = None;
                }
                false
            }
            None if record.failures >= rule.after && !last => {
                let length = rule.length(0, rng);
                record.out = Some(Out { length, until: now + length, probes: 0, probe: None });
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
#[path = "health_test.rs"]
mod tests;
