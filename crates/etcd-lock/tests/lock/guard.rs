//! What a guard promises, and how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use etcd_lock::{ErrorKind, LossReason, State};
use etcd_testkit::memory::{Change, Fault, Rule};
use http::Method;

use crate::support::{JumpClock, asked, client, cluster, keys, lock, pass, secs, soon, waiting, within};

#[tokio::test(start_paused = true)]
async fn a_release_after_a_loss_reports_the_loss() {
    for known in [false, true] {
        let etcd = cluster();
        let client = client(&etcd);
        let guard = soon(lock(&client).acquire()).await.unwrap();
        etcd.faults().apply(Change::Expire(guard.key().to_string())).unwrap();
        let next = soon(lock(&client).acquire()).await.unwrap();
        if known {
            assert_eq!(soon(guard.lost()).await, LossReason::Gone);
        }
        let error = soon(guard.release()).await.unwrap_err();
        assert_eq!((error.kind(), error.loss()), (ErrorKind::Lost, Some(LossReason::Gone)), "{error:?}");
        pass(secs(60)).await;
        next.check().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_as_unsure_and_then_as_lost_before_others_can_have_it() {
    let etcd = cluster();
    let client = client(&etcd);
    let guard = soon(lock(&client).acquire()).await.unwrap();
    assert_eq!(guard.state(), State::Held);
    assert_eq!((guard.remaining().as_secs_f64() * 10.0).round(), 135.0, "15 s less a margin of 1.5 s");
    etcd.faults().add(Rule::new(Fault::Refuse));
    pass(secs(8)).await;
    let until = guard.valid_until();
    assert_eq!(guard.state(), State::Unsure { until });
    guard.check().unwrap();
    let left = guard.remaining();
    pass(left.saturating_sub(Duration::from_millis(1))).await;
    guard.check().unwrap();
    pass(Duration::from_millis(1)).await;
    let error = guard.check().unwrap_err();
    assert_eq!(error.loss(), Some(LossReason::Expired));
    assert_eq!((guard.remaining(), soon(guard.lost()).await), (Duration::ZERO, LossReason::Expired));
    // At the server it is there still: the margin.
    etcd.faults().clear();
    assert_eq!(keys(&client).await.len(), 1);
    let next = soon(lock(&client).acquire()).await.unwrap();
    assert!(next.token() > guard.token());
    // The network is back, and nothing brings the old one back.
    assert!(guard.renew().await.unwrap_err().is_lost());
    assert!(soon(guard.release()).await.unwrap_err().is_lost());
    pass(secs(60)).await;
    next.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_is_shorter_than_the_ttl_ends_nothing() {
    let etcd = cluster();
    let guard = soon(lock(&client(&etcd)).ttl(secs(30)).acquire()).await.unwrap();
    for _ in 0..5 {
        etcd.faults().apply(Change::NoLeader(secs(12))).unwrap();
        pass(secs(40)).await;
        assert_eq!(guard.state(), State::Held);
    }
    soon(guard.release()).await.unwrap();
}

/// As after a stop of the process or a sleep of the machine: no timer has fired, no task has run.
#[tokio::test(start_paused = true)]
async fn a_check_after_a_jump_of_the_clock_fails_at_the_first_call() {
    let etcd = cluster();
    let clock = Arc::new(JumpClock::default());
    let lock = lock(&client(&etcd)).clock(Arc::clone(&clock) as _);
    let guard = soon(lock.acquire()).await.unwrap();
    clock.jump(guard.remaining().saturating_sub(Duration::from_millis(1)));
    guard.check().unwrap();
    clock.jump(Duration::from_millis(1));
    let error = guard.check().unwrap_err();
    assert_eq!(error.loss(), Some(LossReason::Expired));
    assert_eq!(guard.state(), State::Lost { reason: LossReason::Expired });
    let ran = AtomicBool::new(false);
    let work = guard.run(async { ran.store(true, Ordering::Relaxed) });
    assert!(soon(work).await.unwrap_err().is_lost());
    assert!(!ran.load(Ordering::Relaxed), "late work was done");
    let before = etcd.log().count();
    assert!(soon(guard.release()).await.unwrap_err().is_lost());
    pass(secs(30)).await;
    assert_eq!(etcd.log().count(), before, "something was sent behind the deadline");
}

#[tokio::test(start_paused = true)]
async fn work_is_dropped_where_it_stands_when_the_lock_is_lost() {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let etcd = cluster();
    let guard = soon(lock(&client(&etcd)).acquire()).await.unwrap();
    let (steps, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (counted, flag) = (Arc::clone(&steps), Dropped(Arc::clone(&dropped)));
    let work = async move {
        let _flag = flag;
        for _ in 0..1000 {
            pass(secs(1)).await;
            counted.fetch_add(1, Ordering::Relaxed);
        }
    };
    let key = guard.key().to_string();
    let working = tokio::spawn(async move { guard.run(work).await });
    pass(Duration::from_millis(60_500)).await;
    assert_eq!(steps.load(Ordering::Relaxed), 60, "a lock that is held lets work go on");
    etcd.faults().apply(Change::Expire(key)).unwrap();
    let error = soon(working).await.unwrap().unwrap_err();
    assert_eq!(error.loss(), Some(LossReason::Gone));
    assert!(dropped.load(Ordering::Relaxed));
    let done = steps.load(Ordering::Relaxed);
    // A renewal every 5 s finds it out.
    assert!(done <= 66, "{done}");
    pass(secs(60)).await;
    assert_eq!(steps.load(Ordering::Relaxed), done);
}

#[tokio::test(start_paused = true)]
async fn work_that_is_done_in_time_is_answered() {
    let etcd = cluster();
    let guard = soon(lock(&client(&etcd)).acquire()).await.unwrap();
    let answer = guard.run(async {
        pass(secs(120)).await;
        42
    });
    assert_eq!(soon(answer).await.unwrap(), 42);
    soon(guard.release()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_detached_lock_lives_for_its_ttl_and_ends_by_its_token() {
    let etcd = cluster();
    let client = client(&etcd);
    let guard = soon(lock(&client).acquire()).await.unwrap();
    let lost = guard.lost();
    let token = guard.detach();
    assert_eq!(soon(lost).await, LossReason::Detached);
    let puts = || asked(&etcd).iter().filter(|(method, _)| *method == Method::PUT).count();
    assert_eq!(puts(), 1);
    pass(secs(13)).await;
    assert_eq!(puts(), 1, "it was renewed");
    assert_eq!(soon(lock(&client).holder()).await.unwrap().unwrap().token, token);
    pass(secs(3)).await;
    assert_eq!(soon(lock(&client).holder()).await.unwrap(), None);

    let token = soon(lock(&client).acquire()).await.unwrap().detach();
    soon(lock(&client).release_by(&token)).await.unwrap();
    assert!(soon(lock(&client).try_acquire()).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_is_dropped_is_released_in_the_background() {
    let etcd = cluster();
    let client = client(&etcd);
    let guard = soon(lock(&client).ttl(secs(60)).acquire()).await.unwrap();
    let lost = guard.lost();
    let next = waiting(&lock(&client));
    pass(secs(1)).await;
    drop(guard);
    assert_eq!(within(secs(1), lost).await, Some(LossReason::Released));
    within(secs(2), next).await.expect("released").unwrap().unwrap().check().unwrap();
}

#[test]
fn a_guard_may_be_dropped_outside_of_any_runtime() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let etcd = cluster();
    let lock = runtime.block_on(async { lock(&client(&etcd)) });
    let acquire = lock.acquire();
    let (first, second) = runtime.block_on(async {
        let first = soon(acquire).await.unwrap();
        (first, tokio::spawn(lock.acquire()))
    });
    let waiting = lock.acquire();
    drop(runtime);
    assert!(first.check().is_ok() || first.check().is_err());
    drop((first, second, waiting));
}

/// The guard is the handle: who wants the lock twice in one process shares it.
#[tokio::test(start_paused = true)]
async fn a_guard_is_shared_and_released_by_the_last_one_out() {
    let etcd = cluster();
    let client = client(&etcd);
    let lock = lock(&client).owner("same");
    let guard = Arc::new(soon(lock.acquire()).await.unwrap());
    // By the same owner, and not the same holding.
    assert!(soon(lock.try_acquire()).await.unwrap().is_none());
    let shared = Arc::clone(&guard);
    let deeper = tokio::spawn(async move { shared.run(pass(secs(30))).await });
    assert!(Arc::into_inner(guard).is_none());
    soon(deeper).await.unwrap().unwrap();
    pass(secs(1)).await;
    assert!(keys(&client).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_moves_the_deadline() {
    let etcd = cluster();
    let guard = soon(lock(&client(&etcd)).acquire()).await.unwrap();
    let before = guard.valid_until();
    pass(secs(3)).await;
    guard.renew().await.unwrap();
    assert_eq!(guard.valid_until().saturating_since(before), secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_was_replaced_is_a_loss() {
    let etcd = cluster();
    let guard = soon(lock(&client(&etcd)).acquire()).await.unwrap();
    etcd.faults().apply(Change::ClusterId(7)).unwrap();
    assert_eq!(within(secs(10), guard.lost()).await, Some(LossReason::ClusterChanged));
    assert!(guard.check().unwrap_err().is_lost());
}
