//! What a request says of itself.
//!
//! It travels in the extensions of the request, so that every layer of others between the client and the
//! transport can read and change it, and none has to know of it.

use std::time::Duration;

use etcd_proto::Idempotence;
use http::Extensions;

use crate::Endpoint;

/// What a request says of itself, in its extensions. Nothing here is guessed from method or path.
///
/// A request without one, also one whose context a layer has lost, counts as [`CallContext::default`]: it is
/// never sent twice.
///
/// ```
/// use etcd_transport::{CallContext, ReqBody};
///
/// let mut context = CallContext::default();
/// context.operation = "get";
/// context.idempotence = etcd_proto::Idempotence::Read;
/// let mut request = http::Request::new(ReqBody::empty());
/// request.extensions_mut().insert(context);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallContext {
    /// What spans call the request, such as `set`; never a key. Default `http`.
    pub operation: &'static str,
    /// Whether it may be sent twice. Default [`Idempotence::Once`].
    pub idempotence: Idempotence,
    /// What to do with the body of the answer. Default: buffered, up to 64 MiB.
    pub body: BodyMode,
    /// Limit of each attempt, connecting included; at the end of it the next endpoint is asked if there was
    /// no connection yet. For a [`BodyMode::Stream`] it ends at the head of the answer. `None` is no limit;
    /// zero fails at once. Default 8 s, above the 7 s after which etcd gives up itself.
    pub attempt_timeout: Option<Duration>,
    /// Limit of the call with all its attempts. For a [`BodyMode::Stream`] it ends at the head of the answer.
    /// `None` is no limit; zero fails at once. Default 15 s.
    pub call_timeout: Option<Duration>,
    /// The only endpoint that may be asked, one of the list; another is an error of kind `InvalidEndpoint`.
    /// Default: any.
    pub pinned: Option<Endpoint>,
    /// Whether only the leader can answer: the others' refusals and redirects lead to the next endpoint.
    /// Default false.
    pub leader_only: bool,
    /// Whether to begin with the leader where one is known, for what every member answers. Unlike
    /// [`leader_only`](Self::leader_only) it changes nothing but the first endpoint. Default false.
    pub leader_first: bool,
    /// How many places behind the one that calls begin with this one begins, round the list: for a watch that is
    /// to be renewed at the next endpoint. Ejected ones are passed by as ever. It moves no other call, is not
    /// heard for one that is pinned or for the leader, and a repeat within the call goes where the call has not
    /// been. [`RoundRobin`](crate::RoundRobin) takes reads round by itself. Default 0.
    pub turn: usize,
    /// Whether an answer older than what the client has seen is refused, for reads. Default `None`: as the
    /// client is set.
    pub monotonic_reads: Option<bool>,
    /// Whether a second copy may be sent while the first has no answer, see
    /// [`ReissueLayer`](crate::ReissueLayer). Heard for what may be repeated only
    /// ([`CallContext::is_repeatable`]). Default false.
    ///
    /// For [`Idempotence::Idempotent`] it says more than that a repeat does no harm: two copies are under way
    /// at once, and the early one may land after a later write of one's own.
    pub reissue: bool,
    /// Whether somebody above finds out what became of a [`Idempotence::Guarded`] request, so that it may be
    /// repeated after an unknown outcome: the answer to a repeat may be a refusal because the first copy
    /// landed. Default false.
    pub resolved: bool,
    /// Whether a request that was sent may be repeated, as its idempotence allows. If not, it goes on to each
    /// endpoint once, and only as [`RetryConfig::off`](crate::RetryConfig::off) says. Default true.
    pub retry: bool,
    /// How many attempts the call may make, failed connects included. 1 asks one server once; 0 counts as 1.
    /// `None`: what the transport's [`RetryConfig`](crate::RetryConfig) says. Default `None`.
    pub max_attempts: Option<usize>,
    /// Whether repetitions take nothing from the [`Budget`](crate::retry::Budget): for renewals, whose loss
    /// costs more than their load. Default false.
    pub budget_exempt: bool,
}

impl CallContext {
    /// Whether the request may be sent again though a copy of it may have arrived: [`Idempotence::Read`] and
    /// [`Idempotence::Idempotent`]; [`Idempotence::Guarded`] where it is [`resolved`](Self::resolved).
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        match self.idempotence {
            Idempotence::Read | Idempotence::Idempotent => true,
            Idempotence::Guarded => self.resolved,
            Idempotence::Once => false,
        }
    }

    /// The context of a request, or the default for one that has none.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }
}

impl Default for CallContext {
    fn default() -> Self {
        Self {
            operation: "http",
            idempotence: Idempotence::Once,
            body: BodyMode::default(),
            attempt_timeout: Some(Duration::from_secs(8)),
            call_timeout: Some(Duration::from_secs(15)),
            pinned: None,
            leader_only: false,
            leader_first: false,
            turn: 0,
            monotonic_reads: None,
            reissue: false,
            resolved: false,
            retry: true,
            max_attempts: None,
            budget_exempt: false,
        }
    }
}

/// What to do with the body of an answer.
///
/// ```
/// use etcd_transport::{BodyMode, CallContext};
///
/// let mut context = CallContext::default();
/// context.body = BodyMode::Buffered { limit: 1 << 20 }; // 1 MiB
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyMode {
    /// Read it inside the attempt, so that a cut body is a failed attempt and its time counts.
    Buffered {
        /// How many bytes to take at most; a longer body is an error.
        limit: usize,
    },
    /// Hand it on as it comes: for watches. Answers with a status of 400 or more are read all the same, up to
    /// 2 MiB.
    Stream,
}

impl Default for BodyMode {
    fn default() -> Self {
        Self::Buffered { limit: DEFAULT_LIMIT }
    }
}

/// 64 MiB: more than any list that etcd 2 answers in reasonable time.
const DEFAULT_LIMIT: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_a_context_is_never_sent_twice() {
        let context = CallContext::of(&Extensions::new());
        assert_eq!(context.idempotence, Idempotence::Once);
        assert!(!context.reissue && !context.leader_only && context.pinned.is_none());
        assert_eq!(context.body, BodyMode::Buffered { limit: 64 * 1024 * 1024 });
    }

    #[test]
    fn the_context_of_a_request_is_taken_as_it_is() {
        let mut extensions = Extensions::new();
        extensions.insert(CallContext { operation: "set", attempt_timeout: None, ..CallContext::default() });
        let context = CallContext::of(&extensions);
        assert_eq!((context.operation, context.attempt_timeout), ("set", None));
    }
}
