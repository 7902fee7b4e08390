use http::{HeaderMap, StatusCode};

use super::*;
use crate::Outcome;
use crate::v2::Operation;

fn sent(call: impl Into<Operation>) -> (String, String) {
    let request = call.into().encode().unwrap();
    let is_json = request.headers().get("content-type").is_some_and(|it| it == "application/json");
    assert_eq!(is_json, !request.body().is_empty());
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    (format!("{} {}", request.method(), request.uri()), body)
}

fn decode(call: impl Into<Operation>, status: u16, body: &str) -> Result<Response, Error> {
    call.into().decode(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
}

const MEMBER: &str =
    r#"{"id":"ce2a822cea30bfca","name":"m1","peerURLs":["http://a:2380"],"clientURLs":["http://a:2379"]}"#;

#[test]
fn each_call_has_its_path_and_the_peer_urls_in_json() {
    assert_eq!(sent(ListMembers::new()), ("GET /v2/members".into(), String::new()));
    assert_eq!(sent(Leader::new()), ("GET /v2/members/leader".into(), String::new()));
    let urls = r#"{"peerURLs":["http://a:2380","http://b:2380"]}"#;
    let list = ["http://a:2380", "http://b:2380"];
    assert_eq!(sent(AddMember::new(list)), ("POST /v2/members".into(), urls.into()));
    assert_eq!(sent(UpdateMember::new("12c7", list)), ("PUT /v2/members/12c7".into(), urls.into()));
    assert_eq!(sent(RemoveMember::new("12c7")), ("DELETE /v2/members/12c7".into(), String::new()));
}

#[test]
fn an_id_that_would_make_another_path_is_refused_by_name() {
    // Without an id the server answers 405, with `leader` or a slash it would be another call.
    for id in ["", "..", "a/b"] {
        for call in [Operation::from(RemoveMember::new(id)), UpdateMember::new(id, ["http://a:1"]).into()] {
            let error = call.encode().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidName);
            assert!(error.to_string().contains(&format!("member id {id:?}")), "{error}");
        }
    }
    let none: [&str; 0] = [];
    assert_eq!(Operation::from(AddMember::new(none)).encode().unwrap_err().kind(), ErrorKind::InvalidName);
}

#[test]
fn lists_and_single_members_are_read_also_with_what_is_missing() {
    let list = format!(r#"{{"members":[{MEMBER},{{"id":"1","clientURLs":null}}]}}"#);
    let Ok(Response::Members(members)) = decode(ListMembers::new(), 200, &list) else { panic!() };
    assert_eq!(members[0].client_urls, ["http://a:2379"]);
    assert_eq!(members[1], Member { id: "1".into(), ..Member::default() });
    assert!(
        matches!(decode(ListMembers::new(), 200, r#"{"members":null}"#), Ok(Response::Members(it)) if it.is_empty())
    );
    for (call, status) in
        [(Operation::from(Leader::new()), 200), (AddMember::new(["http://a:1"]).into(), 201)]
    {
        let Ok(Response::Member(member)) = decode(call, status, MEMBER) else { panic!() };
        assert_eq!((&*member.id, &*member.name), ("ce2a822cea30bfca", "m1"));
    }
}

#[test]
fn changes_are_answered_by_204_without_a_body() {
    assert!(matches!(decode(RemoveMember::new("1"), 204, ""), Ok(Response::Done(()))));
    assert!(matches!(decode(UpdateMember::new("1", ["http://a:1"]), 204, ""), Ok(Response::Done(()))));
}

#[test]
fn refusals_prove_that_nothing_was_done_and_a_500_does_not() {
    for (status, message, outcome) in [
        (409, "membership: peerURL exists", Outcome::NotApplied),
        (410, "Member permanently removed: 1", Outcome::NotApplied),
        (415, "Bad Content-Type , accept application/json", Outcome::NotApplied),
        (500, "Internal Server Error", Outcome::Unknown),
    ] {
        let error =
            decode(RemoveMember::new("1"), status, &format!(r#"{{"message":"{message}"}}"#)).unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Api, outcome), "{status}");
        assert_eq!(error.to_string(), format!("etcd answered {status}: {message}"));
    }
    let election = decode(Leader::new(), 503, r#"{"message":"During election"}"#).unwrap_err();
    assert_eq!(election.outcome(), Outcome::NotApplied);
}
