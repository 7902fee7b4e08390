//! The HTTP service: members, watches, the log.

use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{Body, ConnectRefused, HttpService, MemoryEtcd};
use http_body_util::Full;

use super::{ask, cluster, event, is_silent, next, send, status, text, watch};

const _: () = {
    const fn is<T: Clone + Send + Sync + 'static>() {}
    const fn is_sent<T: Send + 'static>() {}
    is::<HttpService>();
    is::<etcd_testkit::memory::OperationService>();
    is::<etcd_testkit::memory::InProcess>();
    is::<etcd_testkit::memory::Faults>();
    is::<etcd_testkit::memory::Log>();
    is_sent::<MemoryEtcd>();
    is_sent::<Body>();
};

#[tokio::test(start_paused = true)]
async fn a_poll_ends_after_the_write_that_it_waited_for() {
    let etcd = cluster(1);
    let mut poll = watch(&etcd, "/v2/keys/a?wait=true").await;
    assert!(is_silent(&mut poll).await);
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1").await, 201);
    assert!(event(&mut poll).await.starts_with(r#"{"action":"set","node":{"key":"/a","value":"1""#));
    assert!(next(&mut poll).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_write_wakes_a_task_that_waits_for_it() {
    let etcd = cluster(1);
    let poll = watch(&etcd, "/v2/keys/a?wait=true").await;
    let reader = tokio::spawn(text(poll));
    tokio::task::yield_now().await;
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1").await, 201);
    assert!(reader.await.unwrap().unwrap().ends_with("}\n"));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_body_closes_its_watch() {
    let etcd = cluster(1);
    let bodies = [watch(&etcd, "/v2/keys/a?wait=true").await, watch(&etcd, "/v2/keys/a?wait=true").await];
    assert_eq!(etcd.with_store(|store, _| store.watcher_count(0)), 2);
    drop(bodies);
    assert_eq!(etcd.with_store(|store, _| store.watcher_count(0)), 0);
}

#[tokio::test(start_paused = true)]
async fn an_absolute_uri_goes_to_the_member_of_that_name() {
    let etcd = cluster(3);
    let endpoints = etcd.endpoints();
    for (member, endpoint) in endpoints.iter().enumerate() {
        let target = format!("{endpoint}/v2/stats/self");
        let answer = send(etcd.http_service(), "GET", &target).await.unwrap();
        let name = format!(r#""name":"m{}""#, member + 1);
        assert!(text(answer.into_body()).await.unwrap().contains(&name));
        let answer = send(etcd.http_service().to(member), "GET", "/v2/stats/self").await.unwrap();
        assert!(text(answer.into_body()).await.unwrap().contains(&name));
    }
    let members: Vec<usize> = etcd.log().entries().iter().map(|entry| entry.member).collect();
    assert_eq!(members, [0, 0, 1, 1, 2, 2]);
    let elsewhere = send(etcd.http_service(), "GET", "http://elsewhere/version").await;
    assert!(elsewhere.unwrap_err().is::<ConnectRefused>());
    assert!(send(etcd.http_service().to(3), "GET", "/version").await.unwrap_err().is::<ConnectRefused>());
}

#[tokio::test(start_paused = true)]
async fn a_killed_member_cuts_what_is_open_and_refuses_until_it_is_back() {
    let etcd = cluster(2);
    let mut cut = watch(&etcd, "/v2/keys/a?wait=true").await;
    let other = send(etcd.http_service().to(1), "GET", "/v2/keys/a?wait=true").await.unwrap();
    let reader = tokio::spawn(async move { next(&mut cut).await });
    tokio::task::yield_now().await;
    etcd.kill(0).unwrap();
    assert!(reader.await.unwrap().unwrap().unwrap_err().is_reset());
    assert!(send(etcd.http_service(), "GET", "/version").await.unwrap_err().is::<ConnectRefused>());
    assert!(is_silent(&mut other.into_body()).await, "the other member lives");
    etcd.restart(0).unwrap();
    assert_eq!(status(&etcd, "GET", "/version").await, 200);
    assert!(etcd.kill(7).unwrap_err().is_no_member());
}

#[tokio::test(start_paused = true)]
async fn a_removed_member_is_gone() {
    let etcd = cluster(3);
    let id = etcd.with_store(|store, _| store.members()[2].id.clone());
    let open = send(etcd.http_service().to(2), "GET", "/v2/keys/a?wait=true").await.unwrap();
    assert_eq!(status(&etcd, "DELETE", &format!("/v2/members/{id}")).await, 204);
    assert!(text(open.into_body()).await.unwrap_err().is_reset());
    assert!(send(etcd.http_service().to(2), "GET", "/version").await.unwrap_err().is::<ConnectRefused>());
}

#[tokio::test(start_paused = true)]
async fn a_body_beyond_the_limit_is_refused_by_the_store() {
    use tower::ServiceExt as _;
    let etcd = cluster(1);
    let huge = vec![b'a'; 11 << 20];
    let request = http::Request::put("/v2/keys/a")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(huge))
        .unwrap();
    let answer = etcd.http_service().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(text(answer.into_body()).await.unwrap().contains("POST too large"));
}

#[tokio::test(start_paused = true)]
async fn the_log_keeps_order_and_forgets_the_oldest() {
    let etcd = cluster(1);
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1").await, 201);
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1&prevExist=false").await, 412);
    let entries = etcd.log().entries();
    assert_eq!((&*entries[0].target, entries[0].path()), ("/v2/keys/a?value=1", "/v2/keys/a"));
    assert_eq!((entries[0].applied, entries[0].status.unwrap().as_u16()), (true, 201));
    assert_eq!((entries[1].applied, entries[1].status.unwrap().as_u16()), (false, 412));
    for _ in 0..10_000 {
        ask(&etcd, "GET", "/version").await;
    }
    let entries = etcd.log().entries();
    assert_eq!((entries.len(), entries[0].number, etcd.log().count()), (10_000, 2, 10_002));
    etcd.log().clear();
    assert!(etcd.log().entries().is_empty());
}

#[test]
fn a_cluster_has_at_least_one_member() {
    for members in [0, 101] {
        let error = MemoryEtcd::builder().members(members).in_process().unwrap_err();
        assert!(error.is_config());
        assert_eq!(error.to_string(), format!("a cluster has 1 to 100 members, not {members}"));
    }
    let etcd = cluster(3);
    assert_eq!(etcd.name(), "etcd 3.5.16 in memory, 3 members");
    assert_eq!(etcd.version().to_string(), "3.5.16");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_is_lost_between_threads() {
    let etcd = cluster(1);
    let limit = std::time::Duration::from_secs(20);
    for round in 0..50 {
        let mut readers = Vec::new();
        for watcher in 0..20 {
            let target = format!("/v2/keys/r{round}/k{watcher}?wait=true");
            let poll = watch(&etcd, &target).await;
            readers.push(tokio::spawn(tokio::time::timeout(limit, text(poll))));
        }
        let writer = etcd.clone();
        let writer = tokio::spawn(async move {
            for watcher in 0..20 {
                let ttl = if watcher % 2 == 0 { "&ttl=100" } else { "" };
                let target = format!("/v2/keys/r{round}/k{watcher}?value=1{ttl}");
                assert_eq!(status(&writer, "PUT", &target).await, 201);
            }
        });
        for reader in readers {
            reader.await.unwrap().expect("a wake is lost").unwrap();
        }
        writer.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_kill_is_missed_by_a_watch_that_opens_meanwhile() {
    let etcd = cluster(1);
    for _ in 0..200 {
        let killer = etcd.clone();
        let opening = tokio::spawn(send(etcd.http_service(), "GET", "/v2/keys/a?wait=true"));
        let killing = tokio::spawn(async move { killer.kill(0) });
        // Refused or cut, before the head or after it; never silent.
        let opened = opening.await.unwrap();
        killing.await.unwrap().unwrap();
        if let Ok(response) = opened {
            let limit = std::time::Duration::from_secs(20);
            let end = tokio::time::timeout(limit, text(response.into_body())).await;
            assert!(end.expect("the kill is missed").unwrap_err().is_reset());
        }
        etcd.restart(0).unwrap();
    }
    assert_eq!(etcd.with_store(|store, _| store.watcher_count(0)), 0);
}

#[tokio::test(start_paused = true)]
async fn a_name_and_a_password_in_a_url_do_not_change_the_member() {
    let etcd = cluster(2);
    let target = "http://root:p%40ss@m2.memory:2379/version";
    assert_eq!(send(etcd.http_service(), "GET", target).await.unwrap().status(), 200);
    assert_eq!(etcd.log().entries()[0].member, 1);
    let unknown = send(etcd.http_service(), "GET", "http://m2.memory:2379@other:2379/version").await;
    assert!(unknown.unwrap_err().is::<ConnectRefused>());
}
