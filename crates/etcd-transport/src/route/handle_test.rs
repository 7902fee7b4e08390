use etcd_proto::BoxError;

use super::super::source::SourceFuture;
use super::*;
use crate::RouteLayer;

/// Says these words; `None` for a failure.
struct Words {
    members: Option<Vec<&'static str>>,
    leader: Option<Vec<&'static str>>,
}

fn say(words: Option<&[&'static str]>) -> Result<Vec<String>, BoxError> {
    words.map(|words| words.iter().map(|word| (*word).to_owned()).collect()).ok_or_else(|| "no answer".into())
}

impl EndpointSource for Words {
    fn members(&self) -> SourceFuture<'_, Vec<String>> {
        Box::pin(async { say(self.members.as_deref()) })
    }

    fn leader(&self) -> SourceFuture<'_, Vec<String>> {
        Box::pin(async { say(self.leader.as_deref()) })
    }
}

fn members(members: &[&'static str]) -> Words {
    Words { members: Some(members.to_vec()), leader: Some(Vec::new()) }
}

fn handle(endpoints: &str) -> RouteHandle {
    RouteLayer::new(endpoints.parse().unwrap()).handle()
}

fn hosts(handle: &RouteHandle) -> Vec<String> {
    handle.endpoints().iter().map(|endpoint| endpoint.host().to_owned()).collect()
}

fn reasons(report: &SyncReport) -> Vec<DropReason> {
    report.dropped().iter().map(Dropped::reason).collect()
}

#[tokio::test]
async fn members_join_the_configured_servers_and_leave_again() {
    let servers = handle("a b");
    let report = servers.sync(&members(&["http://b:2379", "http://c:2379"])).await.unwrap();
    assert_eq!(hosts(&servers), ["a", "b", "c"]);
    assert_eq!((report.added()[0].host(), report.removed().len()), ("c", 0));
    let report = servers.sync(&members(&["http://d:2379"])).await.unwrap();
    assert_eq!(hosts(&servers), ["a", "b", "d"]);
    assert_eq!((report.added()[0].host(), report.removed()[0].host()), ("d", "c"));
    // What the owner sets is all there is.
    servers.set_endpoints(&"b".parse().unwrap()).unwrap();
    assert_eq!(hosts(&servers), ["b"]);
}

#[tokio::test]
async fn an_answer_with_nothing_in_it_changes_nothing() {
    let servers = handle("a");
    servers.sync(&members(&["http://b"])).await.unwrap();
    for empty in [&[][..], &["http://0.0.0.0:2379", "%"]] {
        let report = servers.sync(&members(empty)).await.unwrap();
        assert_eq!((report.added().len(), report.removed().len()), (0, 0));
        assert_eq!(hosts(&servers), ["a", "b"]);
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_dropped_and_told() {
    let servers = handle("a");
    let words = [
        "http://0.0.0.0:2379",
        "http://[::]:1",
        "http://localhost:2379",
        "http://u53r:canary@b",
        "ftp://b",
        "http://c",
    ];
    let report = servers.sync(&members(&words)).await.unwrap();
    use DropReason::{Invalid, Loopback, Unspecified};
    assert_eq!(reasons(&report), [Unspecified, Unspecified, Loopback, Invalid, Invalid]);
    assert_eq!(report.dropped()[0].to_string(), "http://0.0.0.0:2379: nothing to connect to");
    assert!(!format!("{report:?}").contains("canary"));
    assert_eq!(hosts(&servers), ["a", "c"]);
}

#[tokio::test]
async fn a_cluster_on_this_machine_is_taken_at_its_word() {
    let servers = handle("127.0.0.1:1");
    servers.sync(&members(&["http://localhost:2", "http://127.0.0.1:1"])).await.unwrap();
    assert_eq!(hosts(&servers), ["127.0.0.1", "localhost"]);
}

#[tokio::test]
async fn a_list_has_64_servers_at_most() {
    let servers = handle("a");
    let names: Vec<&'static str> =
        (0..80).map(|number| &*Box::leak(format!("http://m{number}").into_boxed_str())).collect();
    let report = servers.sync(&members(&names)).await.unwrap();
    assert_eq!((servers.endpoints().len(), report.added().len()), (64, 63));
    assert_eq!(reasons(&report), [DropReason::TooMany; 17]);
}

#[tokio::test]
async fn the_leader_is_taken_down_if_it_is_in_the_list() {
    let servers = handle("a");
    let with = |leader: Option<&[&'static str]>| Words {
        members: Some(vec!["http://b", "http://c"]),
        leader: leader.map(<[_]>::to_vec),
    };
    let leader = || {
        let roster = servers.cluster.roster();
        servers.cluster.leader(&roster).map(|place| roster.endpoints().iter().nth(place).unwrap().to_string())
    };
    let report = servers.sync(&with(Some(&["http://x", "http://c:2379"]))).await.unwrap();
    assert_eq!(report.leader().unwrap().host(), "c");
    assert_eq!(leader().unwrap(), "http://c:2379");
    assert!(servers.sync(&with(None)).await.unwrap().leader().is_none());
    assert_eq!(leader().unwrap(), "http://c:2379", "a failure is no news");
    servers.sync(&with(Some(&[]))).await.unwrap();
    assert!(leader().is_none());
}

#[tokio::test]
async fn a_source_that_fails_is_an_error_and_changes_nothing() {
    let servers = handle("a");
    let error = servers.sync(&Words { members: None, leader: None }).await.unwrap_err();
    assert!(error.is_layer());
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no answer");
    assert_eq!(hosts(&servers), ["a"]);
}

#[tokio::test]
async fn a_password_goes_to_no_new_server_unencrypted() {
    let servers = handle("127.0.0.1").guarding_password(true);
    let error = servers.set_endpoints(&"127.0.0.1, a".parse().unwrap()).unwrap_err();
    assert!(error.is_insecure_auth());
    assert_eq!(error.endpoint().unwrap().host(), "a");
    let report = servers.sync(&members(&["http://a"])).await.unwrap();
    assert_eq!(reasons(&report), [DropReason::Exposed]);
    assert_eq!(hosts(&servers), ["127.0.0.1"]);
}

#[cfg(feature = "_tls")]
#[tokio::test]
async fn a_member_with_tls_is_dropped_from_a_list_without_and_the_others_are_taken() {
    let servers = handle("a");
    let report = servers.sync(&members(&["http://b", "https://c"])).await.unwrap();
    assert_eq!(reasons(&report), [DropReason::Encrypted]);
    assert_eq!(report.dropped()[0].to_string(), "https://c:2379: with TLS, which the list is without");
    assert_eq!((report.added()[0].host(), hosts(&servers)), ("b", vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn a_list_with_tls_takes_no_server_without() {
    let servers = handle("a");
    let plain = "http://b".parse().unwrap();
    assert_eq!(servers.refusal(&plain, true), Some(Refusal::Insecure));
    assert_eq!(servers.refusal(&plain, false), None);
    assert!(Refusal::Insecure.error(&plain).is_insecure_endpoint());
}

#[cfg(feature = "_tls")]
#[tokio::test]
async fn a_member_with_tls_does_not_keep_the_others_out_of_a_list_without() {
    let servers = handle("a");
    let report = servers.sync(&members(&["https://b", "http://c"])).await.unwrap();
    assert_eq!(reasons(&report), [DropReason::Encrypted]);
    assert_eq!(hosts(&servers), ["a", "c"]);
}

#[test]
fn failures_can_be_forgotten() {
    let servers = handle("a b");
    let first = std::sync::Arc::clone(&servers.cluster.roster().members()[0]);
    let leave = super::super::cluster::Leave::new(&servers.cluster, &first);
    (0..3).for_each(|_| leave.failed(tokio::time::Instant::now()));
    assert!(leave.is_ejected());
    servers.reset_health();
    assert!(!leave.is_ejected());
}
