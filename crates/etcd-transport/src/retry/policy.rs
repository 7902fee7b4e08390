//! The rule of retries.

use etcd_proto::Outcome;
use etcd_proto::v2::ApiError;
use http::StatusCode;

use crate::{CallContext, Error, Phase};

/// Decides what follows an attempt, from small inputs.
///
/// One instance serves one call; a copy is made for each. State that calls share belongs into an `Arc`.
///
/// A policy sees what the wire proves, not texts. To repeat a write after an outcome that is unknown may make
/// it happen twice: look at [`CallContext::idempotence`] first.
///
/// ```
/// use etcd_transport::retry::{Decision, End, Ending, Failover, Policy};
///
/// /// As [`Failover`], and reads also go on after any passing failure.
/// #[derive(Clone)]
/// struct Reads(Failover);
///
/// impl Policy for Reads {
///     fn decide(&mut self, ending: &Ending<'_>) -> Decision {
///         let read = ending.context.idempotence.is_read() && ending.context.pinned.is_none();
///         match &ending.end {
///             End::Failure { error, .. } if read && error.is_retryable() && ending.untried > 0 => {
///                 Decision::NextEndpoint
///             }
///             _ => self.0.decide(ending),
///         }
///     }
/// }
///
/// let layer = etcd_transport::RetryLayer::with_policy(Reads(Failover::new()));
/// # drop(layer);
/// ```
pub trait Policy {
    /// What follows the attempt that has just ended.
    ///
    /// It is asked after each attempt, also after one with an answer of whatever status, and must not block.
    fn decide(&mut self, ending: &Ending<'_>) -> Decision;
}

/// How an attempt ended, for [`Policy::decide`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Ending<'a> {
    /// What the request says of itself.
    pub context: &'a CallContext,
    /// The answer or the failure.
    pub end: End<'a>,
    /// Attempts begun in this call, this one included: 1 after the first.
    pub attempts: usize,
    /// Endpoints that this call has not asked and may ask; 0 ends the first round, and is the rule for a
    /// pinned call.
    pub untried: usize,
}

/// The answer or the failure that an attempt ended with.
#[derive(Debug)]
#[non_exhaustive]
pub enum End<'a> {
    /// The head of an answer came; a buffered body too.
    #[non_exhaustive]
    Answer {
        /// Its status.
        status: StatusCode,
        /// What [`CollectLayer`](crate::CollectLayer) has read of its body.
        api: Option<&'a ApiError>,
    },
    /// There is no answer. The outcome in the error is that of this attempt alone.
    #[non_exhaustive]
    Failure {
        /// Why.
        error: &'a Error,
    },
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The caller gets how it ended.
    Return,
    /// The request is sent again at once, to an endpoint that this call has not asked.
    ///
    /// With none left it is the same as [`Decision::Return`]: without a pause there is no second round.
    NextEndpoint,
}

/// Goes on to the next endpoint where nothing was sent, until each was asked once. For requests that only the
/// leader can answer also where a member says that it is not the leader.
///
/// Free of risk for every write: what may have been applied is not repeated. What leads on to another
/// endpoint after it was answered is a refusal, or a read.
///
/// | attempt | class | then |
/// | --- | --- | --- |
/// | no connection, also by the limit of the attempt or for want of trust (TLS) | any | next endpoint |
/// | 403 `not current leader` | any, `leader_only` | next endpoint |
/// | 307, 503 | reads, `leader_only` | next endpoint |
/// | anything else | any | to the caller |
///
/// A pinned call has no next endpoint. Backing off, a budget, and repeating what a request says may be
/// repeated are for later versions.
#[derive(Clone, Debug, Default)]
pub struct Failover {
    _private: (),
}

impl Failover {
    /// There is nothing to set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Policy for Failover {
    fn decide(&mut self, ending: &Ending<'_>) -> Decision {
        if ending.untried == 0 || ending.context.pinned.is_some() {
            return Decision::Return;
        }
        let again = match &ending.end {
            End::Failure { error } => {
                let connecting = error.is_attempt_timeout() && error.phase() == Phase::Connect;
                (error.is_connect() || error.is_tls() || connecting) && error.proved().is_not_applied()
            }
            End::Answer { status, api } => {
                ending.context.leader_only
                    && (ending.context.idempotence.is_read() || Outcome::of_status(*status).is_not_applied())
                    && is_refused_by_follower(*status, *api)
            }
        };
        if again { Decision::NextEndpoint } else { Decision::Return }
    }
}

/// 403 with etcd's own words, a redirect to the leader, or no leader known to this member.
fn is_refused_by_follower(status: StatusCode, api: Option<&ApiError>) -> bool {
    status == StatusCode::TEMPORARY_REDIRECT
        || status == StatusCode::SERVICE_UNAVAILABLE
        || api.is_some_and(ApiError::is_not_leader)
}

#[cfg(test)]
mod tests {
    use etcd_proto::Idempotence;
    use http::HeaderMap;

    use super::*;
    use crate::ErrorKind;

    fn decide(context: &CallContext, end: End<'_>, untried: usize) -> Decision {
        Failover::new().decide(&Ending { context, end, attempts: 1, untried })
    }

    fn failure(context: &CallContext, kind: ErrorKind, outcome: Outcome, untried: usize) -> Decision {
        let error = Error::new(kind).of_request(context.idempotence).proves(outcome, Phase::Request);
        decide(context, End::Failure { error: &error }, untried)
    }

    fn leader(idempotence: Idempotence) -> CallContext {
        CallContext { leader_only: true, idempotence, ..CallContext::default() }
    }

    #[test]
    fn only_a_connect_failure_leads_on_and_only_to_untried_endpoints() {
        let context = CallContext::default();
        assert_eq!(failure(&context, ErrorKind::Connect, Outcome::NotApplied, 1), Decision::NextEndpoint);
        assert_eq!(failure(&context, ErrorKind::Connect, Outcome::NotApplied, 0), Decision::Return);
        for kind in [ErrorKind::Interrupted, ErrorKind::AttemptTimeout, ErrorKind::Layer] {
            assert_eq!(failure(&context, kind, Outcome::Unknown, 1), Decision::Return, "{kind:?}");
        }
    }

    #[test]
    fn the_limit_of_an_attempt_leads_on_only_if_it_proves_that_there_was_no_connection() {
        let context = CallContext::default();
        for (outcome, phase, wanted) in [
            (Outcome::NotApplied, Phase::Connect, Decision::NextEndpoint),
            (Outcome::Unknown, Phase::Connect, Decision::Return),
            (Outcome::NotApplied, Phase::Body, Decision::Return),
        ] {
            let error = Error::new(ErrorKind::AttemptTimeout).proves(outcome, phase);
            assert_eq!(decide(&context, End::Failure { error: &error }, 1), wanted, "{outcome} {phase}");
        }
    }

    #[test]
    fn a_connect_failure_after_something_was_sent_does_not_lead_on_even_for_a_read() {
        for idempotence in [Idempotence::Once, Idempotence::Read] {
            let context = CallContext { idempotence, ..CallContext::default() };
            assert_eq!(failure(&context, ErrorKind::Connect, Outcome::Unknown, 1), Decision::Return);
        }
    }

    #[test]
    fn a_pinned_call_asks_nobody_else() {
        let pinned = Some("http://a".parse().unwrap());
        let context = CallContext { pinned, ..CallContext::default() };
        assert_eq!(failure(&context, ErrorKind::Connect, Outcome::NotApplied, 2), Decision::Return);
    }

    #[test]
    fn a_followers_refusal_leads_on_for_requests_to_the_leader_alone() {
        let body = br#"{"message":"not current leader"}"#;
        let api = ApiError::from_response(StatusCode::FORBIDDEN, &HeaderMap::new(), body);
        let refused = || End::Answer { status: StatusCode::FORBIDDEN, api: api.as_ref() };
        assert_eq!(decide(&leader(Idempotence::Read), refused(), 1), Decision::NextEndpoint);
        assert_eq!(decide(&leader(Idempotence::Once), refused(), 1), Decision::NextEndpoint);
        assert_eq!(decide(&CallContext::default(), refused(), 1), Decision::Return);
        let forbidden = End::Answer { status: StatusCode::FORBIDDEN, api: None };
        assert_eq!(decide(&leader(Idempotence::Read), forbidden, 1), Decision::Return);
    }

    #[test]
    fn a_status_that_proves_nothing_leads_on_for_reads_only() {
        for status in [StatusCode::TEMPORARY_REDIRECT, StatusCode::SERVICE_UNAVAILABLE] {
            let answer = || End::Answer { status, api: None };
            assert_eq!(decide(&leader(Idempotence::Read), answer(), 1), Decision::NextEndpoint);
            assert_eq!(decide(&leader(Idempotence::Once), answer(), 1), Decision::Return);
        }
    }
}
