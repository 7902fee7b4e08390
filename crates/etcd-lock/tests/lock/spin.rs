//! The lock on a single key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etcd_client::Idempotence;
use etcd_lock::{ErrorKind, LossReason, Spin};
use etcd_testkit::memory::{Change, Fault, Rule};
use http::Method;

use crate::support::{
    Calls, asked, client, cluster, lock, pass, polled, secs, soon, spin, token_like, within,
};

#[tokio::test(start_paused = true)]
async fn the_key_shows_the_holder_and_goes_with_it() {
    let etcd = cluster();
    let client = client(&etcd);
    let spin = spin(&client).owner("worker-7");
    assert_eq!(soon(spin.holder()).await.unwrap(), None);
    let guard = soon(spin.try_acquire()).await.unwrap().unwrap();
    assert_eq!(guard.key().as_str(), "/locks/mylock");
    let holder = soon(spin.holder()).await.unwrap().unwrap();
    assert_eq!((&holder.token, holder.expires_in), (guard.token(), Some(secs(15))));
    let (owner, unique) = holder.value.split_once(' ').unwrap();
    assert_eq!((owner, unique.len()), ("worker-7", 16));
    assert_eq!(soon(client.get("/locks/mylock")).await.unwrap().text(), holder.value);
    assert!(!format!("{holder:?}").contains("worker-7"));
    soon(guard.release()).await.unwrap();
    assert_eq!(soon(spin.holder()).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn alone_it_takes_two_requests_and_a_try_one() {
    let etcd = cluster();
    let spin = spin(&client(&etcd));
    let guard = soon(spin.acquire()).await.unwrap();
    assert!(soon(spin.try_acquire()).await.unwrap().is_none());
    soon(guard.release()).await.unwrap();
    let methods: Vec<_> = asked(&etcd).into_iter().map(|(method, _)| method).collect();
    assert_eq!(methods, [Method::PUT, Method::PUT, Method::DELETE]);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_has_it_after_a_release_and_after_the_holder_has_died() {
    let etcd = cluster();
    let spin = spin(&client(&etcd));
    let first = soon(spin.acquire()).await.unwrap();
    let mut second = tokio::spawn(spin.acquire());
    assert!(within(secs(100), &mut second).await.is_none(), "two holders at once");
    soon(first.release()).await.unwrap();
    let second = within(secs(1), second).await.expect("released").unwrap().unwrap();
    let third = tokio::spawn(spin.acquire());
    pass(secs(1)).await;
    let token = second.detach();
    let third = within(secs(18), third).await.expect("its ttl has ended").unwrap().unwrap();
    assert!(*third.token() > token);
}

#[tokio::test(start_paused = true)]
async fn it_is_renewed_silently_and_only_as_what_it_was() {
    let (etcd, calls) = (cluster(), Calls::default());
    let client = calls.of(&client(&etcd));
    let guard = soon(spin(&client).acquire()).await.unwrap();
    let mut event = tokio::spawn(client.watch("/locks/mylock").after(guard.token().index()).next_event());
    assert!(within(secs(60), &mut event).await.is_none(), "a renewal has woken a watcher");
    guard.check().unwrap();
    let renewals: Vec<_> = calls.all().into_iter().filter(|call| call.0 == "refresh").collect();
    assert!(renewals.len() >= 11, "{renewals:?}");
    assert!(renewals.iter().all(|call| call.2 == Idempotence::Guarded), "{renewals:?}");
    soon(guard.release()).await.unwrap();
}

/// Another program: `PUT /v2/keys/locks/mylock?prevExist=false&ttl=30`.
#[tokio::test(start_paused = true)]
async fn another_program_can_take_part() {
    let etcd = cluster();
    let client = client(&etcd);
    soon(client.create("/locks/mylock", "by hand").ttl(secs(30))).await.unwrap();
    let spin = spin(&client);
    assert!(soon(spin.try_acquire()).await.unwrap().is_none());
    let theirs = soon(spin.holder()).await.unwrap().unwrap();
    assert_eq!(theirs.value, "by hand");
    let waiter = tokio::spawn(spin.acquire());
    pass(secs(5)).await;
    // What it does with its key wakes nobody into holding it.
    soon(client.update("/locks/mylock", "still by hand").ttl(secs(30))).await.unwrap();
    pass(secs(5)).await;
    assert!(!waiter.is_finished());
    soon(spin.release_by(&theirs.token)).await.unwrap();
    let guard = within(secs(1), waiter).await.expect("free").unwrap().unwrap();
    assert!(soon(client.create("/locks/mylock", "by hand")).await.unwrap_err().is_key_exists());
    soon(guard.release()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_that_another_has_made_anew_is_lost_and_left_alone() {
    let etcd = cluster();
    let client = client(&etcd);
    let guard = soon(spin(&client).acquire()).await.unwrap();
    soon(client.set("/locks/mylock", "taken")).await.unwrap();
    assert_eq!(within(secs(10), guard.lost()).await, Some(LossReason::Replaced));
    let error = soon(guard.release()).await.unwrap_err();
    assert_eq!(error.loss(), Some(LossReason::Replaced));
    pass(secs(30)).await;
    assert_eq!(soon(client.get("/locks/mylock")).await.unwrap().text(), "taken");
}

#[tokio::test(start_paused = true)]
async fn a_token_renews_and_ends_its_own_holding_alone() {
    let etcd = cluster();
    let client = client(&etcd);
    for spin in [spin(&client), spin(&client).renew_by_rewriting(true)] {
        let old = soon(spin.acquire()).await.unwrap().detach();
        pass(secs(10)).await;
        soon(spin.renew_by(&old, secs(20))).await.unwrap();
        pass(secs(10)).await;
        assert_eq!(soon(spin.holder()).await.unwrap().unwrap().token, old);
        soon(spin.release_by(&old)).await.unwrap();

        let newer = soon(spin.acquire()).await.unwrap();
        let nobody = token_like(&old, 99_999);
        for token in [&old, &nobody] {
            assert!(soon(spin.release_by(token)).await.unwrap_err().is_unknown_token());
            assert!(soon(spin.renew_by(token, secs(20))).await.unwrap_err().is_unknown_token());
        }
        newer.renew().await.unwrap();
        soon(newer.release()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_found_out() {
    for fault in [Fault::DropAnswer, Fault::ResetBeforeHead, Fault::CutBody(7), Fault::ApplyLater(secs(4))] {
        let etcd = cluster();
        let client = client(&etcd);
        let spin = spin(&client);
        etcd.faults().add(Rule::new(fault.clone()).method(Method::PUT).nth(1));
        let guard = soon(spin.try_acquire()).await.unwrap().expect("it is ours");
        assert_eq!(soon(spin.holder()).await.unwrap().unwrap().token, *guard.token(), "{fault:?}");
        etcd.faults().set(Rule::new(Fault::DropAnswer).method(Method::DELETE).nth(1));
        soon(guard.release()).await.unwrap();
        pass(secs(20)).await;
        assert_eq!(soon(spin.holder()).await.unwrap(), None, "{fault:?}");
    }
}

/// A key of the same owner's is not one's own, also where the own creation has no answer.
#[tokio::test(start_paused = true)]
async fn the_same_owner_twice_is_two() {
    let etcd = cluster();
    let client = client(&etcd);
    let first = soon(spin(&client).owner("same").acquire()).await.unwrap();
    for fault in [Fault::ResetBeforeHead, Fault::DropAnswer] {
        etcd.faults().set(Rule::new(fault).method(Method::PUT).nth(1));
        let second = soon(spin(&client).owner("same").try_acquire()).await.unwrap();
        assert!(second.is_none(), "two holders at once");
    }
    first.check().unwrap();
    soon(first.release()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_in_time_and_a_bad_name_at_once() {
    let etcd = cluster();
    let client = client(&etcd);
    let guard = soon(spin(&client).acquire()).await.unwrap();
    assert!(soon(spin(&client).acquire_timeout(secs(5))).await.unwrap_err().is_timed_out());
    soon(guard.release()).await.unwrap();
    let count = etcd.log().count();
    let bad = Spin::new(&client, "a//b");
    for kind in [
        soon(bad.acquire()).await.unwrap_err().kind(),
        soon(bad.try_acquire()).await.unwrap_err().kind(),
        soon(bad.holder()).await.unwrap_err().kind(),
    ] {
        assert_eq!(kind, ErrorKind::InvalidKey);
    }
    assert_eq!(etcd.log().count(), count);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_a_queue_has_is_an_error() {
    let etcd = cluster();
    let client = client(&etcd);
    let guard = soon(lock(&client).acquire()).await.unwrap();
    assert!(soon(spin(&client).holder()).await.unwrap_err().is_invalid_key());
    let error = within(secs(60), spin(&client).acquire()).await.expect("an end").unwrap_err();
    assert!(error.is_invalid_key(), "{error:?}");
    guard.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_waiter_outlives_what_its_watch_meets() {
    for fault in
        [Fault::Hang, Fault::DropAnswer, Fault::CutBody(3), Fault::Unavailable, Fault::ResetAfterHead]
    {
        let etcd = cluster();
        let spin = spin(&client(&etcd));
        let guard = soon(spin.acquire()).await.unwrap();
        etcd.faults().add(Rule::new(fault.clone()).watches().first(5));
        let mut waiter = tokio::spawn(spin.acquire());
        assert!(within(secs(100), &mut waiter).await.is_none(), "granted on {fault:?}");
        etcd.faults().apply(Change::ClearHistory).unwrap();
        guard.check().unwrap();
        soon(guard.release()).await.unwrap();
        within(secs(60), waiter).await.expect("free").unwrap().unwrap().check().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn of_three_that_compete_one_has_it_at_a_time() {
    let etcd = cluster();
    let client = client(&etcd);
    let (holders, turns) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let (spin, holders, turns) = (spin(&client), Arc::clone(&holders), Arc::clone(&turns));
        tasks.push(tokio::spawn(async move {
            for _ in 0..10 {
                let guard = spin.acquire().await.unwrap();
                assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two holders at once");
                pass(secs(2)).await;
                turns.fetch_add(1, Ordering::SeqCst);
                holders.fetch_sub(1, Ordering::SeqCst);
                guard.release().await.unwrap();
            }
        }));
    }
    for task in tasks {
        soon(task).await.unwrap();
    }
    assert_eq!(turns.load(Ordering::SeqCst), 30);
}

#[tokio::test(start_paused = true)]
async fn an_acquire_that_is_dropped_at_any_poll_leaves_no_key() {
    let faults =
        [None, Some(Fault::DropAnswer), Some(Fault::ResetBeforeHead), Some(Fault::ApplyLater(secs(3)))];
    for fault in faults {
        let mut drops = 0;
        for polls in 0.. {
            let etcd = cluster();
            let spin = spin(&client(&etcd)).ttl(secs(60));
            if let Some(fault) = &fault {
                etcd.faults().add(Rule::new(fault.clone()).method(Method::PUT).nth(1));
            }
            // So that there is something to wait for everywhere.
            etcd.faults().add(Rule::new(Fault::DelayAnswer(Duration::from_millis(50))));
            if let Some(guard) = soon(polled(polls, spin.acquire())).await {
                soon(guard.unwrap().release()).await.unwrap();
                break;
            }
            drops += 1;
            // Long before its ttl would end it.
            pass(secs(20)).await;
            assert_eq!(soon(spin.holder()).await.unwrap(), None, "{fault:?} {polls}");
        }
        // One before it began, and one for each time that it waited.
        assert!(drops >= 2, "{fault:?} {drops}");
    }
}
