//! Any call of the v2 API as one value.

use bytes::Bytes;
use http::{HeaderMap, Request as HttpRequest, StatusCode};

use super::auth::AuthOperation;
use super::cluster::ClusterOperation;
use super::keys::{KeysOperation, Watch};
use super::members::MembersOperation;
use super::stats::StatsOperation;
use super::{ApiError, Call, Key, Response, decode};
use crate::{Error, Idempotence, Outcome};

/// Any call of the v2 API, as a value that a layer can inspect and rewrite.
///
/// Exhaustive on purpose: the v2 API is complete, and a layer that must look at every call should not compile
/// when it forgets one.
///
/// # Examples
/// ```
/// use etcd_proto::v2::keys::{Delete, KeysOperation};
/// use etcd_proto::v2::{Key, Operation};
///
/// let mut operation = Operation::from(Delete::new(Key::new("/db")?));
/// assert_eq!(operation.name(), "delete");
/// if let Operation::Keys(call) = &mut operation {
///     *call.key_mut() = Key::new("/tenant-7")?.join(call.key())?;
///     assert!(matches!(call, KeysOperation::Delete(_)));
/// }
/// assert_eq!(operation.encode()?.uri(), "/v2/keys/tenant-7/db");
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Operation {
    /// Keys and directories.
    Keys(KeysOperation),
    /// One poll or stream of a watch.
    Watch(Watch),
    /// Members of the cluster.
    Members(MembersOperation),
    /// Statistics.
    Stats(StatsOperation),
    /// Users, roles and permissions.
    Auth(AuthOperation),
    /// Machines, version and health.
    Cluster(ClusterOperation),
}

impl Operation {
    /// Name of the call for spans and messages, such as `set` or `compare and swap`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Keys(operation) => operation.name(),
            Self::Watch(_) => <Watch as Call>::NAME,
            Self::Members(operation) => operation.name(),
            Self::Stats(operation) => operation.name(),
            Self::Auth(operation) => operation.name(),
            Self::Cluster(operation) => operation.name(),
        }
    }

    /// The key that the call is about; `None` for calls that are about no key.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::Keys(operation) => Some(operation.key()),
            Self::Watch(watch) => Some(&watch.key),
            Self::Members(_) | Self::Stats(_) | Self::Auth(_) | Self::Cluster(_) => None,
        }
    }

    /// Whether the call may be sent twice, before the caller has said anything.
    ///
    /// | call | class |
    /// | --- | --- |
    /// | get, watch, all lists, statistics, machines, version, health | `Read` |
    /// | create, create dir | `Guarded` |
    /// | compare-and-swap, compare-and-delete, refresh, with an index in the condition | `Guarded` |
    /// | the same with a value only; refresh without condition | `Once` |
    /// | set, update, delete, set dir, update dir, delete dir | `Once` |
    /// | both creations in order | `Once` |
    /// | member remove | `Guarded` |
    /// | member add and update, all changes of users, roles and auth | `Once` |
    ///
    /// ```
    /// use etcd_proto::Idempotence;
    /// use etcd_proto::v2::keys::CompareAndDelete;
    /// use etcd_proto::v2::{Compare, Key, Operation};
    ///
    /// let lock = Key::new("/lock")?;
    /// let delete = |compare| Operation::from(CompareAndDelete::new(lock.clone(), compare));
    /// assert_eq!(delete(Compare::index(7).build()?).idempotence(), Idempotence::Guarded);
    /// // "mine" may be written again before a second copy comes.
    /// assert_eq!(delete(Compare::value("mine").build()?).idempotence(), Idempotence::Once);
    /// # Ok::<(), etcd_proto::Error>(())
    /// ```
    #[must_use]
    pub fn idempotence(&self) -> Idempotence {
        match self {
            Self::Keys(operation) => operation.idempotence(),
            Self::Watch(watch) => watch.idempotence(),
            Self::Members(operation) => operation.idempotence(),
            Self::Stats(_) | Self::Cluster(_) => Idempotence::Read,
            Self::Auth(operation) => operation.idempotence(),
        }
    }

    /// Whether the caller may declare the call [`Idempotence::Idempotent`]: set, update, refresh, delete and
    /// their like for directories. The word is given in [`Request::idempotent`](super::Request::idempotent).
    #[must_use]
    pub fn may_be_idempotent(&self) -> bool {
        match self {
            Self::Keys(operation) => operation.may_be_idempotent(),
            Self::Watch(_) | Self::Members(_) | Self::Stats(_) | Self::Auth(_) | Self::Cluster(_) => false,
        }
    }

    /// Whether only the leader answers the call, so that a refusal sends it on to the next member.
    #[must_use]
    pub fn is_leader_only(&self) -> bool {
        match self {
            Self::Members(operation) => operation.is_leader_only(),
            Self::Stats(operation) => operation.is_leader_only(),
            Self::Keys(_) | Self::Watch(_) | Self::Auth(_) | Self::Cluster(_) => false,
        }
    }

    /// The HTTP request of the call, with a URI of path and query only.
    ///
    /// # Errors
    /// [`ErrorKind::RequestTooLong`](crate::ErrorKind::RequestTooLong),
    /// [`ErrorKind::InvalidName`](crate::ErrorKind::InvalidName): nothing may be sent then.
    pub fn encode(&self) -> Result<HttpRequest<Bytes>, Error> {
        match self {
            Self::Keys(operation) => operation.encode(),
            Self::Watch(watch) => watch.encode(),
            Self::Members(operation) => operation.encode(),
            Self::Stats(operation) => operation.encode(),
            Self::Auth(operation) => operation.encode(),
            Self::Cluster(operation) => operation.encode(),
        }
    }

    /// The typed answer to the call, from an HTTP response read to its end.
    ///
    /// Of a watch it takes a poll that has ended, and makes a stream of its one event. To see events as they
    /// come, use [`decode_watch_head`](Self::decode_watch_head) and [`EventDecoder`](super::EventDecoder).
    ///
    /// # Errors
    /// [`ErrorKind::Api`](crate::ErrorKind::Api) where etcd answered with an error, and the other kinds for
    /// what is no answer of etcd's v2 API; each with the outcome that it proves.
    pub fn decode(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<Response, Error> {
        let below_v2 =
            !matches!(self, Self::Cluster(ClusterOperation::GetVersion(_) | ClusterOperation::GetHealth(_)));
        let writes = !self.idempotence().is_read();
        let answer = decode::Answer { status, headers, body, writes, below_v2 };
        match self {
            Self::Keys(operation) => decode::keys(operation, &answer),
            Self::Watch(_) => decode::watch_event(&answer),
            Self::Members(operation) => operation.decode(&answer),
            Self::Stats(operation) => operation.decode(&answer),
            Self::Auth(operation) => operation.decode(&answer),
            Self::Cluster(operation) => operation.decode(&answer),
        }
    }

    /// The error for an error answer that has been read already, such as by a layer below.
    ///
    /// As [`Error::from_api`], but what a call that only reads leaves behind is always
    /// [`Outcome::NotApplied`].
    #[must_use]
    pub fn error(&self, api: ApiError) -> Error {
        let outcome = if self.idempotence().is_read() { Outcome::NotApplied } else { api.outcome() };
        Error::from_api(api).with_outcome(outcome)
    }

    /// The head of an answer to a watch: the state of the store when the watch was opened.
    ///
    /// # Errors
    /// As for [`decode`](Self::decode), for a status other than 200; `body` is what such an answer holds.
    pub fn decode_watch_head(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<super::Header, Error> {
        let answer = decode::Answer { status, headers, body, writes: false, below_v2: true };
        answer.head()
    }
}

#[cfg(test)]
mod tests;
