//! Each fault does what its name says.

use std::time::Duration;

use etcd_testkit::memory::{Change, ConnectRefused, Fault, Plan, Rule};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout};

use super::{cluster, disconnect, event, is_silent, next, send, status, text, watch};

const PUT: &str = "/v2/keys/a?value=1";
const SECOND: Duration = Duration::from_secs(1);

/// A cluster whose first write meets a fault.
fn with(fault: Fault) -> etcd_testkit::memory::InProcess {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(fault).method(Method::PUT).nth(1));
    etcd
}

/// Whether the first write was made; by the key and by the log.
async fn was_made(etcd: &etcd_testkit::memory::InProcess) -> bool {
    let entry = etcd.log().entries().remove(0);
    let exists = status(etcd, "GET", "/v2/keys/a").await == 200;
    assert_eq!(entry.applied, exists, "{entry:?}");
    assert!(entry.fault.is_some());
    exists
}

#[tokio::test(start_paused = true)]
async fn refuse() {
    let etcd = with(Fault::Refuse);
    assert!(send(etcd.http_service(), "PUT", PUT).await.unwrap_err().is::<ConnectRefused>());
    assert!(!was_made(&etcd).await);
    assert_eq!(status(&etcd, "PUT", PUT).await, 201);
}

#[tokio::test(start_paused = true)]
async fn hang() {
    let etcd = with(Fault::Hang);
    let hangs = timeout(3600 * SECOND, send(etcd.http_service(), "PUT", PUT)).await;
    assert!(hangs.is_err());
    assert!(!was_made(&etcd).await);
}

#[tokio::test(start_paused = true)]
async fn a_kill_ends_what_hangs() {
    let etcd = with(Fault::Hang);
    let hangs = tokio::spawn(send(etcd.http_service(), "PUT", PUT));
    tokio::task::yield_now().await;
    etcd.kill(0).unwrap();
    assert!(disconnect(hangs.await.unwrap()).is_reset());
}

#[tokio::test(start_paused = true)]
async fn a_member_that_dies_at_a_request_does_not_carry_it_out() {
    let etcd = cluster(2);
    etcd.faults().add(Rule::new(Fault::Change(Change::Kill(0))).method(Method::PUT).nth(1));
    assert!(disconnect(send(etcd.http_service(), "PUT", PUT).await).is_reset());
    let entry = etcd.log().entries().remove(0);
    assert!(!entry.applied && entry.status.is_none() && entry.fault.is_some(), "{entry:?}");
    let other = send(etcd.http_service().to(1), "GET", "/v2/keys/a").await.unwrap();
    assert_eq!(other.status(), 404);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_look_at_the_store_loses_nobody() {
    let etcd = cluster(1);
    let mut poll = watch(&etcd, "/v2/keys/a?wait=true").await;
    let reader = tokio::spawn(async move { event(&mut poll).await });
    tokio::task::yield_now().await;
    let panics = std::panic::AssertUnwindSafe(|| {
        etcd.with_store(|store, now| {
            // The reader has no timer that would wake it: nothing is there that ends.
            store.handle(0, &http::Request::put(PUT).body(Default::default()).unwrap(), now);
            panic!("as meant")
        })
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    let event = timeout(SECOND, reader).await.expect("the wake is lost").unwrap();
    assert!(event.contains(r#""action":"set""#));
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 200, "the cluster goes on");
}

#[tokio::test(start_paused = true)]
async fn reset_before_the_head() {
    let etcd = with(Fault::ResetBeforeHead);
    assert!(disconnect(send(etcd.http_service(), "PUT", PUT).await).is_reset());
    assert!(!was_made(&etcd).await);
}

#[tokio::test(start_paused = true)]
async fn reset_after_the_head() {
    let etcd = with(Fault::ResetAfterHead);
    let response = send(etcd.http_service(), "PUT", PUT).await.unwrap();
    assert_eq!(response.status(), 201);
    let mut body = response.into_body();
    assert!(next(&mut body).await.unwrap().unwrap_err().is_reset());
    assert!(next(&mut body).await.is_none(), "nothing comes after an error");
    assert!(was_made(&etcd).await);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_is_not_longer_than_its_cut_is_whole() {
    for (more, is_cut) in [(0, false), (1, false), (-1, true)] {
        let etcd = cluster(1);
        assert_eq!(status(&etcd, "PUT", PUT).await, 201);
        let poll = "/v2/keys/a?wait=true&waitIndex=1";
        let length = event(&mut watch(&etcd, poll).await).await.len();
        let fault = Fault::CutBody(length.checked_add_signed(more).unwrap());
        etcd.faults().add(Rule::new(fault).watches());
        let body = watch(&etcd, poll).await;
        assert_eq!(text(body).await.is_err(), is_cut, "{more}");
    }
}

#[tokio::test(start_paused = true)]
async fn cut_the_body() {
    let etcd = with(Fault::CutBody(9));
    let mut body = send(etcd.http_service(), "PUT", PUT).await.unwrap().into_body();
    assert!(http_body::Body::size_hint(&body).exact().unwrap() > 50, "the head promises all of it");
    assert_eq!(event(&mut body).await, r#"{"action""#);
    assert!(!next(&mut body).await.unwrap().unwrap_err().is_reset());
    assert!(was_made(&etcd).await);
}

#[tokio::test(start_paused = true)]
async fn cut_a_stream_within_its_second_event() {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(Fault::CutBody(150)).watches());
    let mut stream = watch(&etcd, "/v2/keys/a?wait=true&stream=true").await;
    for _ in 0..2 {
        status(&etcd, "PUT", PUT).await;
    }
    let first = event(&mut stream).await;
    let second = event(&mut stream).await;
    assert!(first.ends_with('\n') && !second.ends_with('\n'), "{first}{second}");
    assert_eq!(first.len() + second.len(), 150);
    assert!(!next(&mut stream).await.unwrap().unwrap_err().is_reset());
}

#[tokio::test(start_paused = true)]
async fn a_stalled_body_brings_so_many_bytes_and_nothing_more_until_its_member_dies() {
    for (bytes, first) in [(0, None), (9, Some(r#"{"action""#))] {
        let etcd = with(Fault::StallBody(bytes));
        let mut body = send(etcd.http_service(), "PUT", PUT).await.unwrap().into_body();
        assert!(http_body::Body::size_hint(&body).exact().unwrap() > 50, "the head promises all of it");
        if let Some(first) = first {
            assert_eq!(event(&mut body).await, first);
        }
        assert!(is_silent(&mut body).await);
        assert!(was_made(&etcd).await);
        let reader = tokio::spawn(async move { next(&mut body).await });
        tokio::task::yield_now().await;
        etcd.kill(0).unwrap();
        assert!(reader.await.unwrap().unwrap().unwrap_err().is_reset());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_watch_hears_nothing_of_what_happens() {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(Fault::StallBody(150)).watches().first(1));
    let mut stream = watch(&etcd, "/v2/keys/a?wait=true&stream=true").await;
    for _ in 0..3 {
        status(&etcd, "PUT", PUT).await;
    }
    assert_eq!(event(&mut stream).await.len() + event(&mut stream).await.len(), 150);
    assert!(is_silent(&mut stream).await);
    let mut other = watch(&etcd, "/v2/keys/a?wait=true&waitIndex=1").await;
    assert!(event(&mut other).await.ends_with('\n'));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_not_longer_than_its_stall_is_whole() {
    for (more, is_silent) in [(0, false), (1, false), (-1, true)] {
        let etcd = cluster(1);
        assert_eq!(status(&etcd, "PUT", PUT).await, 201);
        let poll = "/v2/keys/a?wait=true&waitIndex=1";
        let length = event(&mut watch(&etcd, poll).await).await.len();
        let fault = Fault::StallBody(length.checked_add_signed(more).unwrap());
        etcd.faults().add(Rule::new(fault));
        let whole = timeout(SECOND, text(watch(&etcd, poll).await)).await;
        assert_eq!(whole.is_err(), is_silent, "{more}");
    }
}

#[tokio::test(start_paused = true)]
async fn apply_then_drop_the_answer() {
    let etcd = with(Fault::DropAnswer);
    let lost = disconnect(send(etcd.http_service(), "PUT", PUT).await);
    assert!(lost.is_closed() && !lost.is_reset());
    let source = std::error::Error::source(&lost).unwrap().downcast_ref::<std::io::Error>();
    assert_eq!(source.unwrap().kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(was_made(&etcd).await);
    assert_eq!(etcd.log().entries()[0].status, None);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_watch_that_is_lost_on_the_way_leaves_no_watch() {
    for fault in [Fault::DropAnswer, Fault::HtmlAfter(StatusCode::BAD_GATEWAY)] {
        let etcd = cluster(1);
        etcd.faults().add(Rule::new(fault).watches());
        drop(send(etcd.http_service(), "GET", "/v2/keys/a?wait=true").await);
        let entry = etcd.log().entries().remove(0);
        assert!(entry.applied && entry.fault.is_some(), "{entry:?}");
        assert_eq!(etcd.with_store(|store, _| store.watcher_count(0)), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_before_or_after_the_write() {
    let cause = "etcdserver: request timed out".to_owned();
    for (fault, made) in
        [(Fault::ErrorBefore { cause: cause.clone() }, false), (Fault::ErrorAfter { cause }, true)]
    {
        let etcd = with(fault);
        let response = send(etcd.http_service(), "PUT", PUT).await.unwrap();
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["x-etcd-index"], "0");
        assert!(response.headers().contains_key("x-etcd-cluster-id"));
        assert_eq!(
            text(response.into_body()).await.unwrap(),
            "{\"errorCode\":300,\"message\":\"Raft Internal Error\",\
             \"cause\":\"etcdserver: request timed out\",\"index\":0}\n"
        );
        assert_eq!(was_made(&etcd).await, made);
        assert_eq!(etcd.log().entries()[0].status.unwrap(), 500);
    }
}

#[tokio::test(start_paused = true)]
async fn unavailable_and_pages_of_proxies_and_redirects() {
    let etcd = with(Fault::Unavailable);
    assert_eq!(status(&etcd, "PUT", PUT).await, 503);
    assert!(!was_made(&etcd).await);
    let codes = [StatusCode::OK, StatusCode::GATEWAY_TIMEOUT];
    let pages = codes.map(|code| [(code, Fault::Html(code), false), (code, Fault::HtmlAfter(code), true)]);
    for (code, fault, made) in pages.into_iter().flatten() {
        let etcd = with(fault);
        let response = send(etcd.http_service(), "PUT", PUT).await.unwrap();
        assert_eq!(
            (response.status(), &response.headers()["content-type"]),
            (code, &"text/html".parse().unwrap())
        );
        assert!(text(response.into_body()).await.unwrap().starts_with("<html>"));
        assert_eq!(was_made(&etcd).await, made);
        assert_eq!(etcd.log().entries()[0].status, Some(code));
    }
    let etcd = with(Fault::Redirect("http://m2.memory:2379/v2/keys/a".into()));
    let response = send(etcd.http_service(), "PUT", PUT).await.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(response.headers()["location"], "http://m2.memory:2379/v2/keys/a");
    assert!(!was_made(&etcd).await);
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_before_the_write_and_a_delayed_answer_after_it() {
    for (fault, at_once) in [(Fault::Delay(5 * SECOND), 404), (Fault::DelayAnswer(5 * SECOND), 200)] {
        let etcd = with(fault);
        let started = Instant::now();
        let put = tokio::spawn(send(etcd.http_service(), "PUT", PUT));
        tokio::time::sleep(SECOND).await;
        assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, at_once);
        assert_eq!(put.await.unwrap().unwrap().status(), 201);
        assert_eq!(started.elapsed(), 5 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_in_a_delay_has_written_nothing() {
    let etcd = with(Fault::Delay(5 * SECOND));
    assert!(timeout(SECOND, send(etcd.http_service(), "PUT", PUT)).await.is_err());
    etcd.advance(10 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404);
}

#[tokio::test(start_paused = true)]
async fn dribble() {
    let etcd = with(Fault::Dribble { bytes: 10, every: SECOND });
    let started = Instant::now();
    let body = send(etcd.http_service(), "PUT", PUT).await.unwrap().into_body();
    assert_eq!(started.elapsed(), Duration::ZERO);
    let whole = body.collect().await.unwrap().to_bytes();
    assert!(whole.ends_with(b"}\n"));
    assert_eq!(started.elapsed(), SECOND * u32::try_from(whole.len().div_ceil(10)).unwrap());
    assert!(was_made(&etcd).await);
}

#[tokio::test(start_paused = true)]
async fn a_kill_cuts_a_body_between_two_pieces() {
    let etcd = with(Fault::Dribble { bytes: 10, every: 10 * SECOND });
    let mut body = send(etcd.http_service(), "PUT", PUT).await.unwrap().into_body();
    assert_eq!(event(&mut body).await.len(), 10);
    let started = Instant::now();
    let reader = tokio::spawn(async move { next(&mut body).await });
    etcd.advance(SECOND).await;
    etcd.kill(0).unwrap();
    assert!(reader.await.unwrap().unwrap().unwrap_err().is_reset());
    assert_eq!(started.elapsed(), SECOND, "it waits for no other piece");
}

#[tokio::test(start_paused = true)]
async fn a_dribbled_body_outlives_the_handles_of_its_cluster() {
    let etcd = with(Fault::Dribble { bytes: 10, every: SECOND });
    let body = send(etcd.http_service(), "PUT", PUT).await.unwrap().into_body();
    drop(etcd);
    assert!(text(body).await.unwrap().ends_with("}\n"));
}

#[tokio::test(start_paused = true)]
async fn a_lagging_member_answers_from_the_past_and_then_catches_up() {
    let etcd = cluster(2);
    etcd.faults().apply(Change::Lag { member: 1, lasts: 10 * SECOND }).unwrap();
    let mut poll = send(etcd.http_service().to(1), "GET", "/v2/keys/a?wait=true").await.unwrap().into_body();
    assert_eq!(status(&etcd, "PUT", PUT).await, 201);
    let read = || send(etcd.http_service().to(1), "GET", "/v2/keys/a");
    assert_eq!(read().await.unwrap().status(), 404);
    let started = Instant::now();
    assert!(event(&mut poll).await.contains(r#""action":"set""#));
    assert_eq!(started.elapsed(), 10 * SECOND);
    assert_eq!(read().await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn history_cluster_id_index_and_expiry_change_on_demand() {
    let etcd = cluster(1);
    let faults = etcd.faults();
    for _ in 0..3 {
        status(&etcd, "PUT", PUT).await;
    }
    faults.apply(Change::ClearHistory).unwrap();
    assert_eq!(status(&etcd, "GET", "/v2/keys/a?wait=true&waitIndex=4").await, 400);
    faults.apply(Change::ClusterId(0xabc)).unwrap();
    faults.apply(Change::Index(2)).unwrap();
    let response = send(etcd.http_service(), "GET", "/v2/keys/a").await.unwrap();
    assert_eq!(response.headers()["x-etcd-cluster-id"], "abc");
    assert_eq!(response.headers()["x-etcd-index"], "2");

    let mut poll = watch(&etcd, "/v2/keys/a?wait=true").await;
    assert!(is_silent(&mut poll).await);
    faults.apply(Change::Expire("/a".into())).unwrap();
    assert!(event(&mut poll).await.contains(r#""action":"expire""#));
    status(&etcd, "PUT", "/v2/keys/b?value=1&ttl=1000").await;
    faults.apply(Change::ExpireAll).unwrap();
    assert_eq!(status(&etcd, "GET", "/v2/keys/b").await, 404);
}

#[tokio::test(start_paused = true)]
async fn a_change_in_a_rule_comes_before_the_request() {
    let etcd = cluster(1);
    status(&etcd, "PUT", "/v2/keys/a?value=1").await;
    let rule = Rule::new(Fault::Change(Change::Expire("/a".into()))).method(Method::GET).nth(2);
    etcd.faults().set(rule);
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 200);
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404);
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_changed_while_the_cluster_runs() {
    let plan = Plan::new().rule(Rule::new(Fault::Unavailable).key_prefix("/a"));
    let etcd = etcd_testkit::memory::MemoryEtcd::builder().faults(plan).in_process().unwrap();
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1").await, 503);
    assert_eq!(status(&etcd, "PUT", "/v2/keys/b?value=1").await, 201);
    etcd.faults().clear();
    assert_eq!(status(&etcd, "PUT", "/v2/keys/a?value=1").await, 201);
}
