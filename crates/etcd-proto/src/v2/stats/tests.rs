use http::{HeaderMap, StatusCode};

use super::*;
use crate::ErrorKind;
use crate::v2::Operation;

fn decode(call: impl Into<Operation>, status: u16, body: &str) -> Result<Response, Error> {
    call.into().decode(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
}

#[test]
fn each_call_has_its_path() {
    let path = |call: Operation| call.encode().unwrap().uri().to_string();
    assert_eq!(path(GetStoreStats::new().into()), "/v2/stats/store");
    assert_eq!(path(GetMemberStats::new().into()), "/v2/stats/self");
    assert_eq!(path(GetLeaderStats::new().into()), "/v2/stats/leader");
}

#[test]
fn what_a_server_leaves_out_is_nothing_and_what_is_new_is_kept_as_text() {
    let Ok(Response::StoreStats(stats)) =
        decode(GetStoreStats::new(), 200, r#"{"getsSuccess":3,"new":{"a":[1,null]}}"#)
    else {
        panic!()
    };
    assert_eq!((stats.gets_success, stats.gets_fail), (3, 0));
    assert_eq!(stats.other["new"], r#"{"a":[1,null]}"#);

    let Ok(Response::MemberStats(stats)) = decode(GetMemberStats::new(), 200, r#"{"name":"n1","state":""}"#)
    else {
        panic!()
    };
    assert_eq!((&*stats.name, &*stats.state, stats.sent_bytes_per_second), ("n1", "", 0.0));
    assert!(stats.other.is_empty() && stats.leader_info.leader.is_empty());
}

#[test]
fn the_leader_tells_of_each_follower_also_of_one_that_never_answered() {
    let body = r#"{"leader":"l","followers":{"f":{"latency":{"current":0.5,"average":1,"standardDeviation":0,
        "minimum":9.223372036854776e+18,"maximum":2},"counts":{"fail":4,"success":0}}}}"#;
    let Ok(Response::LeaderStats(stats)) = decode(GetLeaderStats::new(), 200, body) else { panic!() };
    let follower = &stats.followers["f"];
    assert_eq!((follower.counts.fail, follower.latency.current), (4, 0.5));
    assert!(follower.latency.minimum > 9.2e18);
    for none in
        [r#"{"leader":"l","followers":{}}"#, r#"{"leader":"l","followers":null}"#, r#"{"leader":"l"}"#]
    {
        let Ok(Response::LeaderStats(stats)) = decode(GetLeaderStats::new(), 200, none) else {
            panic!("{none}")
        };
        assert!(stats.followers.is_empty());
    }
}

#[test]
fn a_follower_says_that_it_is_not_the_leader_as_json_or_text() {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "text/plain; charset=utf-8".parse().unwrap());
    for body in [r#"{"message":"not current leader"}"#, "not current leader"] {
        let error = Operation::from(GetLeaderStats::new())
            .decode(StatusCode::FORBIDDEN, &headers, body.as_bytes())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Api);
        assert!(error.api().unwrap().is_not_leader(), "{body}");
    }
    let error = decode(GetLeaderStats::new(), 403, r#"{"message":"forbidden"}"#).unwrap_err();
    assert!(!error.api().unwrap().is_not_leader());
}

#[test]
fn statistics_of_another_shape_are_unreadable() {
    for body in [r#"{"getsSuccess":-1}"#, r#"{"getsSuccess":"3"}"#, "[[]]", "7"] {
        assert_eq!(
            decode(GetStoreStats::new(), 200, body).unwrap_err().kind(),
            ErrorKind::Unreadable,
            "{body}"
        );
    }
}
