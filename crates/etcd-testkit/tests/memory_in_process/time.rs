//! Time: expiry, beats, stalls.

use std::time::Duration;

use etcd_testkit::memory::Change;
use tokio::time::Instant;

use super::{ask, cluster, event, is_silent, status, watch};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_key_expires_when_its_time_is_up() {
    let etcd = cluster(1);
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1&ttl=5").await, 201);
    etcd.advance(4 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 200);
    etcd.advance(2 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_watch_hears_of_an_expiry_by_itself() {
    let etcd = cluster(1);
    let mut poll = watch(&etcd, "/v2/keys/a?wait=true").await;
    let reader = tokio::spawn(async move { event(&mut poll).await });
    tokio::task::yield_now().await;
    // The time to live comes after the watch has gone to sleep without any timer.
    let started = Instant::now();
    let mut stream = watch(&etcd, "/v2/keys/?wait=true&stream=true&recursive=true").await;
    assert_eq!(status(&etcd, "PUT", "/v2/keys/b?value=1&ttl=60").await, 201);
    assert!(event(&mut stream).await.contains(r#""action":"set""#));
    let other = tokio::spawn(async move { event(&mut stream).await });
    tokio::task::yield_now().await;
    assert_eq!(status(&etcd, "PUT", "/v2/keys/b?value=1&ttl=5").await, 200);
    assert!(other.await.unwrap().contains(r#""action":"set""#));
    assert!(!reader.is_finished());
    assert_eq!(status(&etcd, "PUT", "/v2/keys/c/d?value=1&ttl=3").await, 201);
    let mut below = watch(&etcd, "/v2/keys/c?wait=true&recursive=true").await;
    assert!(event(&mut below).await.contains(r#""action":"expire""#));
    let passed = started.elapsed();
    assert!((3 * SECOND..4 * SECOND).contains(&passed), "{passed:?}");
    assert!(!reader.is_finished());
}

#[tokio::test(start_paused = true)]
async fn watchers_that_sleep_already_are_told_of_a_nearer_end() {
    let etcd = cluster(1);
    assert_eq!(status(&etcd, "PUT", "/v2/keys/far?value=1&ttl=100").await, 201);
    let mut poll = watch(&etcd, "/v2/keys/near?wait=true&stream=true").await;
    let reader = tokio::spawn(async move {
        let set = event(&mut poll).await;
        (set, event(&mut poll).await)
    });
    tokio::task::yield_now().await;
    let started = Instant::now();
    assert_eq!(status(&etcd, "PUT", "/v2/keys/near?value=1&ttl=2").await, 201);
    let (set, expire) = reader.await.unwrap();
    assert!(set.contains(r#""action":"set""#), "{set}");
    assert!(expire.contains(r#""action":"expire""#), "{expire}");
    assert!(started.elapsed() < 3 * SECOND, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn without_a_leader_a_write_fails_after_seven_seconds_and_is_not_made() {
    let etcd = cluster(3);
    etcd.faults().apply(Change::NoLeader(20 * SECOND)).unwrap();
    let started = Instant::now();
    let (code, body) = ask(&etcd, "PUT", "/v2/keys/a?value=1").await;
    assert_eq!((code, started.elapsed()), (500, 7 * SECOND));
    assert!(body.starts_with(r#"{"errorCode":300,"message":"Raft Internal Error""#), "{body}");
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404, "plain reads are answered");
    assert_eq!(started.elapsed(), 7 * SECOND);
    assert_eq!(status(&etcd, "GET", "/v2/keys/a?quorum=true").await, 500);
    etcd.advance(7 * SECOND).await;
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1").await, 201, "the leader is back");
}

#[tokio::test(start_paused = true)]
async fn nothing_expires_without_a_leader_and_a_sleeping_watch_hears_of_it_when_he_is_back() {
    let etcd = cluster(3);
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1&ttl=2").await, 201);
    let started = Instant::now();
    let mut poll = watch(&etcd, "/v2/keys/a?wait=true").await;
    etcd.faults().apply(Change::NoLeader(10 * SECOND)).unwrap();
    etcd.advance(5 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 200);
    assert!(event(&mut poll).await.contains(r#""action":"expire""#));
    let passed = started.elapsed();
    assert!((10 * SECOND..11 * SECOND).contains(&passed), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_made_outside_of_a_runtime_follows_the_time_of_the_one_that_uses_it() {
    let etcd = std::thread::spawn(|| cluster(1)).join().unwrap();
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1&ttl=5").await, 201);
    etcd.advance(6 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404);
}

#[tokio::test(start_paused = true)]
async fn a_jump_of_the_clock_wakes_those_whose_keys_it_ends() {
    let etcd = cluster(1);
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1&ttl=100").await, 201);
    let mut poll = watch(&etcd, "/v2/keys/a?wait=true").await;
    assert!(is_silent(&mut poll).await);
    let before = etcd.now();
    etcd.faults().apply(Change::ClockForward(200 * SECOND)).unwrap();
    assert_eq!(etcd.now().duration_since(before).unwrap(), 200 * SECOND);
    assert!(event(&mut poll).await.contains(r#""action":"expire""#));

    assert_eq!(status(&etcd, "PUT", "/v2/keys/b?value=1&ttl=10").await, 201);
    etcd.faults().apply(Change::ClockBack(100 * SECOND)).unwrap();
    etcd.advance(60 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/b").await, 200);
    etcd.advance(60 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/b").await, 404);
}

#[tokio::test(start_paused = true)]
async fn a_jump_that_brings_an_end_nearer_shortens_the_sleep_of_its_watchers() {
    let etcd = cluster(1);
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1&ttl=100").await, 201);
    let mut poll = watch(&etcd, "/v2/keys/a?wait=true").await;
    let started = Instant::now();
    let reader = tokio::spawn(async move { event(&mut poll).await });
    tokio::task::yield_now().await;
    etcd.faults().apply(Change::ClockForward(90 * SECOND)).unwrap();
    assert!(reader.await.unwrap().contains(r#""action":"expire""#));
    assert!(started.elapsed() < 12 * SECOND, "{:?}", started.elapsed());
}
