//! The answer to any call of the v2 API.

use std::fmt;
use std::pin::Pin;

use futures_core::Stream;

use super::Header;
use super::auth::{AuthStatus, Role, User, UserChange};
use super::cluster::{Health, Version};
use super::keys::{KeysEvent, KeysResponse};
use super::members::Member;
use super::stats::{LeaderStats, MemberStats, StoreStats};
use crate::BoxError;

/// The answer to any call of the v2 API.
///
/// Not `Clone`, since a watch is in it. A layer that keeps answers keeps what is inside the other variants; a
/// service that stands in for etcd makes them by the constructors of their types.
#[derive(Debug)]
pub enum Response {
    /// To a keys call.
    Keys(KeysResponse),
    /// To a watch: the head has come, events follow.
    ///
    /// A layer that changes events wraps the stream and leaves its errors and its end as they are:
    /// ```
    /// use std::pin::Pin;
    /// use std::task::{Context, Poll};
    /// use etcd_proto::BoxError;
    /// use etcd_proto::v2::{EventStream, KeysEvent, Response, WatchResponse};
    /// use futures_core::Stream;
    ///
    /// /// Events without the node before.
    /// struct Short(EventStream);
    ///
    /// impl Stream for Short {
    ///     type Item = Result<KeysEvent, BoxError>;
    ///
    ///     fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
    ///         self.0.as_mut().poll_next(cx).map_ok(|mut event| {
    ///             event.prev_node = None;
    ///             event
    ///         })
    ///     }
    /// }
    ///
    /// fn shorten(response: Response) -> Response {
    ///     match response {
    ///         Response::Watch(WatchResponse { header, events, .. }) => {
    ///             Response::Watch(WatchResponse::new(header, Short(events)))
    ///         }
    ///         other => other,
    ///     }
    /// }
    /// ```
    Watch(WatchResponse),
    /// To a list of members.
    Members(Vec<Member>),
    /// To a question for one member, and to an addition.
    Member(Member),
    /// To store statistics.
    StoreStats(StoreStats),
    /// To statistics of the answering member.
    MemberStats(MemberStats),
    /// To statistics of the leader.
    LeaderStats(LeaderStats),
    /// To whether auth is on.
    AuthStatus(AuthStatus),
    /// To a list of users.
    Users(Vec<User>),
    /// To a question for one user.
    User(User),
    /// To a creation or change of a user.
    UserChange(UserChange),
    /// To a list of roles.
    Roles(Vec<Role>),
    /// To a question for one role, and to a creation or change.
    Role(Role),
    /// To a list of client URLs.
    Machines(Vec<String>),
    /// To a question for the version.
    Version(Version),
    /// To a question for the health.
    Health(Health),
    /// To a call that is answered by success alone.
    Done(()),
}

impl Response {
    /// Name of the variant, for messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Keys(_) => "a keys call",
            Self::Watch(_) => "a watch",
            Self::Members(_) => "a list of members",
            Self::Member(_) => "a call for one member",
            Self::StoreStats(_) => "store statistics",
            Self::MemberStats(_) => "member statistics",
            Self::LeaderStats(_) => "leader statistics",
            Self::AuthStatus(_) => "the state of auth",
            Self::Users(_) => "a list of users",
            Self::User(_) => "a call for one user",
            Self::UserChange(_) => "a change of a user",
            Self::Roles(_) => "a list of roles",
            Self::Role(_) => "a call for one role",
            Self::Machines(_) => "a list of machines",
            Self::Version(_) => "the version",
            Self::Health(_) => "the health",
            Self::Done(()) => "a call without content",
        }
    }
}

/// Events of one poll or stream.
///
/// It ends after one event for a poll. It ends without an event, and without an error, where the server gave
/// up: the watch goes on at the same index. An error is its last item.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<KeysEvent, BoxError>> + Send>>;

/// The answer to one poll or stream of a watch: the head has come, events follow.
#[non_exhaustive]
pub struct WatchResponse {
    /// State of the store when the watch was opened; its index is not that of any event.
    pub header: Header,
    /// What follows. Dropping it ends the poll or stream.
    pub events: EventStream,
}

impl WatchResponse {
    /// An answer whose head is `header`, and whose body brings `events`.
    pub fn new(
        header: Header,
        events: impl Stream<Item = Result<KeysEvent, BoxError>> + Send + 'static,
    ) -> Self {
        Self { header, events: Box::pin(events) }
    }
}

impl fmt::Debug for WatchResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchResponse").field("header", &self.header).finish_non_exhaustive()
    }
}
