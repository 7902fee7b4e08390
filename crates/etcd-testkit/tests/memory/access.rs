//! Users, roles and who may do what.

use bytes::Bytes;
use etcd_testkit::memory::Answer;
use http::Request;
use serde_json::json;

use crate::client::Client;

/// A store with auth on and two users: `root` and `u`, both with the password `x`.
fn guarded() -> Client {
    let mut client = Client::new();
    for user in ["root", "u"] {
        let body = format!("{{\"user\":\"{user}\",\"password\":\"x\"}}");
        assert_eq!(client.put_json(&format!("/v2/auth/users/{user}"), &body), 201);
    }
    assert_eq!(client.status("PUT", "/v2/auth/enable"), 200);
    client
}

/// The status and body of a request by a user.
fn by(client: &mut Client, user: &str, method: &str, target: &str, body: &str) -> (u16, String) {
    let credentials = match user {
        "root" => "Basic cm9vdDp4",
        "u" => "Basic dTp4",
        other => panic!("{other}"),
    };
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("authorization", credentials)
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    let Answer::Complete(answer) = client.store.handle(0, &request, client.now) else { panic!("{target}") };
    (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
}

#[test]
fn an_exact_pattern_does_not_allow_a_user_the_subtree() {
    let mut client = guarded();
    client.put("/a/b");
    let role = "{\"role\":\"r\",\"permissions\":{\"kv\":{\"read\":[\"/a\"],\"write\":[]}}}";
    assert_eq!(by(&mut client, "root", "PUT", "/v2/auth/roles/r", role).0, 201);
    assert_eq!(
        by(&mut client, "root", "PUT", "/v2/auth/users/u", "{\"user\":\"u\",\"grant\":[\"r\"]}").0,
        200
    );
    assert_eq!(by(&mut client, "u", "GET", "/v2/keys/a", "").0, 200);
    assert_eq!(by(&mut client, "u", "GET", "/v2/keys/a?recursive=true", "").0, 401);
    assert_eq!(by(&mut client, "u", "PUT", "/v2/keys/a", "").0, 401);
    assert_eq!(by(&mut client, "root", "GET", "/v2/keys/a?recursive=true", "").0, 200);
}

#[test]
fn granted_patterns_are_kept_in_order_and_revoking_what_is_not_there_is_no_error() {
    let mut client = Client::new();
    client.put_json("/v2/auth/roles/r", "{\"role\":\"r\"}");
    let mut change = |change: &str, read: &[&str]| {
        let body = json!({ "role": "r", change: { "kv": { "read": read } } });
        let answer = client.with_body("PUT", "/v2/auth/roles/r", &body.to_string());
        let answer: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        answer["permissions"]["kv"]["read"].clone()
    };
    assert_eq!(change("grant", &["/z", "/a"]), json!(["/a", "/z"]));
    assert_eq!(change("grant", &["/m"]), json!(["/a", "/m", "/z"]));
    assert_eq!(change("revoke", &["/a", "/nope"]), json!(["/m", "/z"]));
}

#[test]
fn hidden_users_and_roles_are_left_out_of_lists() {
    let mut client = Client::new();
    assert_eq!(client.put_json("/v2/auth/users/_u", "{\"user\":\"_u\",\"password\":\"x\"}"), 201);
    assert_eq!(client.put_json("/v2/auth/roles/_r", "{\"role\":\"_r\"}"), 201);
    assert!(client.json("GET", "/v2/auth/users")["users"].is_null());
    assert_eq!(client.json("GET", "/v2/auth/roles")["roles"].as_array().unwrap().len(), 1);
    assert_eq!(client.status("GET", "/v2/auth/users/_u"), 200);
}

#[test]
fn a_trailing_slash_is_another_key_to_permissions() {
    let mut client = Client::new();
    client.put_json("/v2/auth/users/root", "{\"user\":\"root\",\"password\":\"x\"}");
    assert_eq!(client.status("PUT", "/v2/auth/enable"), 200);
    let guest = |change: &str, pattern: &str| {
        format!(
            "{{\"role\":\"guest\",\"{change}\":{{\"kv\":{{\"read\":[\"{pattern}\"],\"write\":[\"/*\"]}}}}}}"
        )
    };
    let send = |client: &mut Client, body: String| {
        let request = http::Request::put("/v2/auth/roles/guest")
            .header("authorization", "Basic cm9vdDp4")
            .body(bytes::Bytes::from(body))
            .unwrap();
        let Answer::Complete(answer) = client.store.handle(0, &request, client.now) else { panic!() };
        assert_eq!(answer.status(), 200, "{answer:?}");
    };
    send(&mut client, guest("revoke", "/*"));
    send(&mut client, guest("grant", "/a"));
    client.put("/a/b");
    assert_eq!(client.status("GET", "/v2/keys/a"), 200);
    assert_eq!(client.status("GET", "/v2/keys/a/"), 401);
    // The plain rule for guests, even for a whole subtree.
    assert_eq!(client.status("GET", "/v2/keys/a?recursive=true"), 200);
    assert_eq!(client.status("GET", "/v2/keys/a/b"), 401);
}
