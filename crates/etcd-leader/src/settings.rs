//! What is set for all that a candidate does.

use std::sync::Arc;
use std::time::Duration;

use etcd_recipe::{Clock, Queue, SingleKey, SkewProbe, SystemClock};

/// The settings that [`Election`](crate::Election) and [`TwoStep`](crate::TwoStep) share.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) ttl: Duration,
    pub(crate) skew_allowance: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    /// `None`: the skew of the servers' clocks is not looked at.
    pub(crate) skew_probe: Option<SkewProbe>,
    pub(crate) rewrites: bool,
}

impl Settings {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            skew_allowance: Duration::ZERO,
            clock: Arc::new(SystemClock),
            skew_probe: Some(SkewProbe::new()),
            rewrites: false,
        }
    }

    /// Sets them on a queue.
    pub(crate) fn queue(&self, queue: Queue) -> Queue {
        let queue = queue
            .ttl(self.ttl)
            .skew_allowance(self.skew_allowance)
            .clock(Arc::clone(&self.clock))
            .renew_by_rewriting(self.rewrites);
        match &self.skew_probe {
            Some(probe) => queue.skew_probe(probe),
            None => queue.without_skew_probe(),
        }
    }

    /// Sets them on a key.
    pub(crate) fn single(&self, key: SingleKey) -> SingleKey {
        let key = key
            .ttl(self.ttl)
            .skew_allowance(self.skew_allowance)
            .clock(Arc::clone(&self.clock))
            .renew_by_rewriting(self.rewrites);
        match &self.skew_probe {
            Some(probe) => key.skew_probe(probe),
            None => key.without_skew_probe(),
        }
    }
}

/// The setters of [`Settings`], for a type that has them in a field `settings`.
macro_rules! setters {
    () => {
        /// By how much more than a tenth of the ttl the clocks of the servers may differ; zero by default. The leader's
        /// belief ends by that much earlier.
        pub fn skew_allowance(mut self, allowance: std::time::Duration) -> Self {
            self.settings.skew_allowance = allowance;
            self
        }

        /// The clock by which a leadership ends; the [`SystemClock`](crate::SystemClock) by default.
        pub fn clock(mut self, clock: std::sync::Arc<dyn crate::Clock>) -> Self {
            self.settings.clock = clock;
            self
        }

        /// Shares what is known of the servers' clocks, so that it is asked once for all that share it. By default there
        /// is one for all clones of this value.
        pub fn skew_probe(mut self, probe: &crate::SkewProbe) -> Self {
            self.settings.skew_probe = Some(probe.clone());
            self
        }

        /// Does not look at the servers' clocks at all: see [`SkewProbe`](crate::SkewProbe) for what is given up.
        pub fn without_skew_probe(mut self) -> Self {
            self.settings.skew_probe = None;
            self
        }

        /// Renews by writing the value again, for etcd before 2.3, which cannot renew silently. Off by default.
        pub fn renew_by_rewriting(mut self, rewrites: bool) -> Self {
            self.settings.rewrites = rewrites;
            self
        }
    };
}
pub(crate) use setters;
