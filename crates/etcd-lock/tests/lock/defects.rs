//! Defects of the seeds' locks and of the modules of etcd 0.2 to 0.4, each of which must not come back.

use etcd_client::Idempotence;
use etcd_lock::{LossReason, Token};
use etcd_testkit::memory::{Change, Fault, Rule};
use http::{Method, StatusCode};

use crate::support::{
    Calls, asked, client, cluster, keys, lock, pass, secs, soon, token_like, waiting, within,
};

/// etcd 0.3: "acquired" for a waiter whose place was deleted, or had run out, while another held the lock.
#[tokio::test(start_paused = true)]
async fn a_waiter_whose_place_is_gone_is_not_granted() {
    for requeue in [false, true] {
        let etcd = cluster();
        let client = client(&etcd);
        let holder = soon(lock(&client).acquire()).await.unwrap();
        let mut waiter = waiting(&lock(&client).requeue(requeue));
        pass(secs(1)).await;
        let place = soon(lock(&client).contenders()).await.unwrap()[1].clone();
        etcd.faults().apply(Change::Expire(place.key.to_string())).unwrap();
        if requeue {
            assert!(within(secs(120), &mut waiter).await.is_none(), "granted beside the holder");
            let now = soon(lock(&client).contenders()).await.unwrap();
            assert!(now[0].token == *holder.token() && now[1].token > place.token, "{now:?}");
            soon(holder.release()).await.unwrap();
            soon(waiter).await.unwrap().unwrap().check().unwrap();
        } else {
            let error = soon(waiter).await.unwrap().unwrap_err();
            assert!(error.is_place_lost() && error.loss() == Some(LossReason::Gone), "{error:?}");
            holder.check().unwrap();
        }
    }
}

/// The same if the place is the first by then.
#[tokio::test(start_paused = true)]
async fn a_waiter_whose_place_is_gone_is_not_granted_by_a_release() {
    let etcd = cluster();
    let client = client(&etcd);
    let holder = soon(lock(&client).acquire()).await.unwrap();
    let mut waiter = waiting(&lock(&client).requeue(false));
    pass(secs(1)).await;
    let behind = waiting(&lock(&client));
    pass(secs(1)).await;
    let place = soon(lock(&client).contenders()).await.unwrap()[1].key.to_string();
    etcd.faults().apply(Change::Expire(place)).unwrap();
    // The waiter is woken by it, and finds a list without itself.
    soon(holder.release()).await.unwrap();
    let error = soon(&mut waiter).await.unwrap().unwrap_err();
    assert!(error.is_place_lost(), "{error:?}");
    soon(behind).await.unwrap().unwrap().check().unwrap();
}

/// The C client: any HTTP answer to a renewal was success, also for index 99999.
#[tokio::test(start_paused = true)]
async fn a_renewal_of_an_index_that_nobody_has_fails() {
    let etcd = cluster();
    let client = client(&etcd);
    let lock = lock(&client);
    let guard = soon(lock.acquire()).await.unwrap();
    let nobody = token_like(guard.token(), 99_999);
    let elsewhere = Token::new(guard.token().index(), Some("b")).unwrap();
    for token in [&nobody, &elsewhere] {
        for error in [
            soon(lock.renew_by(token, secs(60))).await.unwrap_err(),
            soon(lock.release_by(token)).await.unwrap_err(),
        ] {
            assert!(error.is_unknown_token() && error.outcome().is_not_applied(), "{error:?}");
            assert!(error.to_string().contains(&token.to_string()), "{error}");
        }
    }
    guard.renew().await.unwrap();
    soon(guard.release()).await.unwrap();
}

/// etcd 0.4: renewal by an unconditional update and unlock by an unconditional delete, which hit a later holder.
#[tokio::test(start_paused = true)]
async fn nothing_is_renewed_or_deleted_without_a_condition() {
    let (etcd, calls) = (cluster(), Calls::default());
    let client = calls.of(&client(&etcd));
    let lock = lock(&client);
    let late = soon(lock.acquire()).await.unwrap();
    let old = late.token().clone();
    pass(secs(20)).await;
    etcd.faults().apply(Change::Expire(late.key().to_string())).unwrap();
    let newer = soon(lock.acquire()).await.unwrap();
    for error in [
        soon(lock.release_by(&old)).await.unwrap_err(),
        soon(lock.renew_by(&old, secs(60))).await.unwrap_err(),
        soon(late.release()).await.unwrap_err(),
    ] {
        assert!(error.is_unknown_token() || error.is_lost(), "{error:?}");
    }
    pass(secs(60)).await;
    newer.check().unwrap();
    assert_eq!(soon(lock.holder()).await.unwrap().unwrap().token, *newer.token());
    soon(newer.release()).await.unwrap();
    for (name, key, idempotence) in calls.all() {
        // Guarded is what compares with an index, or with there being no key.
        assert!(matches!(idempotence, Idempotence::Read | Idempotence::Guarded), "{name} {key}");
    }
    assert!(calls.keys("refresh").len() > 10 && calls.keys("compare and delete").len() > 1, "{calls:?}");
}

/// etcd 0.4 granted two waiters at once.
#[tokio::test(start_paused = true)]
async fn a_release_grants_one_waiter() {
    let etcd = cluster();
    let client = client(&etcd);
    let mut guard = soon(lock(&client).acquire()).await.unwrap();
    let mut waiters = Vec::new();
    for _ in 0..5 {
        waiters.push(waiting(&lock(&client)));
        pass(secs(1)).await;
    }
    while !waiters.is_empty() {
        soon(guard.release()).await.unwrap();
        let next = waiters.remove(0);
        guard = soon(next).await.unwrap().unwrap();
        pass(secs(30)).await;
        assert!(waiters.iter().all(|waiter| !waiter.is_finished()), "two holders at once");
        guard.check().unwrap();
    }
}

/// etcd 0.4: the first event of any kind on the key before one's own granted the lock, a renewal too.
#[tokio::test(start_paused = true)]
async fn an_event_of_the_holder_grants_nobody() {
    let etcd = cluster();
    let client = client(&etcd);
    let owned = lock(&client).owner("holder").renew_by_rewriting(true);
    let holder = soon(owned.acquire()).await.unwrap();
    let mut waiter = waiting(&lock(&client));
    // A renewal that rewrites is an event each time.
    assert!(within(secs(60), &mut waiter).await.is_none(), "granted by a renewal");
    holder.renew().await.unwrap();
    // And so is what somebody else does with the key.
    for _ in 0..3 {
        soon(client.update(holder.key(), "touched").ttl(secs(60))).await.unwrap();
        assert!(within(secs(2), &mut waiter).await.is_none(), "granted by a change");
    }
    holder.check().unwrap();
    soon(holder.release()).await.unwrap();
    soon(waiter).await.unwrap().unwrap().check().unwrap();
}

/// etcd 0.4 dropped the error of a failed listing: "nobody before me".
#[tokio::test(start_paused = true)]
async fn a_list_that_fails_grants_nobody() {
    let faults = [
        Fault::ErrorBefore { cause: "etcdserver: request timed out".to_owned() },
        Fault::Unavailable,
        Fault::CutBody(20),
        Fault::Html(StatusCode::OK),
        Fault::Html(StatusCode::NOT_FOUND),
        Fault::ResetBeforeHead,
        Fault::Hang,
    ];
    for fault in faults {
        let etcd = cluster();
        let client = client(&etcd);
        let holder = soon(lock(&client).acquire()).await.unwrap();
        etcd.faults().add(Rule::new(fault.clone()).method(Method::GET).key_prefix("/locks").no_watches());
        let mut waiter = waiting(&lock(&client));
        assert!(within(secs(90), &mut waiter).await.is_none(), "granted on {fault:?}");
        holder.check().unwrap();
        etcd.faults().clear();
        assert!(within(secs(90), &mut waiter).await.is_none(), "granted behind {fault:?}");
        soon(holder.release()).await.unwrap();
        soon(waiter).await.unwrap().unwrap().check().unwrap();
    }
}

/// etcd 0.4: the keep-alive of a waiter refreshed the directory and not its key, which ran out while it waited.
#[tokio::test(start_paused = true)]
async fn a_waiter_keeps_its_own_key_alive() {
    let (etcd, calls) = (cluster(), Calls::default());
    let client = calls.of(&client(&etcd));
    let holder = soon(lock(&client).acquire()).await.unwrap();
    let waiter = waiting(&lock(&client));
    pass(secs(1)).await;
    let place = soon(lock(&client).contenders()).await.unwrap()[1].clone();
    pass(secs(300)).await;
    assert_eq!(soon(lock(&client).contenders()).await.unwrap()[1].token, place.token);
    let (renewed, ours, theirs) = (calls.keys("refresh"), place.key.to_string(), holder.key().to_string());
    assert!(renewed.contains(&ours));
    assert!(renewed.iter().all(|key| *key == ours || *key == theirs), "{renewed:?}");
    soon(holder.release()).await.unwrap();
    assert_eq!(*soon(waiter).await.unwrap().unwrap().token(), place.token);
}

/// J1 repeated the POST of an acquire whose answer was lost: a second place in the queue, ahead of nobody's.
#[tokio::test(start_paused = true)]
async fn an_acquire_whose_answer_is_lost_makes_one_place() {
    let faults = [
        Fault::DropAnswer,
        Fault::ResetBeforeHead,
        Fault::ResetAfterHead,
        Fault::CutBody(7),
        Fault::ErrorAfter { cause: "etcdserver: request timed out".to_owned() },
        Fault::ErrorBefore { cause: "etcdserver: request timed out".to_owned() },
        Fault::ApplyLater(secs(6)),
    ];
    for fault in faults {
        let etcd = cluster();
        let client = client(&etcd);
        etcd.faults().add(Rule::new(fault.clone()).method(Method::PUT).first(2));
        let guard = soon(lock(&client).acquire()).await.unwrap();
        assert_eq!(keys(&client).await, [guard.key().to_string()], "{fault:?}");
        guard.check().unwrap();
        soon(guard.release()).await.unwrap();
        pass(secs(20)).await;
        assert!(keys(&client).await.is_empty(), "{fault:?} has left a key");
        assert!(asked(&etcd).iter().all(|(method, _)| *method != Method::POST));
    }
}

/// The C client took any body for an index: without the module the lock was "had" with index "404 page not found".
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_etcds_is_no_lock() {
    for status in [StatusCode::OK, StatusCode::CREATED, StatusCode::NOT_FOUND, StatusCode::BAD_GATEWAY] {
        let etcd = cluster();
        let client = client(&etcd);
        etcd.faults().add(Rule::new(Fault::Html(status)).method(Method::PUT));
        let error = soon(lock(&client).acquire()).await.unwrap_err();
        assert!(error.is_client(), "{error:?}");
        assert!(keys(&client).await.is_empty());
    }
}

/// etcd 0.4: one who hung up just after the grant left the key until its ttl.
#[tokio::test(start_paused = true)]
async fn who_hangs_up_leaves_the_queue() {
    let etcd = cluster();
    let client = client(&etcd);
    let lock = lock(&client).ttl(secs(60));
    let holder = soon(lock.acquire()).await.unwrap();
    let waiter = waiting(&lock);
    pass(secs(1)).await;
    assert_eq!(keys(&client).await.len(), 2);
    waiter.abort();
    pass(secs(2)).await;
    assert_eq!(keys(&client).await, [holder.key().to_string()]);
    drop(holder);
    pass(secs(2)).await;
    assert!(keys(&client).await.is_empty());
}
