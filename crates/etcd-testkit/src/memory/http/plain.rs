//! Statistics, machines, version, health and metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderValue;
use http::{Response, StatusCode};
use serde::Serialize;

use super::Call;
use super::answer::{Answer, JSON, Stalled, TEXT, message, typed};
use crate::memory::{Contact, Store, json, time};

/// `/v2/stats/self`, in etcd's order. The rates, which etcd leaves out when 0, are always left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SelfStats {
    name: String,
    id: String,
    state: &'static str,
    start_time: String,
    leader_info: LeaderInfo,
    recv_append_request_cnt: u64,
    send_append_request_cnt: u64,
}

/// What a member knows of the leader; the uptime is a span as Go prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LeaderInfo {
    leader: String,
    uptime: String,
    start_time: String,
}

/// `/v2/stats/leader`: the leader's view of the others, by id.
#[derive(Serialize)]
struct LeaderStats {
    leader: String,
    followers: BTreeMap<String, Follower>,
}

/// One follower.
#[derive(Serialize)]
struct Follower {
    latency: Latency,
    counts: Counts,
}

/// How long a follower's answers take, in milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Latency {
    current: f64,
    average: f64,
    standard_deviation: f64,
    minimum: f64,
    maximum: f64,
}

/// How many of the leader's messages a follower has answered.
#[derive(Serialize)]
struct Counts {
    fail: u64,
    success: u64,
}

impl Store {
    /// `/v2/machines`: client URLs of all members, as text.
    pub(crate) fn handle_machines(&self, call: &Call<'_>) -> Response<Bytes> {
        if let Some(refused) = call.refused("GET,HEAD") {
            return refused;
        }
        typed(StatusCode::OK, TEXT, self.machines().join(", "))
    }

    /// `/v2/stats/self`. Append requests are taken for as many as the log has entries.
    pub(crate) fn handle_self_stats(&self, call: &Call<'_>) -> Response<Bytes> {
        if let Some(refused) = call.refused("GET") {
            return refused;
        }
        let leader = self.leader_seen_by(call.member);
        let leads = leader == Some(call.member);
        let is_alone = self.others(call.member).next().is_none();
        let entries = if is_alone { 0 } else { self.keys_of(call.member).raft_index };
        let (started, leads_since) = self.times();
        let stats = SelfStats {
            name: self.member(call.member).map(|member| member.name.clone()).unwrap_or_default(),
            id: self.member(call.member).map(|member| member.hex_id()).unwrap_or_default(),
            state: if leads { "StateLeader" } else { "StateFollower" },
            start_time: time::rfc3339(started),
            leader_info: LeaderInfo {
                leader: self.leader_id(leader),
                uptime: time::go_duration(call.now.saturating_sub(leads_since)),
                start_time: time::rfc3339(leads_since),
            },
            recv_append_request_cnt: if leads { 0 } else { entries },
            send_append_request_cnt: if leads { entries } else { 0 },
        };
        typed(StatusCode::OK, JSON, json::encode(&stats))
    }

    /// `/v2/stats/store`: the counters of the asked member.
    pub(crate) fn handle_store_stats(&self, call: &Call<'_>) -> Response<Bytes> {
        if let Some(refused) = call.refused("GET") {
            return refused;
        }
        typed(StatusCode::OK, JSON, json::encode(&self.counters(call.member)))
    }

    /// `/v2/stats/leader`: only of who believes that it leads. The latencies are made up.
    pub(crate) fn handle_leader_stats(&self, call: &Call<'_>) -> Response<Bytes> {
        if let Some(refused) = call.refused("GET") {
            return refused;
        }
        if self.leader_seen_by(call.member) != Some(call.member) {
            return message(StatusCode::FORBIDDEN, "not current leader");
        }
        let success = self.agreed_keys().raft_index;
        let followers = self
            .others(call.member)
            .map(|member| {
                let latency = Latency {
                    current: 0.001,
                    average: 0.0015,
                    standard_deviation: 0.0005,
                    minimum: 0.0005,
                    maximum: 0.004,
                };
                (member.hex_id(), Follower { latency, counts: Counts { fail: 0, success } })
            })
            .collect();
        let stats = LeaderStats { leader: self.leader_id(Some(call.member)), followers };
        typed(StatusCode::OK, JSON, json::encode(&stats))
    }

    /// `/version`.
    pub(crate) fn handle_version(&self, call: &Call<'_>) -> Response<Bytes> {
        if let Some(refused) = call.refused("GET") {
            return refused;
        }
        let version = self.profile().version();
        let (major, minor) = (version.major, version.minor);
        let body = format!("{{\"etcdserver\":\"{version}\",\"etcdcluster\":\"{major}.{minor}.0\"}}");
        typed(StatusCode::OK, JSON, body)
    }

    /// `/health`: a read by consensus, with 1 s for it where the member believes in a leader.
    pub(crate) fn handle_health(&self, call: &Call<'_>) -> Answer {
        if let Some(refused) = call.refused("GET") {
            return Answer::Complete(refused);
        }
        if self.can_commit(call.member) {
            return Answer::Complete(typed(StatusCode::OK, TEXT, self.health("true", "")));
        }
        let unhealthy = |reason| typed(StatusCode::SERVICE_UNAVAILABLE, TEXT, self.health("false", reason));
        let contact = self.member(call.member).map_or(Contact::NoLeader, |member| member.contact);
        if contact == Contact::NoLeader || self.leader_seen_by(call.member).is_none() {
            return Answer::Complete(unhealthy("RAFT NO LEADER"));
        }
        let response = unhealthy("QGET ERROR:etcdserver: request timed out");
        Answer::NoQuorum(Stalled { after: HEALTH_TIMEOUT, response })
    }

    /// `/metrics`: enough to see that it is one.
    pub(crate) fn handle_metrics(&self, call: &Call<'_>) -> Response<Bytes> {
        if let Some(refused) = call.refused("GET") {
            return refused;
        }
        let version = self.profile().version();
        let (major, minor) = (version.major, version.minor);
        let has_leader = i32::from(self.leader_seen_by(call.member).is_some());
        let body = format!(
            "# HELP etcd_cluster_version Which version is running. 1 for 'cluster_version' label with current \
             cluster version\n# TYPE etcd_cluster_version gauge\n\
             etcd_cluster_version{{cluster_version=\"{major}.{minor}\"}} 1\n\
             # HELP etcd_server_has_leader Whether or not a leader exists. 1 is existence, 0 is not.\n\
             # TYPE etcd_server_has_leader gauge\netcd_server_has_leader {has_leader}\n\
             # HELP etcd_server_version Which version is running. 1 for 'server_version' label with current \
             version.\n# TYPE etcd_server_version gauge\netcd_server_version{{server_version=\"{version}\"}} 1\n"
        );
        typed(StatusCode::OK, HeaderValue::from_static(self.profile().metrics_content_type()), body)
    }

    /// The body of `/health`: the value is a text, not a flag.
    fn health(&self, health: &str, reason: &str) -> String {
        if self.profile().health_has_reason() {
            format!("{{\"health\":\"{health}\",\"reason\":\"{reason}\"}}")
        } else {
            format!("{{\"health\":\"{health}\"}}")
        }
    }

    /// The id of a leader; 0 for none, as etcd writes it.
    fn leader_id(&self, leader: Option<usize>) -> String {
        leader.and_then(|leader| self.member(leader)).map_or_else(|| "0".into(), |member| member.hex_id())
    }
}

/// How long the read by consensus may take.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);
