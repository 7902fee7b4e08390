//! Targets for what servers answer, and what else may answer in their place.

use etcd_proto::v2::auth::{
    CreateRole, CreateUser, DisableAuth, EnableAuth, GetAuthStatus, GetRole, GetUser, ListRoles, ListUsers,
    Permissions,
};
use etcd_proto::v2::cluster::{GetHealth, GetMachines, GetVersion};
use etcd_proto::v2::keys::{CompareAndSwap, CreateInOrder, Delete, DeleteDir, Get, Set, Watch};
use etcd_proto::v2::members::{AddMember, Leader, ListMembers, RemoveMember, UpdateMember};
use etcd_proto::v2::stats::{GetLeaderStats, GetMemberStats, GetStoreStats};
use etcd_proto::v2::{
    ApiError, Compare, EventDecoder, Header, Key, KeysEvent, Operation, Response, Splitter,
};
use etcd_proto::{Error, ErrorKind, Outcome};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::answer::{answer, check_error, check_event, check_text, decode};

/// Any answer as an error of etcd.
pub fn api_error(data: &[u8]) {
    let Some((status, headers, _, body)) = answer(data) else { return };
    let Some(api) = ApiError::from_response(status, &headers, body) else { return };
    assert_eq!(api.status, status);
    check_error(&Error::from_api(api.clone()));
    let read = Operation::from(Get::new(Key::root())).error(api.clone());
    assert_eq!(read.outcome(), Outcome::NotApplied);
    check_text(&api.to_string());
    check_text(&format!("{api:?}"));
}

/// Any answer to the calls of the keys API.
pub fn keys_response(data: &[u8]) {
    let mut set = Set::new(Key::root(), "");
    set.no_value_on_success = true;
    let mut create = CreateInOrder::new(Key::new("/q").unwrap(), "");
    create.no_value_on_success = true;
    let compare = Compare::index(7).build().unwrap();
    let calls: [Operation; 6] = [
        Get::new(Key::root()).into(),
        set.into(),
        create.into(),
        CompareAndSwap::new(Key::root(), "", compare).into(),
        Delete::new(Key::root()).into(),
        DeleteDir::new(Key::root()).into(),
    ];
    decode(data, &calls, |response| {
        let Response::Keys(keys) = response else { panic!("{response:?}") };
        let event = KeysEvent::new(keys.action.clone(), keys.node.clone(), keys.prev_node.clone());
        check_event(&event);
        assert_eq!(serde_json::to_value(keys).unwrap(), serde_json::to_value(event).unwrap());
    });
}

/// Any answer to a watch, head and poll.
pub fn watch(data: &[u8]) {
    let watch = Operation::from(Watch::new(Key::root()));
    decode(data, &[watch], |response| assert!(matches!(response, Response::Watch(_))));
    let Some((status, headers, _, body)) = answer(data) else { return };
    match Operation::decode_watch_head(status, &headers, body) {
        Ok(header) => assert_eq!(header, Header::from_headers(&headers)),
        Err(error) => check_error(&error),
    }
}

/// Any answer to the calls about members.
pub fn members(data: &[u8]) {
    let calls: [Operation; 5] = [
        ListMembers::new().into(),
        Leader::new().into(),
        AddMember::new(["http://a:1"]).into(),
        UpdateMember::new("1", ["http://a:1"]).into(),
        RemoveMember::new("1").into(),
    ];
    decode(data, &calls, |response| {
        let members = match response {
            Response::Members(members) => members,
            Response::Member(member) => std::slice::from_ref(member),
            Response::Done(()) => return,
            other => panic!("{other:?}"),
        };
        for member in members {
            let text = serde_json::to_string(member).unwrap();
            assert_eq!(*member, serde_json::from_str(&text).unwrap());
        }
    });
}

/// Any answer to the calls for statistics.
pub fn stats(data: &[u8]) {
    let calls: [Operation; 3] =
        [GetStoreStats::new().into(), GetMemberStats::new().into(), GetLeaderStats::new().into()];
    decode(data, &calls, |response| {
        let other = match response {
            Response::StoreStats(stats) => &stats.other,
            Response::MemberStats(stats) => &stats.other,
            Response::LeaderStats(stats) => &stats.other,
            other => panic!("{other:?}"),
        };
        for json in other.values() {
            serde_json::from_str::<serde_json::Value>(json).unwrap();
        }
    });
}

/// Any answer to the calls about users and roles.
pub fn auth(data: &[u8]) {
    let calls: [Operation; 9] = [
        GetAuthStatus::new().into(),
        EnableAuth::new().into(),
        DisableAuth::new().into(),
        ListUsers::new().into(),
        GetUser::new("a").into(),
        CreateUser::new("a", "p").into(),
        ListRoles::new().into(),
        GetRole::new("a").into(),
        CreateRole::new("a", Permissions::new()).into(),
    ];
    decode(data, &calls, |response| {
        assert!(matches!(
            response,
            Response::AuthStatus(_)
                | Response::Users(_)
                | Response::User(_)
                | Response::UserChange(_)
                | Response::Roles(_)
                | Response::Role(_)
                | Response::Done(())
        ));
    });
}

/// Any answer to the calls for machines, version and health.
pub fn cluster(data: &[u8]) {
    let calls: [Operation; 3] =
        [GetMachines::new().into(), GetVersion::new().into(), GetHealth::new().into()];
    decode(data, &calls, |response| match response {
        Response::Machines(urls) => assert!(urls.iter().all(|url| url.contains("://"))),
        Response::Version(_) | Response::Health(_) => {}
        other => panic!("{other:?}"),
    });
}

/// Any headers.
pub fn header(data: &[u8]) {
    let mut headers = HeaderMap::new();
    let names = ["x-etcd-index", "x-raft-index", "x-raft-term", "x-etcd-cluster-id"];
    for (name, value) in names.into_iter().zip(data.split(|byte| *byte == b'\n')) {
        let Ok(value) = HeaderValue::from_bytes(value) else { continue };
        headers.append(HeaderName::from_static(name), value);
    }
    let header = Header::from_headers(&headers);
    let sent = headers.get(Header::ETCD_INDEX).and_then(|value| value.to_str().ok());
    if let Some(index) = sent.and_then(|text| text.trim().parse::<u64>().ok()) {
        assert_eq!(header.etcd_index.get(), index);
    } else {
        assert!(header.etcd_index.is_none());
    }
}

/// Any JSON as an event.
pub fn node(data: &[u8]) {
    let Ok(event) = serde_json::from_slice::<KeysEvent>(data) else { return };
    check_event(&event);
    for node in event.node.walk() {
        for error in [node.bytes().err(), node.json::<u8>().err()].into_iter().flatten() {
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            check_error(&error);
        }
    }
}

/// Any stream; the first byte chooses limit and chunks.
pub fn splitter(data: &[u8]) {
    let Some((&first, stream)) = data.split_first() else { return };
    let (limit, size) = (usize::from(first) * 8, usize::from(first % 17) + 1);
    let read = |size: usize| {
        let mut splitter = Splitter::new(limit);
        let mut values = Vec::new();
        for chunk in stream.chunks(size) {
            splitter.push(chunk);
            loop {
                match splitter.next_value() {
                    Ok(Some(value)) => values.push(value),
                    Ok(None) => break,
                    Err(error) => {
                        check_error(&error);
                        assert!(matches!(error.kind(), ErrorKind::Unreadable | ErrorKind::TooLarge));
                        return (values, true);
                    }
                }
            }
        }
        (values, false)
    };
    let (values, failed) = read(size);
    assert!(values.iter().all(|value| !value.is_empty() && value.len() <= limit));
    assert!(values.iter().map(|value| value.len()).sum::<usize>() <= stream.len());
    assert_eq!((values, failed), read(stream.len().max(1)), "chunks make no difference");
}

/// Any body of a watch; the first byte chooses the chunks.
pub fn event_decoder(data: &[u8]) {
    let Some((&first, body)) = data.split_first() else { return };
    let mut decoder = EventDecoder::new(1 << 16);
    for chunk in body.chunks(usize::from(first) + 1) {
        decoder.push(chunk);
        loop {
            match decoder.next_event() {
                Ok(Some(event)) => check_event(&event),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error.outcome(), Outcome::NotApplied, "a watch has nothing to apply");
                    assert!(matches!(
                        error.kind(),
                        ErrorKind::Unreadable
                            | ErrorKind::TooLarge
                            | ErrorKind::Api
                            | ErrorKind::DirectoryTtl
                    ));
                    return check_error(&error);
                }
            }
        }
    }
    if let Err(error) = decoder.finish() {
        check_error(&error);
    }
}
