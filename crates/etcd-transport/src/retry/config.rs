//! What a user can set about repetitions.

use super::{Backoff, Budget};

/// What a transport repeats, for [`Builder::retry`](crate::Builder::retry).
///
/// | setting | default |
/// | --- | --- |
/// | [`backoff`](Self::backoff) | full jitter, 25 ms to 1 s |
/// | [`budget`](Self::budget) | 20 % of the calls and 10 per second |
/// | [`max_attempts`](Self::max_attempts) | no limit but the deadline and the budget |
/// | [`reissue`](Self::reissue) | on |
///
/// ```
/// use etcd_transport::{Endpoints, RetryConfig, Transport};
///
/// let retry = RetryConfig::new().max_attempts(Some(5)).reissue(false);
/// let transport = Transport::builder(Endpoints::parse("a, b, c")?).retry(retry).build()?;
/// # drop(transport);
/// # Ok::<(), etcd_transport::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until they are given to a builder"]
pub struct RetryConfig {
    pub(crate) backoff: Backoff,
    pub(crate) budget: Option<Budget>,
    pub(crate) max_attempts: Option<usize>,
    pub(crate) repeat: bool,
    pub(crate) reissue: bool,
}

impl RetryConfig {
    /// With the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// What may have been done is not sent again, and each server is asked once. A call goes on to the next only
    /// where there is no connection or no trust, or where the answer of one proves that it is the wrong one and did nothing:
    /// it is of another cluster, its read is too old (`IndexWentBack`), or it is not the leader whom
    /// [`CallContext::leader_only`](crate::CallContext::leader_only) asks for. As [`CallContext::retry`](crate::CallContext::retry) off for every call.
    pub fn off() -> Self {
        Self { repeat: false, ..Self::default() }
    }

    /// The pauses between rounds over the endpoints.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How much may be repeated in all; `None` for no bound.
    ///
    /// Without one, a client whose servers all fail sends each call until its deadline, and keeps them from
    /// coming back.
    pub fn budget(mut self, budget: Option<Budget>) -> Self {
        self.budget = budget;
        self
    }

    /// How many attempts a call may make that does not say so itself; `None` for as many as its time and the
    /// budget allow. 1 sends it once, to one server, even if that cannot be reached; 0 counts as 1.
    pub fn max_attempts(mut self, attempts: Option<usize>) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Whether calls that allow it are sent a second time while the first copy has no answer, see
    /// [`ReissueLayer`](crate::ReissueLayer).
    pub fn reissue(mut self, reissue: bool) -> Self {
        self.reissue = reissue;
        self
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            budget: Some(Budget::default()),
            max_attempts: None,
            repeat: true,
            reissue: true,
        }
    }
}
