//! Machines, version and health.
//!
//! | call | path | answered by | without a quorum |
//! | --- | --- | --- | --- |
//! | [`GetMachines`] | `/v2/machines` | text | the list |
//! | [`GetVersion`] | `/version` | JSON, text before 2.1 | the version |
//! | [`GetHealth`] | `/health` | JSON | not healthy, within 1 s |
//!
//! All are open to everybody, also where auth is on. Version and health do not depend on the v2 API being
//! enabled: asking for the version first tells an etcd without it from something that is no etcd.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};

use super::Response;
use super::call::calls;
use super::decode::Answer;
use super::encode::RequestBuilder;
use crate::Error;

/// Any call about the cluster or the answering member that is neither members nor statistics.
#[derive(Clone, Debug)]
pub enum ClusterOperation {
    /// Client URLs of all members.
    GetMachines(GetMachines),
    /// Version of the answering member.
    GetVersion(GetVersion),
    /// Health as the answering member sees it.
    GetHealth(GetHealth),
}

/// Lists the client URLs that the members advertise.
///
/// They may be wrong or unreachable (`http://localhost:2379` by default), and include members that are down.
/// The list is empty where none advertises any. A client that takes its members from here must keep those
/// that it was given.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GetMachines {}

/// Asks the answering member for its version.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GetVersion {}

/// Asks the answering member whether the cluster is well; it makes a quorum read for that (2.0: it looks for
/// up to 0.75 s whether anything moves).
///
/// Not being well is an answer, not an error:
/// ```
/// use etcd_proto::v2::cluster::GetHealth;
/// use etcd_proto::v2::{Call, Operation};
/// use http::{HeaderMap, StatusCode};
///
/// let ask = Operation::from(GetHealth::new());
/// let body = br#"{"health":"false","reason":"RAFT NO LEADER"}"#;
/// let answer = ask.decode(StatusCode::SERVICE_UNAVAILABLE, &HeaderMap::new(), body)?;
/// let health = GetHealth::response(answer)?;
/// assert!(!health.healthy);
/// assert_eq!(health.reason, "RAFT NO LEADER");
/// # Ok::<(), etcd_proto::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GetHealth {}

impl GetMachines {
    /// Lists the client URLs.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl GetVersion {
    /// Asks for the version.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl GetHealth {
    /// Asks for the health.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

/// Version of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Version {
    /// Version of the member, such as `3.4.23`. Before 2.1 it comes in a text, `etcd 0.4.9`.
    pub server: String,
    /// Version that the members agree on, such as `3.4.0`; `not_decided` while they start, `None` before 2.2.
    pub cluster: Option<String>,
}

/// Health of the cluster as one member sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// Whether the member could read by consensus.
    pub healthy: bool,
    /// Why not, in the server's words; 3.5 and later, else empty. Also empty where all is well.
    pub reason: String,
}

impl Version {
    /// An answer of a server, for services that stand in for one.
    pub fn new(server: impl Into<String>, cluster: Option<String>) -> Self {
        Self { server: server.into(), cluster }
    }
}

impl Health {
    /// An answer of a server, for services that stand in for one.
    pub fn new(healthy: bool, reason: impl Into<String>) -> Self {
        Self { healthy, reason: reason.into() }
    }
}

impl ClusterOperation {
    pub(super) fn encode(&self) -> Result<Request<Bytes>, Error> {
        let path = match self {
            Self::GetMachines(_) => "/v2/machines",
            Self::GetVersion(_) => "/version",
            Self::GetHealth(_) => "/health",
        };
        RequestBuilder::new(Method::GET, path).build()
    }

    pub(super) fn decode(&self, answer: &Answer<'_>) -> Result<Response, Error> {
        match self {
            Self::GetMachines(_) => machines(answer).map(Response::Machines),
            Self::GetVersion(_) => version(answer).map(Response::Version),
            Self::GetHealth(_) => health(answer).map(Response::Health),
        }
    }
}

/// `http://a:1, http://b:2` as text; empty where no member advertises one.
fn machines(answer: &Answer<'_>) -> Result<Vec<String>, Error> {
    let urls = answer.text()?.split(',').map(str::trim).filter(|url| !url.is_empty());
    // Anything is text: what has no scheme, or a page around it, is no list of URLs.
    match urls.clone().all(|url| url.contains("://") && !url.contains(['<', '{', '"'])) {
        true => Ok(urls.map(Into::into).collect()),
        false => Err(answer.not_etcd()),
    }
}

/// JSON from 2.1 on; `etcd 2.0.13`, `etcd 0.4.9` or `etcd v0.3.0` before.
fn version(answer: &Answer<'_>) -> Result<Version, Error> {
    #[derive(Deserialize)]
    struct Wire {
        etcdserver: String,
        etcdcluster: Option<String>,
    }
    if let Some(server) = answer.text()?.trim().strip_prefix("etcd ") {
        let server = server.trim_start_matches('v').into();
        return Ok(Version { server, cluster: None });
    }
    let Wire { etcdserver, etcdcluster } = answer.json()?;
    Ok(Version { server: etcdserver, cluster: etcdcluster })
}

/// `{"health":"true"}`: a text, not a bool; with 503 the same shape says "false".
fn health(answer: &Answer<'_>) -> Result<Health, Error> {
    #[derive(Deserialize)]
    struct Wire {
        health: Flag,
        #[serde(default)]
        reason: String,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Text(String),
        Bool(bool),
    }
    let wire: Wire = match answer.status {
        StatusCode::SERVICE_UNAVAILABLE => match serde_json::from_slice(answer.body) {
            Ok(wire) => wire,
            Err(_) => return Err(answer.failure()),
        },
        _ => answer.json()?,
    };
    let healthy = match wire.health {
        Flag::Text(text) => text == "true",
        Flag::Bool(flag) => flag,
    };
    Ok(Health { healthy: healthy && answer.status.is_success(), reason: wire.reason })
}

calls!(Cluster(ClusterOperation):
    GetMachines, "machines" -> Machines(Vec<String>),
    GetVersion, "version" -> Version(Version),
    GetHealth, "health" -> Health(Health),
);

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn answer<'a>(status: u16, body: &'a str, headers: &'a HeaderMap) -> Answer<'a> {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.as_bytes(),
            writes: false,
            below_v2: false,
        }
    }

    #[test]
    fn health_is_a_text_and_comes_with_503_too() {
        let headers = HeaderMap::new();
        for (status, body, healthy) in [
            (200, r#"{"health":"true"}"#, true),
            (200, r#"{"health": "true","reason":""}"#, true),
            (200, r#"{"health":true}"#, true),
            (503, r#"{"health":"false","reason":"RAFT NO LEADER"}"#, false),
        ] {
            assert_eq!(health(&answer(status, body, &headers)).unwrap().healthy, healthy, "{body}");
        }
        assert!(health(&answer(503, "upstream is away", &headers)).is_err());
    }

    #[test]
    fn versions_of_all_ages_are_read() {
        let headers = HeaderMap::new();
        for (body, server) in [
            ("etcd v0.3.0", "0.3.0"),
            ("etcd 2.0.13", "2.0.13"),
            (r#"{"etcdserver":"3.5.30","etcdcluster":"3.5.0"}"#, "3.5.30"),
        ] {
            assert_eq!(version(&answer(200, body, &headers)).unwrap().server, server);
        }
        assert!(version(&answer(200, "<html>", &headers)).is_err());
    }

    #[test]
    fn machines_are_a_text_with_commas() {
        let headers = HeaderMap::new();
        assert_eq!(
            machines(&answer(200, "http://a:1, http://b:2", &headers)).unwrap(),
            ["http://a:1", "http://b:2"]
        );
        assert!(machines(&answer(200, "", &headers)).unwrap().is_empty());
        for page in ["<html>", "<a href=\"http://a\">", "{\"url\":\"http://a\"}", "welcome"] {
            let error = machines(&answer(200, page, &headers)).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::NotEtcd, "{page}");
        }
    }
}
