//! The rule of retries.

use etcd_proto::Outcome;
use etcd_proto::v2::ApiError;
use http::StatusCode;

use crate::{CallContext, Error, Phase, proof};

/// Decides what follows an attempt, from small inputs.
///
/// One instance serves one call; a copy is made for each. State that calls share belongs into an `Arc`.
///
/// A policy sees what the wire proves, not texts. To repeat a write after an outcome that is unknown may make
/// it happen twice: look at [`CallContext::idempotence`] first.
///
/// ```
/// use etcd_transport::retry::{Decision, End, Ending, Policy, Standard};
///
/// /// As [`Standard`], but a server that has cut an answer off is left alone.
/// #[derive(Clone)]
/// struct Shy(Standard);
///
/// impl Policy for Shy {
///     fn decide(&mut self, ending: &Ending<'_>) -> Decision {
///         match &ending.end {
///             End::Failure { error, .. } if error.is_body_interrupted() => Decision::Return,
///             _ => self.0.decide(ending),
///         }
///     }
/// }
///
/// let layer = etcd_transport::RetryLayer::with_policy(Shy(Standard::new()));
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
        /// Whether [`CollectLayer`](crate::CollectLayer) has seen that this is no answer of etcd: HTML, or
        /// what its content type does not hold.
        foreign: bool,
    },
    /// There is no answer. The outcome in the error is that of this attempt alone.
    #[non_exhaustive]
    Failure {
        /// Why.
        error: &'a Error,
    },
}

/// What follows an attempt.
///
/// Another attempt goes at once to an endpoint that was not asked in this round. When all were, it follows
/// after a pause ([`Backoff`](super::Backoff)), in a new round; so for a pinned call always. The pause takes
/// from the budget, and where it would not end before the call has to, the caller gets how it ended now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The caller gets how it ended.
    Return,
    /// The request never left, or was refused unread: it is sent again. Within a round this is free.
    NextEndpoint,
    /// The request was sent and is sent again. It takes from the budget, and is not done for a call with
    /// [`CallContext::retry`] off.
    Again,
}

/// The rule of a built transport: what was not sent goes on, what may have been sent is repeated where the
/// request says that this does no harm.
///
/// | attempt | `Read`, `Idempotent`, `Guarded` under a resolver | other writes |
/// | --- | --- | --- |
/// | no connection, by the limit of the attempt too, or no trust (TLS) | next endpoint | next endpoint |
/// | cut, reset, limit of the attempt | again; not if it was applied | to the caller |
/// | 5xx of etcd with code 300 or 301; 502, 503, 504 | again | to the caller |
/// | other 5xx; what is no answer of etcd | again, in this round | to the caller |
/// | an answer of another cluster, or an old one | next endpoint, in this round | the same, if nothing was applied |
/// | code 300 with cause `nodePath` (a defect of 3.5) | to the caller | to the caller |
/// | `leader_only`: 403 `not current leader` | next endpoint, in this round | the same |
/// | `leader_only`: 307 | next endpoint, in this round, reads only | to the caller |
/// | any other answer; too large; a layer's own failure | to the caller | to the caller |
///
/// "In this round": every server may say the same for ever, so each is asked once.
#[derive(Clone, Debug, Default)]
pub struct Standard {
    _private: (),
}

impl Standard {
    /// There is nothing to set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Policy for Standard {
    fn decide(&mut self, ending: &Ending<'_>) -> Decision {
        let advice = match ending.end {
            End::Failure { error } => after_failure(ending.context, error),
            End::Answer { status, api, foreign } => after_answer(ending.context, status, api, foreign),
        };
        match advice {
            Advice::Everywhere(decision) => decision,
            Advice::InThisRound(decision) if ending.untried > 0 => decision,
            Advice::InThisRound(_) => Decision::Return,
        }
    }
}

/// How far a decision reaches.
enum Advice {
    /// However often every endpoint was asked.
    Everywhere(Decision),
    /// As long as there are endpoints that were not asked in this round.
    InThisRound(Decision),
}

fn after_failure(context: &CallContext, error: &Error) -> Advice {
    let connecting = error.is_attempt_timeout() && error.phase() == Phase::Connect;
    if (error.is_connect() || connecting) && error.proved().is_not_applied() {
        return Advice::Everywhere(Decision::NextEndpoint);
    }
    // Trust does not come back by asking again.
    if error.is_tls() && error.proved().is_not_applied() {
        return Advice::InThisRound(Decision::NextEndpoint);
    }
    let harmless = context.idempotence.is_read() || error.proved().is_not_applied();
    if error.kind().is_of_this_server() && harmless {
        return Advice::InThisRound(Decision::NextEndpoint);
    }
    // A read has nothing to apply, whatever its head has proved.
    let done = error.proved().is_applied() && !context.idempotence.is_read();
    if error.kind().is_transient() && !error.is_deadline() && context.is_repeatable() && !done {
        Advice::Everywhere(Decision::Again)
    } else {
        Advice::Everywhere(Decision::Return)
    }
}

fn after_answer(context: &CallContext, status: StatusCode, api: Option<&ApiError>, foreign: bool) -> Advice {
    if context.leader_only {
        let unread = context.idempotence.is_read() || Outcome::of_status(status).is_not_applied();
        let follower = status == StatusCode::TEMPORARY_REDIRECT || api.is_some_and(ApiError::is_not_leader);
        if unread && follower {
            return Advice::InThisRound(Decision::NextEndpoint);
        }
    }
    if !context.is_repeatable() {
        return Advice::Everywhere(Decision::Return);
    }
    if proof::lacks_quorum(status, api) || status == StatusCode::SERVICE_UNAVAILABLE {
        // Of what is between, these say that it will pass.
        return match (api, status.as_u16()) {
            (Some(_), _) | (None, 502..=504) => Advice::Everywhere(Decision::Again),
            (None, _) => Advice::InThisRound(Decision::Again),
        };
    }
    let defect = api.is_some_and(ApiError::is_directory_ttl_defect);
    if foreign || (status.is_server_error() && !defect) {
        return Advice::InThisRound(Decision::Again);
    }
    Advice::Everywhere(Decision::Return)
}

#[cfg(test)]
#[path = "policy_test.rs"]
mod tests;
