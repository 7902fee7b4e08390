//! How long calls may take, and how large answers may be.

use std::time::Duration;

use etcd_proto::Idempotence;
use etcd_proto::v2::Operation;
use etcd_transport::Endpoint;

/// Limits of a client's calls, by the sort of call.
///
/// | | reads | keys writes | members and auth writes | watch |
/// | --- | --- | --- | --- | --- |
/// | attempt | 5 s | 8 s | 16 s | none |
/// | call | 15 s | 15 s | 30 s | none |
///
/// An attempt of a write waits longer than the 7 s after which etcd itself gives up, so that its answer is
/// heard; auth writes take the server up to 14 s.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Overrides of the client; `None`: the table.
    pub(crate) attempt: Option<Duration>,
    pub(crate) call: Option<Duration>,
    /// Bytes of an answer.
    pub(crate) response: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { attempt: None, call: None, response: 64 * 1024 * 1024 }
    }
}

/// What one call says differently from its client.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallOptions {
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) leader_first: bool,
    /// How many members on from the one that calls begin with, see [`etcd_transport::CallContext::turn`].
    pub(crate) turn: usize,
    pub(crate) monotonic_reads: Option<bool>,
    /// What may be repeated, and how often; `None`: the defaults of the codec and the transport.
    pub(crate) retry: Option<bool>,
    pub(crate) max_attempts: Option<usize>,
    pub(crate) reissue: Option<bool>,
    pub(crate) budget_exempt: bool,
    /// Whether an unknown outcome of a guarded write is to be resolved: then it may be repeated below as well.
    pub(crate) resolve: bool,
}

impl CallOptions {
    /// Whether a second copy may go out while the first is silent.
    ///
    /// Reads by default, and what a resolver stands behind. For a call that was only declared idempotent it takes a
    /// second word: the early copy may land after a later write of the same caller.
    pub(crate) fn reissue(&self, idempotence: Idempotence) -> bool {
        self.reissue.unwrap_or(match idempotence {
            Idempotence::Read => true,
            Idempotence::Guarded => self.resolve,
            Idempotence::Idempotent | Idempotence::Once => false,
        })
    }
}

impl Limits {
    /// Limit of one attempt; `None` for none.
    pub(crate) fn attempt(&self, operation: &Operation, options: &CallOptions) -> Option<Duration> {
        let default = match Class::of(operation) {
            Class::Watch => return options.attempt_timeout,
            Class::Read => READ_ATTEMPT,
            Class::KeysWrite => KEYS_WRITE_ATTEMPT,
            Class::AdminWrite => ADMIN_WRITE_ATTEMPT,
        };
        options.attempt_timeout.or(self.attempt).or(Some(default))
    }

    /// Limit of the call with all its attempts; `None` for none.
    pub(crate) fn call(&self, operation: &Operation, options: &CallOptions) -> Option<Duration> {
        let default = match Class::of(operation) {
            Class::Watch => return options.call_timeout,
            Class::Read | Class::KeysWrite => CALL,
            Class::AdminWrite => ADMIN_CALL,
        };
        options.call_timeout.or(self.call).or(Some(default))
    }
}

/// What the limits depend on.
enum Class {
    Read,
    KeysWrite,
    AdminWrite,
    Watch,
}

impl Class {
    fn of(operation: &Operation) -> Self {
        match operation {
            Operation::Watch(_) => Self::Watch,
            _ if operation.idempotence().is_read() => Self::Read,
            Operation::Keys(_) => Self::KeysWrite,
            Operation::Members(_) | Operation::Auth(_) => Self::AdminWrite,
            Operation::Stats(_) | Operation::Cluster(_) => Self::Read,
        }
    }
}

const READ_ATTEMPT: Duration = Duration::from_secs(5);
const KEYS_WRITE_ATTEMPT: Duration = Duration::from_secs(8);
const ADMIN_WRITE_ATTEMPT: Duration = Duration::from_secs(16);
const CALL: Duration = Duration::from_secs(15);
const ADMIN_CALL: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use etcd_proto::v2::Key;
    use etcd_proto::v2::auth::EnableAuth;
    use etcd_proto::v2::keys::{Get, Set, Watch};
    use etcd_proto::v2::members::RemoveMember;

    use super::*;

    fn secs(
        limits: &Limits,
        operation: impl Into<Operation>,
        options: &CallOptions,
    ) -> (Option<u64>, Option<u64>) {
        let operation = operation.into();
        let secs = |limit: Option<Duration>| limit.map(|limit| limit.as_secs());
        (secs(limits.attempt(&operation, options)), secs(limits.call(&operation, options)))
    }

    #[test]
    fn each_sort_of_call_has_its_limits_and_a_watch_has_none() {
        let (limits, options) = (Limits::default(), CallOptions::default());
        assert_eq!(secs(&limits, Get::new(Key::root()), &options), (Some(5), Some(15)));
        assert_eq!(secs(&limits, Set::new(Key::root(), ""), &options), (Some(8), Some(15)));
        assert_eq!(secs(&limits, RemoveMember::new("1"), &options), (Some(16), Some(30)));
        assert_eq!(secs(&limits, EnableAuth::new(), &options), (Some(16), Some(30)));
        assert_eq!(secs(&limits, Watch::new(Key::root()), &options), (None, None));
    }

    #[test]
    fn a_call_overrides_its_client_and_the_client_overrides_the_table() {
        let limits =
            Limits { attempt: Some(Duration::from_secs(1)), call: Some(Duration::from_secs(2)), response: 1 };
        let options = CallOptions { call_timeout: Some(Duration::from_secs(9)), ..CallOptions::default() };
        assert_eq!(secs(&limits, Set::new(Key::root(), ""), &options), (Some(1), Some(9)));
        assert_eq!(secs(&limits, Watch::new(Key::root()), &CallOptions::default()), (None, None));
    }
}
