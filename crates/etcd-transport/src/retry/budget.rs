//! How much may be repeated.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tower::retry::budget::{Budget as _, TpsBudget};

/// How many requests may be sent again, shared by the clones of a transport.
///
/// When servers fail, each client that repeats makes it worse. A budget bounds that whatever happens: each
/// call pays in a fifth of a repetition, each repetition and re-issue takes a whole one out, and 10 per second
/// are free. What was paid in lasts 10 s, on tokio's clock.
///
/// | | takes from the budget |
/// | --- | --- |
/// | the next endpoint of a round where there was no connection | no |
/// | any other repetition; each round but the first | yes |
/// | a re-issue | yes |
/// | a call with [`CallContext::budget_exempt`](crate::CallContext::budget_exempt) | no |
///
/// With an empty budget the caller gets the last failure;
/// [`Attempts::is_budget_empty`](crate::Attempts::is_budget_empty) says so.
///
/// Clones share it: one budget can be given to several transports.
///
/// ```
/// use etcd_transport::retry::Budget;
///
/// let strict = Budget::new(0.1, 2); // 10 % and 2 per second
/// # drop(strict);
/// ```
#[derive(Clone)]
pub struct Budget(Arc<TpsBudget>);

impl Budget {
    /// So many repetitions for each call, and so many per second beside that.
    ///
    /// `share` is kept within 0 and 10 (0.2 is 20 %), `per_second` below 1,000,000.
    #[must_use]
    pub fn new(share: f32, per_second: u32) -> Self {
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 10.0) };
        Self(Arc::new(TpsBudget::new(WINDOW, per_second.min(1_000_000), share)))
    }

    /// A call begins.
    pub(crate) fn deposit(&self) {
        self.0.deposit();
    }

    /// Takes one repetition; `false` if there is none.
    pub(crate) fn withdraw(&self) -> bool {
        self.0.withdraw()
    }
}

impl Default for Budget {
    /// 20 % and 10 per second.
    fn default() -> Self {
        Self::new(0.2, 10)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Budget")
    }
}

/// How long a deposit lasts.
const WINDOW: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(budget: &Budget) -> usize {
        (0..10_000).take_while(|_| budget.withdraw()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn it_grants_a_share_of_the_calls_and_a_reserve_for_ten_seconds() {
        let budget = Budget::default();
        (0..50).for_each(|_| budget.deposit());
        assert_eq!(taken(&budget.clone()), 10 + 100);
        assert!(!budget.withdraw());
        // On tokio's clock, or this would take ten seconds.
        tokio::time::advance(Duration::from_secs(12)).await;
        assert_eq!(taken(&budget), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn what_makes_no_sense_is_taken_as_the_nearest_that_does() {
        assert_eq!(taken(&Budget::new(-1.0, 0)), 0);
        assert_eq!(taken(&Budget::new(f32::NAN, 1)), 10);
        assert_eq!(taken(&Budget::new(f32::INFINITY, 0)), 0);
    }
}
