//! What callers may count on of the public types: they go to other threads, and calls can be sent twice.

use etcd_proto::v2::auth::{AuthOperation, AuthStatus, Password, Permissions, Role, User, UserChange};
use etcd_proto::v2::cluster::{ClusterOperation, Health, Version};
use etcd_proto::v2::keys::{KeysOperation, Set, Watch};
use etcd_proto::v2::members::{Member, MembersOperation};
use etcd_proto::v2::stats::{LeaderStats, MemberStats, StatsOperation, StoreStats};
use etcd_proto::v2::{
    Action, ApiError, Call, Compare, ErrorCode, EventDecoder, EventStream, Header, Index, Key, KeysEvent,
    KeysResponse, Node, Operation, Request, Response, Splitter, Ttl, WatchResponse,
};
use etcd_proto::{Error, ErrorKind, Idempotence, Outcome};

const fn plain_value<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
const fn shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
const fn sent<T: Send + 'static>() {}
const fn call<T: Call>() {}

/// Checked when this file is compiled.
const _: () = {
    plain_value::<Operation>();
    plain_value::<KeysOperation>();
    plain_value::<MembersOperation>();
    plain_value::<StatsOperation>();
    plain_value::<AuthOperation>();
    plain_value::<ClusterOperation>();
    plain_value::<Request>();
    plain_value::<Key>();
    plain_value::<Ttl>();
    plain_value::<Index>();
    plain_value::<Compare>();
    plain_value::<Password>();
    plain_value::<Permissions>();
    plain_value::<Header>();
    plain_value::<Node>();
    plain_value::<Action>();
    plain_value::<KeysEvent>();
    plain_value::<KeysResponse>();
    plain_value::<Member>();
    plain_value::<StoreStats>();
    plain_value::<MemberStats>();
    plain_value::<LeaderStats>();
    plain_value::<AuthStatus>();
    plain_value::<User>();
    plain_value::<UserChange>();
    plain_value::<Role>();
    plain_value::<Version>();
    plain_value::<Health>();
    plain_value::<ApiError>();
    plain_value::<ErrorCode>();
    plain_value::<ErrorKind>();
    plain_value::<Outcome>();
    plain_value::<Idempotence>();
    shared::<Error>();
    shared::<Splitter>();
    shared::<EventDecoder>();
    // An answer may hold a stream that only one thread reads at a time.
    sent::<EventStream>();
    sent::<WatchResponse>();
    sent::<Response>();
    call::<Set>();
    call::<Watch>();
};

#[test]
fn an_error_can_be_boxed_and_found_again() {
    let error: Box<dyn std::error::Error + Send + Sync> = Box::new(Key::new("").unwrap_err());
    assert_eq!(error.downcast_ref::<Error>().unwrap().kind(), ErrorKind::InvalidKey);
}
