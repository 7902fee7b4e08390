//! What is set for all holdings of one sort.

use std::sync::Arc;
use std::time::Duration;

use crate::{Clock, Error, SkewProbe, SystemClock, Timing};

/// The settings that queues, single keys and registrations share.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) ttl: Duration,
    pub(crate) skew_allowance: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    /// `None`: the skew of the servers' clocks is not looked at.
    pub(crate) skew_probe: Option<SkewProbe>,
    pub(crate) rewrites: bool,
    /// Whether a value is one that nobody else writes, ever: what holds it may be cleaned up.
    pub(crate) is_unlike_others: bool,
}

impl Settings {
    pub(crate) fn timing(&self) -> Result<Timing, Error> {
        Timing::new(self.ttl, self.skew_allowance)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ttl: Timing::DEFAULT_TTL,
            skew_allowance: Duration::ZERO,
            clock: Arc::new(SystemClock),
            skew_probe: Some(SkewProbe::new()),
            rewrites: false,
            is_unlike_others: true,
        }
    }
}

/// The setters of [`Settings`], for a type that has them in a field `settings`.
macro_rules! setters {
    () => {
        /// How long the key lives without a renewal: whole seconds, rounded up; 15 s by default, 5 s at least.
        ///
        /// It is how long others wait for a holder that has died, and an outage shorter than this, less the margin of
        /// [`Timing`](crate::Timing), ends nothing.
        pub fn ttl(mut self, ttl: std::time::Duration) -> Self {
            self.settings.ttl = ttl;
            self
        }

        /// By how much more than a tenth of the ttl the clocks of the servers may differ; zero by default. The holder's
        /// belief ends by that much earlier.
        pub fn skew_allowance(mut self, allowance: std::time::Duration) -> Self {
            self.settings.skew_allowance = allowance;
            self
        }

        /// The clock by which a holding ends; the [`SystemClock`](crate::SystemClock) by default.
        pub fn clock(mut self, clock: std::sync::Arc<dyn crate::Clock>) -> Self {
            self.settings.clock = clock;
            self
        }

        /// Shares what is known of the servers' clocks, so that it is asked once for all that share it. By default
        /// there is one for all clones of this value.
        pub fn skew_probe(mut self, probe: &crate::SkewProbe) -> Self {
            self.settings.skew_probe = Some(probe.clone());
            self
        }

        /// Does not look at the servers' clocks at all: see [`SkewProbe`](crate::SkewProbe) for what is given up.
        pub fn without_skew_probe(mut self) -> Self {
            self.settings.skew_probe = None;
            self
        }

        /// Renews by writing the value again, for etcd before 2.3, which cannot renew silently. Off by default. It
        /// wakes everybody who watches the key.
        pub fn renew_by_rewriting(mut self, rewrites: bool) -> Self {
            self.settings.rewrites = rewrites;
            self
        }
    };
}
pub(crate) use setters;
