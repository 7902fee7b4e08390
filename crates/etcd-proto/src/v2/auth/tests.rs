use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::v2::Operation;
use crate::{ErrorKind, Outcome};

fn sent(call: impl Into<Operation>) -> (String, Value) {
    let request = call.into().encode().unwrap();
    let is_json = request.headers().get("content-type").is_some_and(|it| it == "application/json");
    assert_eq!(is_json, !request.body().is_empty());
    let json = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
    (format!("{} {}", request.method(), request.uri()), json)
}

fn is_sent(call: impl Into<Operation>, line: &str, json: Value) {
    assert_eq!(sent(call), (line.into(), json));
}

fn decode(call: impl Into<Operation>, status: u16, body: &str) -> Result<Response, Error> {
    call.into().decode(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
}

#[test]
fn the_switch_is_one_path_with_three_methods() {
    is_sent(GetAuthStatus::new(), "GET /v2/auth/enable", Value::Null);
    is_sent(EnableAuth::new(), "PUT /v2/auth/enable", Value::Null);
    is_sent(DisableAuth::new(), "DELETE /v2/auth/enable", Value::Null);
    assert!(matches!(
        decode(GetAuthStatus::new(), 200, "{\"enabled\":true}\n"),
        Ok(Response::AuthStatus(AuthStatus { enabled: true }))
    ));
    for call in [Operation::from(EnableAuth::new()), DisableAuth::new().into()] {
        assert!(matches!(decode(call.clone(), 200, ""), Ok(Response::Done(()))));
        let error = decode(call, 409, r#"{"message":"auth: already enabled"}"#).unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Api, Outcome::NotApplied));
    }
}

#[test]
fn a_user_is_sent_with_what_changes_and_nothing_else() {
    let mut create = CreateUser::new("al ice", "pw");
    is_sent(create.clone(), "PUT /v2/auth/users/al%20ice", json!({ "user": "al ice", "password": "pw" }));
    create.roles = vec!["r".into()];
    is_sent(
        create,
        "PUT /v2/auth/users/al%20ice",
        json!({ "user": "al ice", "password": "pw", "roles": ["r"] }),
    );
    is_sent(
        ChangePassword::new("alice", "pw"),
        "PUT /v2/auth/users/alice",
        json!({ "user": "alice", "password": "pw" }),
    );
    is_sent(
        GrantRoles::new("alice", ["r", "s"]),
        "PUT /v2/auth/users/alice",
        json!({ "user": "alice", "grant": ["r", "s"] }),
    );
    is_sent(
        RevokeRoles::new("alice", ["r"]),
        "PUT /v2/auth/users/alice",
        json!({ "user": "alice", "revoke": ["r"] }),
    );
    is_sent(ListUsers::new(), "GET /v2/auth/users", Value::Null);
    is_sent(GetUser::new("alice"), "GET /v2/auth/users/alice", Value::Null);
    is_sent(DeleteUser::new("alice"), "DELETE /v2/auth/users/alice", Value::Null);
}

#[test]
fn a_role_is_sent_with_its_permissions_below_kv() {
    let permissions = || Permissions::new().read("/r/*").read_write("/w");
    let kv = json!({ "kv": { "read": ["/r/*", "/w"], "write": ["/w"] } });
    let line = "PUT /v2/auth/roles/rw";
    is_sent(CreateRole::new("rw", permissions()), line, json!({ "role": "rw", "permissions": kv }));
    is_sent(GrantPermissions::new("rw", permissions()), line, json!({ "role": "rw", "grant": kv }));
    is_sent(RevokePermissions::new("rw", permissions()), line, json!({ "role": "rw", "revoke": kv }));
    is_sent(ListRoles::new(), "GET /v2/auth/roles", Value::Null);
    is_sent(GetRole::new("rw"), "GET /v2/auth/roles/rw", Value::Null);
    is_sent(DeleteRole::new("rw"), "DELETE /v2/auth/roles/rw", Value::Null);
}

#[test]
fn what_would_be_another_call_to_the_server_is_refused_before_it_is_sent() {
    let none: [&str; 0] = [];
    let calls: [Operation; 10] = [
        GetUser::new("").into(),
        GetUser::new("a/b").into(),
        DeleteUser::new("..").into(),
        GetRole::new("").into(),
        DeleteRole::new("a/b").into(),
        CreateUser::new("a", "").into(),
        GrantRoles::new("a", none).into(),
        RevokeRoles::new("a", none).into(),
        GrantPermissions::new("a", Permissions::new()).into(),
        RevokePermissions::new("a", Permissions::new()).into(),
    ];
    for call in calls {
        let error = call.encode().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName, "{call:?}");
        assert!(error.outcome().is_not_applied());
    }
}

#[test]
fn a_password_is_printed_nowhere() {
    let calls: [Operation; 2] =
        [CreateUser::new("a", "canary").into(), ChangePassword::new("a", "canary").into()];
    for call in calls {
        assert!(format!("{call:?}").contains("***"));
        assert!(!format!("{call:?}").contains("canary"));
    }
    assert_eq!(Password::from(String::from("canary")).expose(), "canary");
}

#[test]
fn users_come_with_whole_roles_when_read_and_with_names_when_changed() {
    let whole =
        r#"{"user":"alice","roles":[{"role":"rw","permissions":{"kv":{"read":["/r"],"write":null}}}]}"#;
    let Ok(Response::User(user)) = decode(GetUser::new("alice"), 200, whole) else { panic!() };
    let permissions = Permissions::new().read("/r");
    assert_eq!(user.roles, [UserRole { name: "rw".into(), permissions: Some(permissions) }]);

    let Ok(Response::UserChange(change)) =
        decode(GrantRoles::new("alice", ["rw"]), 200, r#"{"user":"alice","roles":["rw"]}"#)
    else {
        panic!()
    };
    assert_eq!(change.user.roles, [UserRole { name: "rw".into(), permissions: None }]);
    assert!(!change.created);

    for none in [r#"{"users":null}"#, r#"{"users":[]}"#] {
        assert!(matches!(decode(ListUsers::new(), 200, none), Ok(Response::Users(it)) if it.is_empty()));
    }
}

#[test]
fn only_a_201_says_that_a_user_is_new() {
    for (status, created) in [(201, true), (200, false)] {
        let Ok(Response::UserChange(change)) =
            decode(CreateUser::new("a", "p"), status, r#"{"user":"a","roles":null}"#)
        else {
            panic!()
        };
        assert_eq!(change.created, created);
    }
}

#[test]
fn roles_are_read_also_without_permissions() {
    let body =
        r#"{"roles":[{"role":"root","permissions":{"kv":{"read":["/*"],"write":["/*"]}}},{"role":"bare"}]}"#;
    let Ok(Response::Roles(roles)) = decode(ListRoles::new(), 200, body) else { panic!() };
    assert_eq!(roles[0].permissions, Permissions::new().read_write("/*"));
    assert_eq!(roles[1], Role { name: "bare".into(), ..Role::default() });
}

#[test]
fn missing_credentials_are_a_kind_of_refusal_that_can_be_asked_for() {
    let error = decode(ListUsers::new(), 401, r#"{"message":"Insufficient credentials"}"#).unwrap_err();
    assert!(error.api().unwrap().is_unauthorized());
    let error =
        decode(DeleteUser::new("a"), 404, r#"{"message":"auth: User a does not exist"}"#).unwrap_err();
    assert!(!error.api().unwrap().is_unauthorized());
    assert_eq!(error.outcome(), Outcome::NotApplied);
}
