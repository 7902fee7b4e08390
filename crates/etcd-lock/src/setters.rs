//! The settings that all kinds of locks have.

/// The setters that pass on to what is in a field.
macro_rules! setters {
    ($inner:ident) => {
        /// How long the lock stays held without a renewal: whole seconds, rounded up; 15 s by default, 5 s at least.
        ///
        /// It is how long others wait for a holder that has died; an outage shorter than this, less the margin of
        /// [`Timing`](crate::Timing), ends nothing. It is renewed every third of it.
        pub fn ttl(mut self, ttl: std::time::Duration) -> Self {
            self.$inner = self.$inner.ttl(ttl);
            self
        }

        /// By how much more than a tenth of the ttl the clocks of the servers may differ; zero by default. The
        /// holder's belief ends by that much earlier.
        pub fn skew_allowance(mut self, allowance: std::time::Duration) -> Self {
            self.$inner = self.$inner.skew_allowance(allowance);
            self
        }

        /// Shares what is known of the servers' clocks with other locks and elections, so that it is asked once for
        /// all. By default the clones of this value share it.
        pub fn skew_probe(mut self, probe: &crate::SkewProbe) -> Self {
            self.$inner = self.$inner.skew_probe(probe);
            self
        }

        /// Does not look at the servers' clocks: two requests less in each raft term. See
        /// [`SkewProbe`](crate::SkewProbe) for what is given up.
        pub fn without_skew_probe(mut self) -> Self {
            self.$inner = self.$inner.without_skew_probe();
            self
        }

        /// The key path that names are below; `/locks` by default. All who want the same lock have to say the same.
        pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
            self.name = self.name.with_prefix(prefix.into());
            self
        }
    };
}
pub(crate) use setters;
