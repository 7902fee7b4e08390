//! The names that the design promises, and that every call can be moved to another task.

#![cfg(feature = "v2")]

use std::future::IntoFuture;
use std::time::Duration;

use etcd_client::v2::{Client, Compare, Permissions};

/// A call that is awaited elsewhere: its future is `Send` and owns all it needs.
fn call<C: IntoFuture<IntoFuture: Send + 'static> + Clone + Send + 'static>(call: C) {
    drop(call.into_future());
}

/// As [`call`], for what holds a closure or runs a loop.
fn run<F: IntoFuture<IntoFuture: Send + 'static>>(call: F) {
    drop(call.into_future());
}

#[test]
fn every_call_has_its_name_and_can_be_spawned() {
    let ttl = Duration::from_secs(60);
    let client = Client::connect("http://127.0.0.1:2379").unwrap();
    call(client.set("/foo/bar", "Hello World").ttl(ttl).no_value_on_success(true).idempotent(true));
    call(client.compare_and_swap("/foo/bar", "Goodbye", Compare::value("Hello World")).ttl(ttl));
    call(client.compare_and_swap("/foo/bar", "Goodbye", Compare::index(1818)));
    call(client.compare_and_swap("/foo/bar", "Goodbye", Compare::value("v").and_index(1818)));
    call(client.create("/foo/boo", "x"));
    call(client.update("/foo/boo", "y").idempotent(true));
    call(client.refresh("/foo/boo", ttl).compare(Compare::index(7)));
    call(client.create_dir("/d").ttl(ttl));
    call(client.set_dir("/d").idempotent(true));
    call(client.update_dir("/d").ttl(ttl));
    call(client.ensure_dir("/d").ttl(ttl));
    call(client.create_in_order("/queue", "Job1").ttl(ttl));
    call(client.create_dir_in_order("/queue").ttl(ttl));
    call(client.get("/foo").recursive(true).sorted(true).quorum(true));
    call(client.exists("/foo/bar").quorum(true));
    run(client.modify("/foo/bar", |value| Some(value.to_uppercase())).or_create("").ttl(ttl).rounds(3));
    call(client.delete("/foo/bar").idempotent(true));
    call(client.delete_dir("/foo").recursive(true));
    call(client.compare_and_delete("/foo/bar", Compare::index(1849)));
    call(client.poll("/foo").recursive(true).from(7).stream(true));
    run(client.watch("/foo").after(7).next_event());
    call(client.members().list());
    call(client.members().add(["http://10.0.0.7:2380"]));
    call(client.members().update("1", ["http://10.0.0.7:2380"]));
    call(client.members().remove("1"));
    call(client.members().leader());
    call(client.members().by_id());
    call(client.stats().store());
    call(client.stats().this_member());
    call(client.stats().leader());
    call(client.machines());
    call(client.version());
    call(client.health());
}

#[test]
fn every_auth_call_has_its_name_and_can_be_spawned() {
    let client = Client::connect("http://127.0.0.1:2379").unwrap();
    let (auth, permissions) = (client.auth(), Permissions::new().read("/a/*").write("/b").read_write("/c*"));
    call(auth.status());
    call(auth.enable());
    call(auth.disable());
    let users = auth.users();
    call(users.list());
    call(users.get("u"));
    call(users.create("u", "p").roles(["r"]));
    call(users.change_password("u", "p"));
    call(users.grant("u", ["r"]));
    call(users.revoke("u", ["r"]));
    call(users.delete("u"));
    let roles = auth.roles();
    call(roles.list());
    call(roles.get("r"));
    call(roles.create("r", permissions.clone()));
    call(roles.grant("r", permissions.clone()));
    call(roles.revoke("r", permissions));
    call(roles.delete("r"));
}

#[test]
fn limits_and_a_member_can_be_set_on_every_call() {
    let client = Client::connect("http://127.0.0.1:2379").unwrap();
    let endpoint: etcd_client::Endpoint = "127.0.0.1:2379".parse().unwrap();
    let limit = Duration::from_secs(1);
    call(client.get("/a").timeout(limit).attempt_timeout(limit).endpoint(endpoint.clone()));
    call(client.get("/a").retry(true).max_attempts(3).reissue(false).budget_exempt(true));
    call(client.version().timeout(limit).endpoint(endpoint.clone()));
    call(client.exists("/a").retry(true).max_attempts(3).reissue(false));
    call(client.exists("/a").timeout(limit).attempt_timeout(limit).endpoint(endpoint.clone()));
    call(client.ensure_dir("/a").timeout(limit).endpoint(endpoint.clone()));
    call(client.members().by_id().timeout(limit).endpoint(endpoint.clone()));
    run(client.modify("/a", |_| None).timeout(limit).endpoint(endpoint.clone()));
    call(client.auth().status().attempt_timeout(limit).endpoint(endpoint));
}
