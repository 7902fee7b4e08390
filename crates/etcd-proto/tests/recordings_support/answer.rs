//! Holds a typed answer against the recorded one, field by field.

use etcd_proto::v2::auth::{Permissions, Role, User};
use etcd_proto::v2::{EventDecoder, Header, KeysResponse, Operation, Response};
use serde_json::{Value, json};

use super::exchange::{Answer, Exchange};

/// Compares `response`, to which `operation` has decoded the answer of `exchange`.
pub(crate) fn check(exchange: &Exchange, operation: &Operation, answer: &Answer, response: Response) {
    let json = || answer.value().unwrap_or_else(|| panic!("{exchange}: no JSON"));
    match response {
        Response::Keys(response) => {
            check_header(exchange, answer, &response.header);
            assert_eq!(response.attempts, 1);
            check_keys(exchange, operation, json(), &response);
        }
        Response::Watch(response) => check_header(exchange, answer, &response.header),
        Response::Members(members) => assert_eq!(json!({ "members": members }), json(), "{exchange}"),
        Response::Member(member) => assert_eq!(json!(member), json(), "{exchange}"),
        Response::StoreStats(stats) => {
            assert!(stats.other.is_empty(), "{exchange}");
            check_covers(exchange, &json!(stats), &json());
        }
        Response::MemberStats(stats) => {
            assert!(stats.other.is_empty(), "{exchange}");
            check_covers(exchange, &json!(stats), &json());
        }
        Response::LeaderStats(stats) => {
            assert!(stats.other.is_empty(), "{exchange}");
            check_covers(exchange, &json!(stats), &json());
        }
        Response::AuthStatus(status) => assert_eq!(json!(status), json(), "{exchange}"),
        Response::Users(users) => {
            let users: Vec<Value> = users.iter().map(user).collect();
            assert_eq!(users, list(&json()["users"]), "{exchange}");
        }
        Response::User(it) => assert_eq!(user(&it), without_null_roles(json()), "{exchange}"),
        Response::UserChange(change) => {
            assert_eq!(user(&change.user), without_null_roles(json()), "{exchange}");
            assert_eq!(change.created, answer.status.as_u16() == 201, "{exchange}");
        }
        Response::Roles(roles) => {
            let roles: Vec<Value> = roles.iter().map(role).collect();
            assert_eq!(roles, list(&json()["roles"]), "{exchange}");
        }
        Response::Role(it) => assert_eq!(role(&it), json(), "{exchange}"),
        Response::Machines(urls) => {
            assert_eq!(urls.join(", ").as_bytes(), answer.body, "{exchange}");
        }
        Response::Version(version) => match answer.value() {
            Some(json) => {
                assert_eq!(version.server, json["etcdserver"], "{exchange}");
                assert_eq!(version.cluster.as_deref(), json["etcdcluster"].as_str(), "{exchange}");
            }
            None => {
                let text = std::str::from_utf8(&answer.body).unwrap();
                assert_eq!(text.trim_start_matches("etcd ").trim_start_matches('v'), version.server);
                assert_eq!(version.cluster, None);
            }
        },
        Response::Health(health) => {
            assert_eq!(health.healthy.to_string(), json()["health"].as_str().unwrap(), "{exchange}");
            assert_eq!(health.reason, json()["reason"].as_str().unwrap_or_default(), "{exchange}");
        }
        Response::Done(()) => assert!(answer.body.is_empty(), "{exchange}"),
    }
}

/// The head of a watch, and its events however the body is chopped.
pub(crate) fn check_watch(exchange: &Exchange, answer: &Answer) {
    let header = Operation::decode_watch_head(answer.status, &answer.headers, &answer.body).unwrap();
    check_header(exchange, answer, &header);
    let wanted = answer.values();
    if let Some(json) = &answer.json {
        assert_eq!(*json, wanted, "{exchange}: the recorder read the same");
    }
    let body = &*answer.body;
    let mut choppings: Vec<Vec<&[u8]>> = [1, 2, 7, 100].map(|size| body.chunks(size).collect()).into();
    choppings.extend((0..=body.len()).map(|at| vec![&body[..at], &body[at..]]));
    for chunks in choppings {
        let mut decoder = EventDecoder::default();
        let mut events = Vec::new();
        for chunk in &chunks {
            decoder.push(chunk);
            while let Some(event) = decoder.next_event().unwrap_or_else(|error| panic!("{exchange}: {error}"))
            {
                assert_eq!(Some(event.index().get()), Some(event.node.modified_index.get()));
                events.push(without_root_key(json!(event)));
            }
        }
        decoder.finish().unwrap();
        let wanted: Vec<Value> = wanted.iter().cloned().map(without_root_key).collect();
        assert_eq!(events, wanted, "{exchange} in {} chunks", chunks.len());
    }
}

fn check_keys(exchange: &Exchange, operation: &Operation, recorded: Value, response: &KeysResponse) {
    if recorded.get("node").is_none() {
        // noValueOnSuccess: only the action comes, the rest is known from the request.
        assert_eq!(recorded, json!({ "action": response.action }), "{exchange}");
        let key = operation.key().unwrap();
        let key = match (operation.name(), response.header.etcd_index.get()) {
            ("create in order" | "create dir in order", index) => key.join(format!("{index:020}")).unwrap(),
            _ => key.clone(),
        };
        assert_eq!(response.node.key, key, "{exchange}");
        assert_eq!(response.index(), response.header.etcd_index, "{exchange}");
        assert_eq!(response.prev_node, None, "{exchange}");
        return;
    }
    assert_eq!(json!(response), without_root_key(recorded), "{exchange}");
}

fn check_header(exchange: &Exchange, answer: &Answer, header: &Header) {
    let number = |name| answer.header(name).map(|text| text.parse::<u64>().unwrap());
    assert_eq!(header.etcd_index.get(), number("x-etcd-index").unwrap_or(0), "{exchange}");
    assert_eq!(header.raft_index, number("x-raft-index"), "{exchange}");
    assert_eq!(header.raft_term, number("x-raft-term"), "{exchange}");
    assert_eq!(header.cluster_id.as_deref(), answer.header("x-etcd-cluster-id"), "{exchange}");
}

/// Every recorded field has come over, and what came besides is nothing: statistics leave out what is 0.
fn check_covers(exchange: &Exchange, typed: &Value, recorded: &Value) {
    match (typed, recorded) {
        (Value::Object(typed), Value::Object(recorded)) => {
            for (name, value) in recorded {
                let typed = typed.get(name).unwrap_or_else(|| panic!("{exchange}: {name} is lost"));
                check_covers(exchange, typed, value);
            }
            for (name, value) in typed.iter().filter(|(name, _)| !recorded.contains_key(*name)) {
                assert!(is_nothing(value), "{exchange}: {name} is made up: {value}");
            }
        }
        (Value::Number(typed), Value::Number(recorded)) => {
            assert_eq!(typed.as_f64(), recorded.as_f64(), "{exchange}");
        }
        _ => assert_eq!(typed, recorded, "{exchange}"),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.values().all(is_nothing),
    }
}

/// The root has the key `/` in 0.x and none later; ours is written in the later way.
fn without_root_key(mut event: Value) -> Value {
    for node in ["node", "prevNode"] {
        if event[node]["key"] == "/" {
            event[node].as_object_mut().unwrap().remove("key");
        }
    }
    if event["prevNode"].is_null() {
        event.as_object_mut().unwrap().remove("prevNode");
    }
    event
}

fn user(user: &User) -> Value {
    let roles: Vec<Value> = user
        .roles
        .iter()
        .map(|role| match &role.permissions {
            Some(permissions) => role_json(&role.name, permissions),
            None => json!(role.name),
        })
        .collect();
    without_null_roles(json!({ "user": user.name, "roles": roles }))
}

fn role(role: &Role) -> Value {
    role_json(&role.name, &role.permissions)
}

fn role_json(name: &str, permissions: &Permissions) -> Value {
    json!({ "role": name, "permissions": { "kv": permissions } })
}

/// `null`, nothing and an empty list of roles are one.
fn without_null_roles(mut user: Value) -> Value {
    if matches!(&user["roles"], Value::Null) || user["roles"] == json!([]) {
        user.as_object_mut().unwrap().remove("roles");
    }
    user
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default().into_iter().map(without_null_roles_of_a_user).collect()
}

fn without_null_roles_of_a_user(value: Value) -> Value {
    if value.get("user").is_some() { without_null_roles(value) } else { value }
}
