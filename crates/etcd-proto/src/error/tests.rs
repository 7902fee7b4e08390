use std::collections::HashSet;
use std::error::Error as _;

use http::{HeaderMap, StatusCode};

use super::*;
use crate::v2::auth::CreateUser;
use crate::v2::keys::{CompareAndDelete, Get, Node, Set, UpdateDir};
use crate::v2::members::AddMember;
use crate::v2::{Compare, Index, Key, Operation, Splitter, Ttl};

fn answer(operation: impl Into<Operation>, status: u16, content_type: &str, body: &str) -> Error {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", content_type.parse().unwrap());
    headers.insert("location", "/v2/keys/a".parse().unwrap());
    let status = StatusCode::from_u16(status).unwrap();
    operation.into().decode(status, &headers, body.as_bytes()).unwrap_err()
}

fn key() -> Key {
    Key::new("/a").unwrap()
}

fn node(value: &str) -> Node {
    let mut node = Node::new(key(), Index::from(7), Index::from(7));
    node.value = Some(value.into());
    node
}

/// An error of each kind, as it arises. The values in them are all called canary.
fn every_kind() -> Vec<Error> {
    let long = Compare::value("canary".repeat(1000)).build().unwrap();
    let json = "application/json";
    let defect =
        r#"{"errorCode":300,"message":"Raft Internal Error","cause":"nodePath /1/d : Not a file ()"}"#;
    let compare = r#"{"errorCode":101,"message":"Compare failed","cause":"[canary != canary2]","index":7}"#;
    let mut junk = Splitter::new(64);
    junk.push(b"canary");
    let mut large = Splitter::new(4);
    large.push(b"{\"canary");
    vec![
        Key::new("/a/../b").unwrap_err(),
        answer(Get::new(key()), 301, "text/html", ""),
        Ttl::from_secs(0).unwrap_err(),
        Index::NONE.to_non_zero().unwrap_err(),
        Compare::value("").build().unwrap_err(),
        Operation::from(AddMember::new(Vec::<String>::new())).encode().unwrap_err(),
        Operation::from(CreateUser::new("a/b", "canary")).encode().unwrap_err(),
        node("\"canary").json::<String>().unwrap_err(),
        node("canary!").bytes().unwrap_err(),
        crate::v2::keys::encode_json(&std::collections::BTreeMap::from([(vec![1], "canary")])).unwrap_err(),
        Operation::from(CompareAndDelete::new(key(), long)).encode().unwrap_err(),
        Operation::from(Set::new(key(), "canary".repeat(2_000_000))).encode().unwrap_err(),
        answer(Set::new(key(), "canary"), 412, json, compare),
        answer(UpdateDir::new(key()), 500, json, defect),
        answer(Get::new(key()), 404, "text/plain", "404 page not found\n"),
        answer(Get::new(key()), 200, "text/html", "<html>canary"),
        answer(Get::new(key()), 502, "text/plain", "canary"),
        answer(Get::new(key()), 307, "text/html", "canary"),
        answer(Set::new(key(), "canary"), 200, json, r#"{"action":"set","node":{"ttl":"canary"}}"#),
        answer(Set::new(key(), "canary"), 200, json, "canary"),
        junk.next_value().unwrap_err(),
        large.next_value().unwrap_err(),
        Error::unexpected_response("set", "a watch"),
    ]
}

#[test]
fn an_error_is_as_small_as_a_pointer() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
}

#[test]
fn every_kind_arises_and_prints_one_line_of_its_own() {
    let errors = every_kind();
    for error in &errors {
        let text = error.to_string();
        assert!(!text.is_empty() && !text.ends_with('.') && !text.contains(char::is_control), "{text}");
        assert!(!text.starts_with(char::is_uppercase), "{text}");
        assert!(format!("{error:?}").contains(&format!("kind: {:?}", error.kind())));
    }
    let kinds: HashSet<ErrorKind> = errors.iter().map(Error::kind).collect();
    // Exhaustive within the crate: a kind that is new has to be counted here and made above.
    let count = |kind: ErrorKind| match kind {
        ErrorKind::InvalidKey
        | ErrorKind::InvalidTtl
        | ErrorKind::InvalidIndex
        | ErrorKind::InvalidCompare
        | ErrorKind::InvalidName
        | ErrorKind::InvalidValue
        | ErrorKind::RequestTooLong
        | ErrorKind::Api
        | ErrorKind::DirectoryTtl
        | ErrorKind::V2NotEnabled
        | ErrorKind::NotEtcd
        | ErrorKind::Status
        | ErrorKind::Redirect
        | ErrorKind::Unreadable
        | ErrorKind::TooLarge
        | ErrorKind::UnexpectedResponse => 16,
    };
    assert!(kinds.iter().all(|kind| count(*kind) == kinds.len()), "{kinds:?}");
}

#[test]
fn no_error_prints_a_stored_value_nor_does_any_of_its_sources() {
    for error in every_kind() {
        let mut text = format!("{error} {error:?}");
        let mut source = error.source();
        while let Some(inner) = source {
            text.push_str(&format!(" {inner} {inner:?}"));
            source = inner.source();
        }
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn the_text_of_a_source_stands_in_the_source_alone() {
    let mut with_source = 0;
    for error in every_kind() {
        let Some(source) = error.source() else { continue };
        with_source += 1;
        assert!(!error.to_string().contains(&source.to_string()), "{error}: {source}");
    }
    assert!(with_source >= 2, "{with_source}");
}

#[test]
fn what_was_never_sent_has_no_status_and_was_not_applied() {
    for error in every_kind() {
        let local = matches!(
            error.kind(),
            ErrorKind::InvalidTtl
                | ErrorKind::InvalidIndex
                | ErrorKind::InvalidCompare
                | ErrorKind::InvalidName
                | ErrorKind::InvalidValue
                | ErrorKind::RequestTooLong
        );
        if local {
            assert_eq!((error.http_status(), error.outcome()), (None, Outcome::NotApplied), "{error}");
            assert!(error.api().is_none());
        }
    }
}
