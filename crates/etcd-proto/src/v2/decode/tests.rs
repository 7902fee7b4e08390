use std::error::Error as _;

use http::{HeaderMap, StatusCode};

use crate::v2::keys::{CreateInOrder, Get, Set, Watch};
use crate::v2::members::RemoveMember;
use crate::v2::{Index, Key, Operation, Response};
use crate::{Error, ErrorKind, Outcome};

/// An answer in short: status, headers as `name: value` lines, body.
fn decode(operation: &Operation, status: u16, headers: &str, body: &str) -> Result<Response, Error> {
    let headers = headers.lines().map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())
    });
    operation.decode(StatusCode::from_u16(status).unwrap(), &headers.collect::<HeaderMap>(), body.as_bytes())
}

fn failure(operation: &Operation, status: u16, headers: &str, body: &str) -> Error {
    decode(operation, status, headers, body).unwrap_err()
}

fn get() -> Operation {
    Get::new(Key::new("/a").unwrap()).into()
}

fn set() -> Operation {
    Set::new(Key::new("/a").unwrap(), "v").into()
}

#[test]
fn a_plain_404_below_v2_says_that_the_api_is_off_and_how_to_turn_it_on() {
    for operation in [get(), set(), RemoveMember::new("1").into()] {
        let error = failure(&operation, 404, "content-type: text/plain", "404 page not found\n");
        assert_eq!(error.kind(), ErrorKind::V2NotEnabled);
        assert_eq!(error.outcome(), Outcome::NotApplied);
        assert!(error.to_string().contains("--enable-v2"), "{error}");
    }
    let version = crate::v2::cluster::GetVersion::new().into();
    assert_eq!(failure(&version, 404, "", "404 page not found\n").kind(), ErrorKind::Status);
    assert_eq!(failure(&get(), 404, "", "nothing here").kind(), ErrorKind::Status);
}

#[test]
fn html_and_content_types_that_etcd_does_not_send_are_not_etcds() {
    for (status, headers, body) in [
        (200, "content-type: text/html", "<html>welcome</html>"),
        (200, "", " <!DOCTYPE html>"),
        (502, "content-type: text/html; charset=utf-8", "bad gateway"),
        (404, "content-type: application/xml", "NoSuchKey"),
        (415, "content-type: application/grpc", ""),
        (200, "content-type: image/png", "png"),
    ] {
        let error = failure(&get(), status, headers, body);
        assert_eq!(error.kind(), ErrorKind::NotEtcd, "{status} {headers}");
        assert_eq!(error.http_status().unwrap().as_u16(), status);
        assert_eq!(error.outcome(), Outcome::NotApplied, "a read has nothing to apply");
    }
    assert_eq!(failure(&set(), 502, "content-type: text/html", "").outcome(), Outcome::Unknown);
    assert_eq!(failure(&set(), 200, "content-type: text/html", "").outcome(), Outcome::Unknown);
}

#[test]
fn json_counts_whatever_the_content_type_says() {
    let body = r#"{"action":"get","node":{"key":"/a","value":"v","modifiedIndex":7,"createdIndex":7}}"#;
    for headers in ["", "content-type: text/plain; charset=utf-8", "content-type: application/json"] {
        assert!(decode(&get(), 200, headers, body).is_ok(), "{headers}");
    }
    let refusal = r#"{"errorCode":100,"message":"Key not found","cause":"/a","index":7}"#;
    for headers in ["content-type: text/plain", "content-type: text/html"] {
        assert_eq!(failure(&get(), 404, headers, refusal).kind(), ErrorKind::Api, "{headers}");
    }
}

#[test]
fn a_301_is_an_invalid_key_and_nothing_was_done() {
    let error = failure(&set(), 301, "location: /v2/keys/a", "");
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(!error.to_string().contains("/v2/keys/a"));
    for status in [302, 303] {
        assert_eq!(failure(&set(), status, "", "").kind(), ErrorKind::InvalidKey);
        assert_eq!(failure(&set(), status, "", "").outcome(), Outcome::Unknown);
    }
}

#[test]
fn a_redirect_that_was_not_followed_is_named_with_its_target() {
    for status in [307, 308] {
        let location = "location: http://user:canary@10.0.0.2:4001/v2/keys/canary?prevValue=canary";
        let error = failure(&get(), status, location, "<a href=\"x\">");
        assert_eq!(error.kind(), ErrorKind::Redirect);
        assert!(error.to_string().contains("redirects to http://10.0.0.2:4001,"), "{error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        assert_eq!(failure(&get(), status, "", "").kind(), ErrorKind::Redirect);
    }
}

#[test]
fn the_target_of_a_redirect_is_cut_off_before_it_floods_a_log() {
    let error = failure(&get(), 307, &format!("location: /{}", "a".repeat(10_000)), "");
    assert!(error.to_string().len() < 400);
}

#[test]
fn a_status_alone_is_no_success_of_etcd() {
    let remove: Operation = crate::v2::members::RemoveMember::new("1").into();
    assert!(decode(&remove, 204, "", "").is_ok());
    assert!(decode(&remove, 200, "content-type: application/json", "\n").is_ok());
    for (headers, body) in [("content-type: text/html", ""), ("", "<html>"), ("", "welcome to the portal")] {
        let error = failure(&remove, 200, headers, body);
        assert_eq!(error.kind(), ErrorKind::NotEtcd, "{headers} {body}");
        assert_eq!(error.outcome(), Outcome::Unknown);
    }
}

#[test]
fn a_page_is_no_head_of_a_watch() {
    let head = |content_type: &'static str| {
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static(content_type));
        Operation::decode_watch_head(http::StatusCode::OK, &headers, b"")
    };
    assert!(head("application/json").is_ok());
    assert_eq!(head("text/html").unwrap_err().kind(), ErrorKind::NotEtcd);
}

#[test]
fn the_key_of_an_in_order_creation_is_not_invented() {
    let mut push = crate::v2::keys::CreateInOrder::new(crate::v2::Key::root(), "v");
    push.no_value_on_success = true;
    let push = Operation::from(push);
    assert!(decode(&push, 201, "x-etcd-index: 7", r#"{"action":"set"}"#).is_ok());
    let error = failure(&push, 201, "", r#"{"action":"set"}"#);
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unreadable, Outcome::Unknown));
}

#[test]
fn a_success_that_cannot_be_read_was_applied_if_the_server_named_the_index_of_the_write() {
    for body in ["", "{\"action\":\"set\",", "[]", "{}", "{\"action\":\"set\"}", "{\"action\":1,\"node\":{}}"]
    {
        let with_index = failure(&set(), 200, "x-etcd-index: 7", body);
        assert_eq!(with_index.kind(), ErrorKind::Unreadable, "{body}");
        assert_eq!(with_index.outcome(), Outcome::Applied, "{body}");
        assert_eq!(failure(&set(), 201, "", body).outcome(), Outcome::Unknown, "{body}");
        assert_eq!(failure(&set(), 200, "x-etcd-index: 0", body).outcome(), Outcome::Unknown, "{body}");
        let read = failure(&get(), 200, "x-etcd-index: 7", body);
        assert_eq!((read.kind(), read.outcome()), (ErrorKind::Unreadable, Outcome::NotApplied), "{body}");
    }
}

#[test]
fn why_a_body_cannot_be_read_is_told_without_quoting_it() {
    for (body, reason) in [
        (r#"{"action":"set","node":{"value":"canary"#, "JSON that is cut off"),
        (r#"{"action":"set","node":{"value":"canary"}canary"#, "no JSON"),
        (r#"{"action":"set","node":{"modifiedIndex":"canary"}}"#, "JSON of another shape"),
    ] {
        let error = failure(&set(), 200, "", body);
        let source = error.source().unwrap().to_string();
        assert!(source.starts_with(reason), "{source}");
        assert!(!format!("{error} {error:?} {source}").contains("canary"), "{error:?}");
    }
}

#[test]
fn a_refusal_of_a_write_and_one_of_a_read_differ_in_the_outcome_only_where_something_could_be_applied() {
    let timeout = r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: request timed out","index":0}"#;
    assert_eq!(failure(&set(), 500, "", timeout).outcome(), Outcome::Unknown);
    assert_eq!(failure(&get(), 500, "", timeout).outcome(), Outcome::NotApplied);
    let defect = r#"{"errorCode":300,"message":"Raft Internal Error","cause":"nodePath /1/d : Not a file ()","index":0}"#;
    let error = failure(&set(), 500, "", defect);
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::DirectoryTtl, Outcome::NotApplied));
    assert!(error.api().is_some());
}

#[test]
fn a_bare_status_proves_what_the_design_says_of_it() {
    for (status, outcome) in [
        (400, Outcome::NotApplied),
        (405, Outcome::NotApplied),
        (413, Outcome::NotApplied),
        (421, Outcome::NotApplied),
        (431, Outcome::NotApplied),
        (408, Outcome::Unknown),
        (429, Outcome::Unknown),
        (500, Outcome::Unknown),
        (503, Outcome::Unknown),
        (504, Outcome::Unknown),
    ] {
        let error = failure(&set(), status, "content-type: text/plain", "no");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Status, outcome), "{status}");
        assert!(error.to_string().contains(&status.to_string()));
        assert_eq!(failure(&get(), status, "", "no").outcome(), Outcome::NotApplied);
    }
}

#[test]
fn a_node_that_was_left_out_on_request_has_the_key_and_the_index_of_the_write() {
    let mut call = Set::new(Key::new("/a").unwrap(), "v");
    call.no_value_on_success = true;
    let Ok(Response::Keys(answer)) = decode(&call.into(), 201, "x-etcd-index: 7", r#"{"action":"set"}"#)
    else {
        panic!()
    };
    assert_eq!((answer.node.key.as_str(), answer.index()), ("/a", Index::from(7)));
    assert_eq!((answer.text(), answer.node.created_index), ("", Index::NONE));

    let mut call = CreateInOrder::new(Key::new("/q").unwrap(), "v");
    call.no_value_on_success = true;
    let Ok(Response::Keys(answer)) = decode(&call.into(), 201, "x-etcd-index: 99", r#"{"action":"create"}"#)
    else {
        panic!()
    };
    assert_eq!(answer.node.key.as_str(), "/q/00000000000000000099");
}

#[test]
fn a_poll_brings_one_event_or_none_or_the_error_in_its_place() {
    let watch = || Operation::from(Watch::new(Key::root()));
    let event = r#"{"action":"delete","node":{"key":"/a","modifiedIndex":8,"createdIndex":7}}"#;
    for (body, wanted) in [(event, 1), ("", 0), (" \n", 0)] {
        let Ok(Response::Watch(mut answer)) = decode(&watch(), 200, "x-etcd-index: 7", body) else {
            panic!()
        };
        assert_eq!(answer.header.etcd_index, Index::from(7));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut count = 0;
        while let std::task::Poll::Ready(Some(event)) = answer.events.as_mut().poll_next(&mut context) {
            assert_eq!(event.unwrap().index(), Index::from(8));
            count += 1;
        }
        assert_eq!(count, wanted);
    }
    assert_eq!(failure(&watch(), 200, "", "{").kind(), ErrorKind::Unreadable);
    let cleared = r#"{"errorCode":400,"message":"watcher is cleared due to etcd recovery","index":9}"#;
    let error = failure(&watch(), 200, "", cleared);
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Api, Outcome::NotApplied));
}

#[test]
fn the_head_of_a_watch_is_a_state_of_the_store_or_an_error() {
    let mut headers = HeaderMap::new();
    headers.insert("x-etcd-index", "7".parse().unwrap());
    let head = Operation::decode_watch_head(StatusCode::OK, &headers, b"").unwrap();
    assert_eq!(head.etcd_index, Index::from(7));
    let body = br#"{"errorCode":401,"message":"The event in requested index is outdated and cleared","cause":"the requested history has been cleared [5/3]","index":1004}"#;
    let error = Operation::decode_watch_head(StatusCode::BAD_REQUEST, &headers, body).unwrap_err();
    assert_eq!(error.api().unwrap().index, Index::from(1004));
    assert_eq!(error.outcome(), Outcome::NotApplied);
}

#[test]
fn a_tree_of_sixty_directories_in_each_other_is_read_and_no_depth_overflows_the_stack() {
    let tree = |depth: usize| {
        let open = r#"{"key":"/d","dir":true,"nodes":["#.repeat(depth);
        format!(r#"{{"action":"get","node":{open}{}}}"#, "]}".repeat(depth))
    };
    let Ok(Response::Keys(answer)) = decode(&get(), 200, "", &tree(60)) else { panic!() };
    assert_eq!(answer.node.walk().count(), 60);
    for depth in [70, 1_000, 100_000] {
        assert_eq!(failure(&get(), 200, "", &tree(depth)).kind(), ErrorKind::Unreadable);
    }
}
