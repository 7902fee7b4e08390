//! Requests that are carried out later, whoever still waits.

use std::task::Poll;
use std::time::Duration;

use etcd_testkit::memory::{Change, Fault, InProcess, Reply, Rule, StalledWrites};
use http::Method;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::{ask, cluster, disconnect, event, send, status, text, watch};

const PUT: &str = "/v2/keys/a?value=1";
const SECOND: Duration = Duration::from_secs(1);

/// A cluster whose writes are applied after five seconds.
fn slow() -> InProcess {
    let etcd = cluster(2);
    etcd.faults().add(Rule::new(Fault::ApplyLater(5 * SECOND)).method(Method::PUT));
    etcd
}

/// What a task comes to; it must come to something.
async fn end<T>(task: JoinHandle<T>) -> T {
    timeout(3600 * SECOND, task).await.expect("it waits for ever").unwrap()
}

/// Sends a request and gives up after so long.
async fn give_up(etcd: &InProcess, after: Duration, method: &str, target: &str) {
    assert!(timeout(after, send(etcd.http_service(), method, target)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_client_has_left_is_applied_in_its_time() {
    let etcd = slow();
    give_up(&etcd, SECOND, "PUT", PUT).await;
    etcd.advance(3 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404);
    let entry = etcd.log().entries().remove(0);
    assert_eq!((entry.applied, entry.reply, entry.status), (false, Reply::Abandoned, None));
    etcd.advance(2 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 200);
    let entry = etcd.log().entries().remove(0);
    assert_eq!((entry.applied, entry.reply, entry.status), (true, Reply::Abandoned, None));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_waits_gets_the_answer_when_its_write_is_applied() {
    let etcd = slow();
    let started = Instant::now();
    let put = tokio::spawn(send(etcd.http_service(), "PUT", PUT));
    etcd.advance(4 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404);
    assert_eq!(etcd.log().entries()[0].reply, Reply::Pending);
    assert_eq!(end(put).await.unwrap().status(), 201);
    assert_eq!(started.elapsed(), 5 * SECOND);
    let entry = etcd.log().entries().remove(0);
    assert_eq!((entry.applied, entry.reply), (true, Reply::Answered));
}

#[tokio::test(start_paused = true)]
async fn a_watch_hears_at_once_of_a_write_that_nobody_waits_for() {
    let etcd = slow();
    let started = Instant::now();
    let mut poll = watch(&etcd, "/v2/keys/a?wait=true").await;
    let reader = tokio::spawn(async move { event(&mut poll).await });
    tokio::task::yield_now().await;
    give_up(&etcd, SECOND, "PUT", PUT).await;
    assert!(end(reader).await.contains(r#""action":"set""#));
    assert_eq!(started.elapsed(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_saw_happen_has_happened_in_its_order_and_at_its_time() {
    let etcd = slow();
    assert_eq!(status(&etcd, "POST", "/v2/keys/q?value=1&ttl=8").await, 201);
    give_up(&etcd, SECOND, "PUT", "/v2/keys/a?value=first&ttl=60").await;
    give_up(&etcd, SECOND, "PUT", "/v2/keys/a?value=second&ttl=60").await;
    // The clock goes on by more than all that is due, and nobody looks meanwhile.
    etcd.advance(30 * SECOND).await;
    let (_, body) = ask(&etcd, "GET", "/v2/keys/a").await;
    // Applied at 6 s, seen at 32 s.
    assert!(body.contains(r#""value":"second""#) && body.contains(r#""ttl":34"#), "{body}");
    let (_, history) = ask(&etcd, "GET", "/v2/keys/?recursive=true&wait=true&waitIndex=9").await;
    assert!(history.contains(r#""action":"expire""#), "the key that ended at 8 s came last: {history}");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_killed_before_does_not_apply_it() {
    let etcd = slow();
    let waits = tokio::spawn(send(etcd.http_service(), "PUT", PUT));
    tokio::task::yield_now().await;
    let other = tokio::spawn(send(etcd.http_service().to(1), "PUT", "/v2/keys/b?value=1"));
    give_up(&etcd, SECOND, "PUT", PUT).await;
    etcd.kill(0).unwrap();
    etcd.restart(0).unwrap();
    assert!(disconnect(end(waits).await).is_reset());
    etcd.advance(10 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404);
    assert_eq!(end(other).await.unwrap().status(), 201, "the other member goes on");
    assert_eq!(etcd.log().entries()[0].reply, Reply::Cut);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_opened_later_is_left_open_only_if_somebody_waits() {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(Fault::ApplyLater(5 * SECOND)).watches());
    let watchers = || etcd.with_store(|store, _| store.watcher_count(0));
    give_up(&etcd, SECOND, "GET", "/v2/keys/a?wait=true").await;
    etcd.advance(10 * SECOND).await;
    assert_eq!((watchers(), etcd.log().entries()[0].applied), (0, true));
    let mut poll = watch(&etcd, "/v2/keys/a?wait=true").await;
    assert_eq!(watchers(), 1);
    assert_eq!(status(&etcd, "PUT", PUT).await, 201);
    event(&mut poll).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_dropped_on_its_way_leaves_no_watch() {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(Fault::ApplyLater(5 * SECOND)).watches());
    let mut call = Box::pin(send(etcd.http_service(), "GET", "/v2/keys/a?wait=true"));
    let first = std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
    assert!(first.is_pending());
    etcd.advance(6 * SECOND).await;
    // Applied by the look; the caller has the answer and has not taken it.
    assert_eq!(etcd.with_store(|store, _| store.watcher_count(0)), 1);
    drop(call);
    assert_eq!(etcd.with_store(|store, _| store.watcher_count(0)), 0);
}

#[tokio::test(start_paused = true)]
async fn more_than_there_is_room_for_is_refused_and_not_applied() {
    use tower::ServiceExt as _;
    let etcd = slow();
    // Not marked as a form, it is not looked at.
    let body = bytes::Bytes::from(vec![b'a'; 9 << 20]);
    let put = |key: usize| {
        let request = http::Request::put(format!("/v2/keys/{key}"));
        let request = request.body(http_body_util::Full::from(body.clone())).unwrap();
        etcd.http_service().oneshot(request)
    };
    let held: Vec<_> = (0..7).map(|key| tokio::spawn(put(key))).collect();
    tokio::task::yield_now().await;
    let refused = put(7).await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(text(refused.into_body()).await.unwrap().contains("no room"));
    for put in held {
        assert_eq!(end(put).await.unwrap().status(), 201);
    }
    assert_eq!(put(8).await.unwrap().status(), 201, "there is room again");
    assert_eq!(status(&etcd, "GET", "/v2/keys/7").await, 404);
}

#[tokio::test(start_paused = true)]
async fn writes_that_stall_are_lost_unless_they_are_to_land() {
    for (fate, after) in [(StalledWrites::Lost, 404), (StalledWrites::LandLater, 200)] {
        let etcd = cluster(3);
        etcd.faults().apply(Change::StalledWrites(fate)).unwrap();
        etcd.faults().apply(Change::NoLeader(20 * SECOND)).unwrap();
        let started = Instant::now();
        assert_eq!(status(&etcd, "PUT", PUT).await, 500);
        assert_eq!(started.elapsed(), 7 * SECOND);
        etcd.advance(12 * SECOND).await;
        assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404);
        etcd.advance(2 * SECOND).await;
        assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, after);
        let entry = etcd.log().entries().remove(0);
        assert_eq!((entry.applied, entry.status.unwrap().as_u16()), (after == 200, 500));
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_back_early_makes_no_answer_come_sooner() {
    let etcd = cluster(3);
    etcd.faults().apply(Change::StalledWrites(StalledWrites::LandLater)).unwrap();
    etcd.faults().apply(Change::NoLeader(2 * SECOND)).unwrap();
    let started = Instant::now();
    let put = tokio::spawn(send(etcd.http_service(), "PUT", PUT));
    etcd.advance(3 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 200, "it has landed");
    assert_eq!(end(put).await.unwrap().status(), 500);
    assert_eq!(started.elapsed(), 7 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn stalled_writes_land_when_the_time_without_a_leader_is_ended() {
    let etcd = cluster(3);
    etcd.faults().apply(Change::StalledWrites(StalledWrites::LandLater)).unwrap();
    etcd.faults().apply(Change::NoLeader(Duration::MAX)).unwrap();
    give_up(&etcd, SECOND, "PUT", PUT).await;
    etcd.faults().apply(Change::NoLeader(Duration::ZERO)).unwrap();
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 200);
}

#[tokio::test(start_paused = true)]
async fn stalled_writes_land_once_and_in_order_and_their_time_runs_from_when_they_came() {
    let etcd = cluster(3);
    etcd.faults().apply(Change::StalledWrites(StalledWrites::LandLater)).unwrap();
    etcd.faults().apply(Change::NoLeader(20 * SECOND)).unwrap();
    let short = tokio::spawn(send(etcd.http_service(), "PUT", "/v2/keys/short?value=1&ttl=10"));
    let post = tokio::spawn(send(etcd.http_service(), "POST", "/v2/keys/q?value=1"));
    tokio::task::yield_now().await;
    give_up(&etcd, SECOND, "PUT", "/v2/keys/a?value=left").await;
    etcd.kill(0).unwrap();
    assert!(disconnect(end(short).await).is_reset());
    assert!(disconnect(end(post).await).is_reset());
    etcd.advance(25 * SECOND).await;
    etcd.restart(0).unwrap();
    assert_eq!(status(&etcd, "GET", "/v2/keys/short").await, 404, "it has ended meanwhile");
    let (_, body) = ask(&etcd, "GET", "/v2/keys/a").await;
    assert!(body.contains(r#""createdIndex":10"#), "third of an index of 7: {body}");
    let (_, queue) = ask(&etcd, "GET", "/v2/keys/q").await;
    assert_eq!(queue.matches(r#""key":"/q/"#).count(), 1, "{queue}");
}

#[tokio::test(start_paused = true)]
async fn a_rule_says_which_writes_land() {
    let etcd = cluster(3);
    let fate = |fate| Fault::Change(Change::StalledWrites(fate));
    etcd.faults().add(Rule::new(fate(StalledWrites::LandLater)).method(Method::PUT));
    etcd.faults().add(Rule::new(fate(StalledWrites::Lost)));
    etcd.faults().apply(Change::NoLeader(10 * SECOND)).unwrap();
    give_up(&etcd, SECOND, "PUT", PUT).await;
    give_up(&etcd, SECOND, "POST", "/v2/keys/q?value=1").await;
    etcd.advance(10 * SECOND).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 200);
    assert_eq!(status(&etcd, "GET", "/v2/keys/q").await, 404);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_write_lands_when_its_member_reaches_the_others_again() {
    use etcd_testkit::memory::Contact;
    let etcd = cluster(3);
    etcd.faults().apply(Change::StalledWrites(StalledWrites::LandLater)).unwrap();
    etcd.with_store(|store, _| store.set_contact(0, Contact::NoQuorum)).unwrap();
    give_up(&etcd, SECOND, "PUT", PUT).await;
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 404);
    etcd.with_store(|store, _| store.set_contact(0, Contact::Connected)).unwrap();
    assert_eq!(status(&etcd, "GET", "/v2/keys/a").await, 200);
}

#[test]
fn what_a_kill_ends_may_be_what_sees_its_member_removed() {
    // On a thread of its own: one that waits for its own lock is not ended by a timeout.
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().unwrap().block_on(async {
            let etcd = cluster(3);
            let first = etcd.with_store(|store, _| store.members().remove(0));
            let remove = format!("/v2/members/{}", first.id);
            etcd.faults().add(Rule::new(Fault::DelayAnswer(3600 * SECOND)).watches());
            etcd.faults().add(Rule::new(Fault::ApplyLater(5 * SECOND)).method(Method::DELETE));
            let watch = tokio::spawn(send(etcd.http_service(), "GET", "/v2/keys/a?wait=true"));
            assert!(timeout(SECOND, send(etcd.http_service().to(1), "DELETE", &remove)).await.is_err());
            etcd.kill(0).unwrap();
            etcd.restart(0).unwrap();
            // By now nobody has looked; the watch is first.
            tokio::time::advance(5 * SECOND).await;
            assert!(disconnect(end(watch).await).is_reset());
            assert!(etcd.restart(0).unwrap_err().is_no_member());
        });
        // Nobody waits any more if the test has failed.
        let _ = done.send(());
    });
    wait.recv_timeout(10 * SECOND).expect("the runtime is frozen, or an assertion has failed");
}
