//! Statistics. Each counts for the answering member only.
//!
//! | call | path | answers |
//! | --- | --- | --- |
//! | [`GetStoreStats`] | `/v2/stats/store` | any member |
//! | [`GetMemberStats`] | `/v2/stats/self` | any member |
//! | [`GetLeaderStats`] | `/v2/stats/leader` | the leader; 403 from all others |
//!
//! Open to all, also where auth is on. Fields that a server leaves out are 0 or empty here, and answers carry
//! no index of the store.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request};
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use super::Response;
use super::call::calls;
use super::decode::Answer;
use super::encode::RequestBuilder;
use crate::Error;

/// Any call for statistics.
#[derive(Clone, Debug)]
pub enum StatsOperation {
    /// Counts of keys calls.
    GetStoreStats(GetStoreStats),
    /// The answering member.
    GetMemberStats(GetMemberStats),
    /// The leader's view of its followers.
    GetLeaderStats(GetLeaderStats),
}

/// Asks the answering member how many keys calls of each sort it has seen.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GetStoreStats {}

/// Asks the answering member about itself.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GetMemberStats {}

/// Asks the leader about its followers. Other members refuse, and the next one is asked.
///
/// # Examples
/// ```
/// use etcd_proto::v2::Operation;
/// use etcd_proto::v2::stats::GetLeaderStats;
/// use http::{HeaderMap, StatusCode};
///
/// let ask = Operation::from(GetLeaderStats::new());
/// assert!(ask.is_leader_only());
/// let body = br#"{"message":"not current leader"}"#;
/// let error = ask.decode(StatusCode::FORBIDDEN, &HeaderMap::new(), body).unwrap_err();
/// assert!(error.api().unwrap().is_not_leader());
/// ```
///
/// A leader that was cut off from the others goes on answering for about 1 s.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GetLeaderStats {}

impl GetStoreStats {
    /// Asks for the counts.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl GetMemberStats {
    /// Asks the answering member about itself.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl GetLeaderStats {
    /// Asks the leader about its followers.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

/// Fields that this crate does not know, each with its JSON text.
pub type OtherFields = BTreeMap<String, String>;

/// How many keys calls of each sort the answering member has seen since it started.
///
/// Writes and quorum reads count on every member, since each applies them; other reads and watches only where
/// they were made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is etcd's own counter of that name")]
pub struct StoreStats {
    pub gets_success: u64,
    /// Also grows by 1 with every keys call as long as auth was never set up: the server looks for users.
    pub gets_fail: u64,
    pub sets_success: u64,
    pub sets_fail: u64,
    pub delete_success: u64,
    pub delete_fail: u64,
    pub update_success: u64,
    pub update_fail: u64,
    pub create_success: u64,
    pub create_fail: u64,
    pub compare_and_swap_success: u64,
    pub compare_and_swap_fail: u64,
    pub compare_and_delete_success: u64,
    pub compare_and_delete_fail: u64,
    /// Keys and directories whose ttl ran out; a directory counts once, whatever was in it.
    pub expire_count: u64,
    /// Polls and streams that are open just now.
    pub watchers: u64,
    #[serde(flatten, deserialize_with = "other_fields", skip_serializing)]
    pub other: OtherFields,
}

/// What a member says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct MemberStats {
    /// Its name.
    pub name: String,
    /// Its id in hexadecimal; empty in 0.x.
    pub id: String,
    /// `StateLeader`, `StateFollower`, …; `leader`, `follower` or empty in 0.x.
    pub state: String,
    /// When it started, in RFC 3339.
    pub start_time: String,
    /// What it knows of the leader.
    pub leader_info: LeaderInfo,
    /// Append requests received.
    #[serde(rename = "recvAppendRequestCnt")]
    pub received_append_requests: u64,
    /// Packages received per second; 0 where the server sends none.
    #[serde(rename = "recvPkgRate")]
    pub received_packages_per_second: f64,
    /// Bytes received per second; 0 where the server sends none.
    #[serde(rename = "recvBandwidthRate")]
    pub received_bytes_per_second: f64,
    /// Append requests sent.
    #[serde(rename = "sendAppendRequestCnt")]
    pub sent_append_requests: u64,
    /// Packages sent per second; 0 where the server sends none.
    #[serde(rename = "sendPkgRate")]
    pub sent_packages_per_second: f64,
    /// Bytes sent per second; 0 where the server sends none.
    #[serde(rename = "sendBandwidthRate")]
    pub sent_bytes_per_second: f64,
    /// Fields that this crate does not know, each with its JSON text.
    #[serde(flatten, deserialize_with = "other_fields", skip_serializing)]
    pub other: OtherFields,
}

/// What a member knows of the leader.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct LeaderInfo {
    /// The leader's id in hexadecimal; its name in 0.x.
    pub leader: String,
    /// How long it leads, as a Go duration such as `29.6s`.
    pub uptime: String,
    /// Since when it leads, in RFC 3339; empty in 0.3.
    pub start_time: String,
}

/// The leader's view of its followers; a cluster of one has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct LeaderStats {
    /// The leader's id in hexadecimal; its name in 0.x.
    pub leader: String,
    /// By id, or by name in 0.x.
    #[serde(deserialize_with = "super::decode::null_as_default")]
    pub followers: BTreeMap<String, FollowerStats>,
    /// Fields that this crate does not know, each with its JSON text.
    #[serde(flatten, deserialize_with = "other_fields", skip_serializing)]
    pub other: OtherFields,
}

/// The leader's view of one follower.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct FollowerStats {
    /// How long its answers take.
    pub latency: Latency,
    /// How many answered.
    pub counts: Counts,
}

/// How long a follower's answers take, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Latency {
    /// The last one.
    pub current: f64,
    /// Mean of all.
    pub average: f64,
    /// Standard deviation of all.
    pub standard_deviation: f64,
    /// The shortest; 2<sup>63</sup> until one has succeeded.
    pub minimum: f64,
    /// The longest.
    pub maximum: f64,
}

/// How many append requests a follower has answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Counts {
    /// Not answered, or refused.
    pub fail: u64,
    /// Answered.
    pub success: u64,
}

impl StatsOperation {
    pub(super) fn is_leader_only(&self) -> bool {
        match self {
            Self::GetLeaderStats(_) => true,
            Self::GetStoreStats(_) | Self::GetMemberStats(_) => false,
        }
    }

    pub(super) fn encode(&self) -> Result<Request<Bytes>, Error> {
        let path = match self {
            Self::GetStoreStats(_) => "/v2/stats/store",
            Self::GetMemberStats(_) => "/v2/stats/self",
            Self::GetLeaderStats(_) => "/v2/stats/leader",
        };
        RequestBuilder::new(Method::GET, path).build()
    }

    pub(super) fn decode(&self, answer: &Answer<'_>) -> Result<Response, Error> {
        match self {
            Self::GetStoreStats(_) => answer.json().map(Response::StoreStats),
            Self::GetMemberStats(_) => answer.json().map(Response::MemberStats),
            Self::GetLeaderStats(_) => answer.json().map(Response::LeaderStats),
        }
    }
}

fn other_fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OtherFields, D::Error> {
    let fields = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
    Ok(fields.into_iter().map(|(name, value)| (name, value.to_string())).collect())
}

calls!(Stats(StatsOperation):
    GetStoreStats, "store stats" -> StoreStats(StoreStats),
    GetMemberStats, "member stats" -> MemberStats(MemberStats),
    GetLeaderStats, "leader stats" -> LeaderStats(LeaderStats),
);

#[cfg(test)]
mod tests;
