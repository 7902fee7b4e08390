//! The client of etcd's v2 API (etcd 0.4 to 3.5; 3.4 and 3.5 need `--enable-v2`).
//!
//! | for | look at |
//! | --- | --- |
//! | keys and directories | [`Client::get`], [`Client::set`], [`Client::create`], [`Client::compare_and_swap`], … |
//! | waiting for a change | [`Client::watch`] |
//! | changing a value in place | [`Client::modify`] |
//! | members, statistics, users and roles | [`Client::members`], [`Client::stats`], [`Client::auth`] |
//! | the list of servers, members into it | [`Client::endpoints`], [`Client::set_endpoints`], [`Client::sync`] |
//! | machines, version, health | [`Client::machines`], [`Client::version`], [`Client::health`] |
//! | all keys below a prefix | [`Client::namespace`] |
//! | layers of one's own | [`Client::layer`], [`ClientBuilder`] |
//! | plain requests, doubles | [`Client::send`], [`Client::from_service`] |

mod auth;
mod builder;
mod call;
mod client;
mod cluster;
mod codec;
mod endpoint_list;
mod event_body;
mod http_layer;
mod keys;
mod limits;
mod members;
mod namespace;
mod operation_service;
mod resolve;
mod servers;
mod stats;
mod watch;

pub use auth::{Auth, Roles, Users};
pub use builder::ClientBuilder;
pub use call::{Call, Guarded, Repeatable};
pub use client::Client;
pub use endpoint_list::EndpointList;
pub use keys::{
    CompareAndDelete, CompareAndSwap, Create, CreateDir, CreateDirInOrder, CreateInOrder, Delete, DeleteDir,
    EnsureDir, Exists, Get, IntoKey, Modify, PollKey, Refresh, Set, SetDir, Update, UpdateDir,
};
pub use members::{Members, MembersById};
pub use namespace::{Namespace, NamespaceLayer};
pub use operation_service::{DynOperationService, OperationService};
pub use resolve::{Resolve, ResolveLayer};
pub use stats::Stats;
pub use watch::{
    Change, Entry, OnHistoryLost, Position, ResyncCause, Tree, Watch, WatchItem, WatchState, WatchStream,
    WatchUntil,
};

pub use etcd_proto::v2 as proto;
pub use etcd_proto::v2::auth::{AuthStatus, Password, Permissions, Role, User, UserChange, UserRole};
pub use etcd_proto::v2::cluster::{Health, Version};
pub use etcd_proto::v2::keys::{encode_bytes, encode_json};
pub use etcd_proto::v2::members::Member;
pub use etcd_proto::v2::stats::{FollowerStats, LeaderStats, MemberStats, StoreStats};
pub use etcd_proto::v2::{
    Action, ApiError, Compare, CompareBuilder, ErrorCode, EventStream, Header, Index, Key, KeysEvent,
    KeysResponse, Node, Operation, Request, Response, Ttl, WatchResponse,
};
