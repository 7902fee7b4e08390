//! Changes that cannot be made say so, and changes meet changes.

use std::time::Duration;

use etcd_testkit::memory::{Change, Fault, InProcess, Rule};
use http::Method;
use tokio::time::Instant;

use super::{ask, cluster, event, is_silent, send, status};

const PUT: &str = "/v2/keys/a?value=1";
const SECOND: Duration = Duration::from_secs(1);

async fn status_at(etcd: &InProcess, member: usize, target: &str) -> u16 {
    send(etcd.http_service().to(member), "GET", target).await.unwrap().status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn a_change_of_a_member_that_does_not_exist_is_refused_by_its_number() {
    let etcd = cluster(2);
    let lag = Change::Lag { member: 2, lasts: SECOND };
    for change in [lag, Change::Kill(2), Change::Restart(2)] {
        let error = etcd.faults().apply(change).unwrap_err();
        assert!(error.is_no_member());
        assert_eq!(error.to_string(), "there is no member 2");
    }
    assert!(etcd.kill(7).unwrap_err().is_no_member() && etcd.restart(7).unwrap_err().is_no_member());
}

#[tokio::test(start_paused = true)]
async fn a_removed_member_cannot_be_brought_back() {
    let etcd = cluster(3);
    let id = etcd.with_store(|store, _| store.members()[2].id.clone());
    assert_eq!(status(&etcd, "DELETE", &format!("/v2/members/{id}")).await, 204);
    let error = etcd.restart(2).unwrap_err();
    assert!(error.is_no_member());
    assert_eq!(error.to_string(), "member 2 was removed from the cluster");
    assert!(etcd.faults().apply(Change::Lag { member: 2, lasts: SECOND }).unwrap_err().is_no_member());
}

#[tokio::test(start_paused = true)]
async fn the_expiry_of_a_key_that_does_not_exist_is_refused_by_its_name() {
    let etcd = cluster(1);
    assert_eq!(status(&etcd, "PUT", PUT).await, 201);
    let before = etcd.with_store(|store, _| store.index());
    for (key, message) in [("/none", "there is no key `/none`"), ("b/", "there is no key `/b`")] {
        let error = etcd.faults().apply(Change::Expire(key.into())).unwrap_err();
        assert!(error.is_no_key());
        assert_eq!(error.to_string(), message);
    }
    for root in ["/", ""] {
        let error = etcd.faults().apply(Change::Expire(root.into())).unwrap_err();
        assert!(error.is_no_key());
        assert_eq!(error.to_string(), "the root cannot expire");
    }
    assert_eq!(etcd.with_store(|store, _| store.index()), before, "and nothing is half done");
    etcd.faults().apply(Change::Expire("a".into())).unwrap();
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404);
}

#[tokio::test(start_paused = true)]
async fn a_rule_whose_change_cannot_be_made_tells_the_request() {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(Fault::Change(Change::Expire("/none".into()))).method(Method::PUT));
    let answer = ask(&etcd, "PUT", PUT).await;
    assert_eq!(answer, (500, "fault plan: there is no key `/none`\n".into()));
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404);
    assert!(!etcd.log().entries()[0].applied);
}

#[tokio::test(start_paused = true)]
async fn the_newest_time_without_a_leader_counts() {
    let etcd = cluster(1);
    let faults = etcd.faults();
    for (first, second) in [(10, 30), (30, 10)] {
        faults.apply(Change::NoLeader(first * SECOND)).unwrap();
        faults.apply(Change::NoLeader(second * SECOND)).unwrap();
        tokio::time::advance(second * SECOND - SECOND / 10).await;
        assert_eq!(status(&etcd, "GET", "/v2/members/leader").await, 503);
        tokio::time::advance(SECOND).await;
        assert_eq!(status(&etcd, "GET", "/v2/members/leader").await, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_gone_for_good_comes_back_by_another_time_without_one() {
    let etcd = cluster(3);
    etcd.faults().apply(Change::NoLeader(Duration::MAX)).unwrap();
    etcd.faults().apply(Change::NoLeader(5 * SECOND)).unwrap();
    tokio::time::advance(6 * SECOND).await;
    assert_eq!(etcd.with_store(|store, _| store.leader()), Some(0));

    etcd.with_store(|store, now| store.set_leader(Some(2), now).and_then(|()| store.set_leader(None, now)))
        .unwrap();
    etcd.faults().apply(Change::NoLeader(5 * SECOND)).unwrap();
    tokio::time::advance(6 * SECOND).await;
    assert_eq!(etcd.with_store(|store, _| store.leader()), Some(2), "the one of before");
}

#[tokio::test(start_paused = true)]
async fn a_leader_of_the_tests_own_choice_stays() {
    let etcd = cluster(3);
    etcd.faults().apply(Change::NoLeader(5 * SECOND)).unwrap();
    etcd.with_store(|store, now| store.set_leader(Some(1), now)).unwrap();
    tokio::time::advance(6 * SECOND).await;
    assert_eq!(etcd.with_store(|store, _| store.leader()), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_lag_of_a_lagging_member_keeps_its_state_and_counts_anew() {
    for (first, second) in [(10, 20), (20, 10)] {
        let etcd = cluster(2);
        let lag = |seconds| Change::Lag { member: 1, lasts: seconds * SECOND };
        etcd.faults().apply(lag(first)).unwrap();
        assert_eq!(status(&etcd, "PUT", PUT).await, 201);
        etcd.faults().apply(lag(second)).unwrap();
        assert_eq!(status_at(&etcd, 1, "/v2/keys/a").await, 404, "not the state at the second lag");
        let mut poll =
            send(etcd.http_service().to(1), "GET", "/v2/keys/a?wait=true").await.unwrap().into_body();
        let started = Instant::now();
        assert!(event(&mut poll).await.contains(r#""action":"set""#));
        assert_eq!(started.elapsed(), second * SECOND);
        assert_eq!(status_at(&etcd, 1, "/v2/keys/a").await, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lag_of_no_time_ends_one() {
    let etcd = cluster(2);
    etcd.faults().apply(Change::Lag { member: 1, lasts: Duration::MAX }).unwrap();
    assert_eq!(status(&etcd, "PUT", PUT).await, 201);
    tokio::time::advance(3600 * SECOND).await;
    assert_eq!(status_at(&etcd, 1, "/v2/keys/a").await, 404);
    etcd.faults().apply(Change::Lag { member: 1, lasts: Duration::ZERO }).unwrap();
    assert_eq!(status_at(&etcd, 1, "/v2/keys/a").await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_lagging_member_has_no_history_either_once_it_is_cleared() {
    let etcd = cluster(2);
    assert_eq!(status(&etcd, "PUT", PUT).await, 201);
    let index = etcd.with_store(|store, _| store.index());
    let since = |index: u64| format!("/v2/keys/a?wait=true&waitIndex={index}");
    etcd.faults().apply(Change::Lag { member: 1, lasts: 60 * SECOND }).unwrap();
    assert_eq!(status_at(&etcd, 1, &since(index)).await, 200);
    etcd.faults().apply(Change::ClearHistory).unwrap();
    assert_eq!(status_at(&etcd, 1, &since(index)).await, 400);
    let mut poll = send(etcd.http_service().to(1), "GET", &since(index + 1)).await.unwrap().into_body();
    assert!(is_silent(&mut poll).await);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_in_the_list_only_cannot_be_killed() {
    use tower::ServiceExt as _;
    let etcd = cluster(3);
    let post = http::Request::post("/v2/members").header("content-type", "application/json");
    let post = post.body(r#"{"peerURLs":["http://127.0.0.1:1"]}"#.to_owned()).unwrap();
    assert_eq!(etcd.http_service().oneshot(post).await.unwrap().status(), 201);
    assert!(etcd.kill(3).unwrap_err().is_no_member());
}
