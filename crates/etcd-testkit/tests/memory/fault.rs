//! What a test can do to the cluster, and changes of its members.

use std::time::Duration;

use etcd_testkit::memory::{Answer, Contact, Profile, Store};

use crate::client::{Client, event};

fn three() -> Client {
    Client::of(Store::builder().profile(Profile::V3_4).members(3))
}

fn text(client: &mut Client, member: usize, target: &str) -> String {
    let response = client.whole(member, "GET", target);
    String::from_utf8(response.body().to_vec()).unwrap()
}

#[test]
fn without_a_majority_writes_and_quorum_reads_wait_and_nothing_is_done() {
    let mut client = three();
    client.put("/a");
    client.store.set_contact(1, Contact::NoQuorum).unwrap();
    for (method, target) in
        [("PUT", "/v2/keys/a?value=2"), ("POST", "/v2/keys/q"), ("GET", "/v2/keys/a?quorum=true")]
    {
        let Answer::NoQuorum(stalled) = client.answer(1, method, target) else { panic!("{target}") };
        assert_eq!(stalled.after, Duration::from_secs(7));
        assert_eq!(stalled.response.status(), 500);
        let body = "{\"errorCode\":300,\"message\":\"Raft Internal Error\",\
                    \"cause\":\"etcdserver: request timed out\",\"index\":0}\n";
        assert_eq!(stalled.response.body(), body);
    }
    assert_eq!(client.store.index(), 8);
    assert_eq!(client.whole(1, "GET", "/v2/keys/a").status(), 200);
    assert_eq!(client.whole(0, "PUT", "/v2/keys/a?value=2").status(), 200);
    let silent = client.watch_at(1, "/a");
    assert_eq!(silent.head.status(), 200);
}

#[test]
fn a_member_that_knows_of_no_leader_says_so() {
    let mut client = three();
    client.store.set_contact(1, Contact::NoQuorum).unwrap();
    assert_eq!(client.whole(1, "GET", "/v2/members/leader").status(), 200);
    let Answer::NoQuorum(health) = client.answer(1, "GET", "/health") else { panic!() };
    assert_eq!((health.after, health.response.status().as_u16()), (Duration::from_secs(1), 503));
    client.store.set_contact(1, Contact::NoLeader).unwrap();
    let leader = client.whole(1, "GET", "/v2/members/leader");
    assert_eq!(
        (leader.status().as_u16(), &leader.body()[..]),
        (503, &b"{\"message\":\"During election\"}"[..])
    );
    assert_eq!(client.whole(1, "GET", "/health").body(), "{\"health\":\"false\"}");
    client.store.set_contact(1, Contact::Connected).unwrap();
    assert_eq!(client.whole(1, "GET", "/health").body(), "{\"health\":\"true\"}");
}

#[test]
fn only_the_leader_has_leader_statistics() {
    let mut client = three();
    assert!(text(&mut client, 0, "/v2/stats/leader").contains("\"followers\":{\""));
    assert_eq!(text(&mut client, 1, "/v2/stats/leader"), "{\"message\":\"not current leader\"}");
    assert!(text(&mut client, 1, "/v2/stats/self").contains("\"state\":\"StateFollower\""));
    client.store.set_leader(Some(1), client.now).unwrap();
    assert!(text(&mut client, 1, "/v2/stats/self").contains("\"state\":\"StateLeader\""));
    let term = client.whole(1, "GET", "/v2/keys").headers()["x-raft-term"].clone();
    assert_eq!(term, "3");
}

#[test]
fn a_frozen_member_shows_the_past_and_catches_up_event_by_event() {
    let mut client = three();
    client.put("/a");
    client.store.freeze(2).unwrap();
    let watch = client.watch_at(2, "/?recursive=true&stream=true");
    client.put("/a");
    client.delete("/a");
    assert!(text(&mut client, 2, "/v2/keys/a").contains("\"modifiedIndex\":8"));
    let head = client.whole(2, "GET", "/v2/keys/a").headers()["x-etcd-index"].clone();
    assert_eq!(head, "8");
    assert_eq!(client.whole(2, "GET", "/v2/keys/a?quorum=true").status(), 404);
    assert!(client.events(&watch).is_empty());
    // The read by consensus was an entry of the log as well.
    assert_eq!(client.store.catch_up(2, 1).unwrap(), 2);
    assert_eq!(client.events(&watch), [event("set", "/a", 9)]);
    assert_eq!(client.store.catch_up(2, usize::MAX).unwrap(), 0);
    assert_eq!(client.events(&watch), [event("delete", "/a", 10)]);
    assert_eq!(client.whole(2, "GET", "/v2/keys/a").status(), 404);
    client.put("/b");
    assert_eq!(client.events(&watch), [event("set", "/b", 11)]);
}

#[test]
fn a_cleared_history_and_an_index_that_went_back_refuse_old_watches() {
    let mut client = Client::new();
    client.put("/a");
    client.store.clear_history();
    assert_eq!(client.json("GET", "/v2/keys/a?wait=true&waitIndex=4")["errorCode"], 401);
    let snapshot = client.store.snapshot();
    client.put("/b");
    client.store.restore(&snapshot);
    assert_eq!((client.store.index(), client.status("GET", "/v2/keys/b")), (4, 404));
    client.store.set_index(2);
    let answer = client.json("PUT", "/v2/keys/a?value=1");
    assert_eq!(
        (&answer["node"]["modifiedIndex"], &answer["prevNode"]["modifiedIndex"]),
        (&3.into(), &4.into())
    );
}

#[test]
fn a_test_can_expire_a_key_and_show_another_cluster() {
    let mut client = Client::new();
    client.put("/a");
    client.status("PUT", "/v2/keys/t?ttl=100");
    let watch = client.watch("/a");
    client.store.expire_key("/a", client.now).unwrap();
    assert_eq!(client.events(&watch), [event("expire", "/a", 6)]);
    client.store.expire_all(client.now);
    assert_eq!(client.status("GET", "/v2/keys/t"), 404);
    client.store.set_cluster_id(0xabc);
    assert_eq!(client.whole(0, "GET", "/v2/keys").headers()["x-etcd-cluster-id"], "abc");
}

#[test]
fn a_member_added_to_one_alone_costs_the_majority_until_it_runs() {
    let mut client = Client::new();
    let added = client.with_body("POST", "/v2/members", "{\"peerURLs\":[\"http://127.0.0.1:1\"]}");
    assert_eq!(added.status(), 201);
    assert!(!client.store.can_commit(0) && !client.store.is_running(1));
    assert!(matches!(client.answer(0, "PUT", "/v2/keys/a"), Answer::NoQuorum(_)));
    client.store.start_member(1, "m2", ["http://127.0.0.1:2"]).unwrap();
    assert_eq!(client.whole(1, "PUT", "/v2/keys/a").status(), 201);
}

#[test]
fn a_removed_leader_is_followed_by_another_and_the_last_member_stays() {
    let mut client = three();
    let ids: Vec<String> = client.store.members().into_iter().map(|member| member.id).collect();
    assert_eq!(client.whole(1, "DELETE", &format!("/v2/members/{}", ids[0])).status(), 204);
    assert_eq!((client.store.leader(), client.store.is_running(0)), (Some(1), false));
    assert_eq!(client.whole(0, "GET", "/v2/keys").status(), 503);
    assert_eq!(client.whole(1, "DELETE", &format!("/v2/members/{}", ids[1])).status(), 204);
    assert_eq!(client.whole(2, "DELETE", &format!("/v2/members/{}", ids[2])).status(), 500);
    assert_eq!(client.whole(2, "PUT", "/v2/keys/a").status(), 201);
}

#[test]
fn directory_updates_fail_on_3_5_and_change_nothing() {
    let mut client = Client::of(Store::builder().profile(Profile::V3_5));
    client.status("PUT", "/v2/keys/d?dir=true");
    for target in ["/v2/keys/d?prevExist=true&ttl=5", "/v2/keys/d?prevExist=true&ttl=5&refresh=true"] {
        let answer = client.json("PUT", target);
        assert_eq!(answer["cause"], "nodePath /1/d : Not a file ()");
        assert_eq!((&answer["errorCode"], &answer["index"]), (&300.into(), &0.into()));
    }
    assert_eq!(client.store.index(), 4);
}

#[test]
fn a_frozen_member_gets_to_a_cleared_history_another_index_and_a_backup_in_their_turn() {
    let mut client = three();
    client.put("/a");
    let backup = client.store.snapshot();
    client.store.freeze(2).unwrap();
    let watch = client.watch_at(2, "/?recursive=true&stream=true");
    client.put("/a");
    client.store.clear_history();
    client.put("/b");
    client.store.set_index(100);
    client.put("/c");
    client.store.restore(&backup);
    client.put("/d");
    let since = |index: u64| format!("/v2/keys/?recursive=true&wait=true&waitIndex={index}");
    let index = |client: &mut Client| client.whole(2, "GET", "/v2/keys").headers()["x-etcd-index"].clone();
    assert_eq!(client.whole(2, "GET", &since(8)).status(), 400, "its own history is gone at once");
    assert_eq!(index(&mut client), "8");

    assert_eq!(client.store.catch_up(2, 2).unwrap(), 5);
    assert_eq!(client.events(&watch), [event("set", "/a", 9)]);
    assert_eq!(client.whole(2, "GET", &since(9)).status(), 400, "and so is what it has missed by then");
    assert_eq!(client.store.catch_up(2, 3).unwrap(), 2);
    assert_eq!(client.events(&watch), [event("set", "/b", 10), event("set", "/c", 101)]);
    assert_eq!(index(&mut client), "101");
    assert_eq!(client.store.catch_up(2, usize::MAX).unwrap(), 0);
    assert_eq!(client.events(&watch), [event("set", "/d", 9)]);
    assert_eq!((client.store.index(), index(&mut client).as_bytes()), (9, &b"9"[..]));
    assert_eq!(client.whole(2, "GET", "/v2/keys/c").status(), 404);
}

#[test]
fn what_names_no_member_is_refused_and_leaves_the_cluster_as_it_was() {
    let mut client = three();
    let now = client.now;
    let store = &mut client.store;
    let urls = || ["http://127.0.0.1:2"];
    let refused = [
        store.set_leader(Some(3), now).unwrap_err(),
        store.set_contact(3, Contact::NoLeader).unwrap_err(),
        store.freeze(3).unwrap_err(),
        store.catch_up(3, 1).unwrap_err(),
        store.set_client_urls(3, urls()).unwrap_err(),
        store.start_member(3, "m4", urls()).unwrap_err(),
    ];
    for error in refused {
        assert!(error.is_no_member());
        assert_eq!(error.to_string(), "there is no member 3");
    }
    assert!(store.start_member(1, "other", urls()).unwrap_err().is_config(), "it runs already");
    assert_eq!((store.leader(), store.index()), (Some(0), 7));
    assert!((0..3).all(|member| store.can_commit(member)));
}
