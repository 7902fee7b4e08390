//! The fair lock.

use std::time::Duration;

use etcd_lock::{ErrorKind, Lock};
use http::Method;

use crate::support::{asked, client, cluster, keys, lock, pass, secs, soon, waiting, within};

#[tokio::test(start_paused = true)]
async fn alone_it_takes_three_requests() {
    let etcd = cluster();
    let lock = lock(&client(&etcd));
    let guard = soon(lock.acquire()).await.unwrap();
    soon(guard.release()).await.unwrap();
    let methods: Vec<_> = asked(&etcd).into_iter().map(|(method, _)| method).collect();
    assert_eq!(methods, [Method::PUT, Method::GET, Method::DELETE]);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_have_it_in_the_order_in_which_they_came() {
    let etcd = cluster();
    let client = client(&etcd);
    let guard = soon(lock(&client).owner("0").acquire()).await.unwrap();
    let mut waiters = Vec::new();
    for owner in 1..=8 {
        waiters.push(waiting(&lock(&client).owner(owner.to_string())));
        pass(Duration::from_millis(100)).await;
    }
    let line: Vec<_> =
        soon(lock(&client).contenders()).await.unwrap().into_iter().map(|it| it.value).collect();
    assert_eq!(line, ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
    soon(guard.release()).await.unwrap();
    let mut last = None;
    for waiter in waiters {
        let guard = within(secs(1), waiter).await.expect("its turn").unwrap().unwrap();
        assert!(last.is_none_or(|last| last < guard.token().index()));
        last = Some(guard.token().index());
        soon(guard.release()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_wakes_one_waiter() {
    let etcd = cluster();
    let client = client(&etcd);
    let mut guard = soon(lock(&client).ttl(secs(60)).acquire()).await.unwrap();
    let mut waiters = Vec::new();
    for _ in 0..16 {
        waiters.push(waiting(&lock(&client).ttl(secs(60))));
        pass(Duration::from_millis(10)).await;
    }
    for waiter in waiters {
        etcd.log().clear();
        soon(guard.release()).await.unwrap();
        guard = soon(waiter).await.unwrap().unwrap();
        pass(Duration::from_millis(100)).await;
        // The release, and the list of the one who was woken.
        assert_eq!(etcd.log().count(), 2, "{:?}", asked(&etcd));
    }
}

#[tokio::test(start_paused = true)]
async fn a_try_leaves_at_once_and_leaves_nothing() {
    let etcd = cluster();
    let client = client(&etcd);
    let guard = soon(lock(&client).acquire()).await.unwrap();
    let tried = within(secs(1), lock(&client).try_acquire()).await.expect("at once");
    assert!(tried.unwrap().is_none());
    assert_eq!(keys(&client).await, [guard.key().to_string()]);
    soon(guard.release()).await.unwrap();
    assert!(soon(lock(&client).try_acquire()).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_in_time_and_leaves_nothing() {
    let etcd = cluster();
    let client = client(&etcd);
    let guard = soon(lock(&client).acquire()).await.unwrap();
    let started = tokio::time::Instant::now();
    let error = soon(lock(&client).acquire_timeout(secs(20))).await.unwrap_err();
    assert!(error.is_timed_out(), "{error:?}");
    assert_eq!(started.elapsed().as_secs(), 20);
    pass(secs(2)).await;
    assert_eq!(keys(&client).await, [guard.key().to_string()]);
    let next = tokio::spawn(lock(&client).acquire_timeout(secs(20)));
    pass(secs(19)).await;
    soon(guard.release()).await.unwrap();
    soon(next).await.unwrap().unwrap().check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_bad_setting_is_told_by_the_call_and_nothing_is_sent() {
    let etcd = cluster();
    let client = client(&etcd);
    let named = |name: &str| Lock::new(&client, name);
    for (lock, kind, word) in [
        (named(""), ErrorKind::InvalidKey, "name is empty"),
        (named("a//b"), ErrorKind::InvalidKey, "\"a//b\""),
        (named("../up"), ErrorKind::InvalidKey, "\"../up\""),
        (named("a").prefix("x//y"), ErrorKind::InvalidKey, "\"x//y\""),
        (named("a").ttl(secs(4)), ErrorKind::InvalidTtl, "4s"),
        (named("a").owner(""), ErrorKind::InvalidValue, "empty"),
    ] {
        let error = soon(lock.acquire()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(soon(lock.try_acquire()).await.unwrap_err().kind(), kind);
        assert_eq!(soon(lock.acquire_timeout(secs(1))).await.unwrap_err().kind(), kind);
        if kind == ErrorKind::InvalidKey {
            assert!(soon(lock.holder()).await.unwrap_err().is_invalid_key());
            assert!(soon(lock.contenders()).await.unwrap_err().is_invalid_key());
            assert!(soon(lock.release_by(&"7".parse().unwrap())).await.unwrap_err().is_invalid_key());
            assert!(soon(lock.renew_by(&"7".parse().unwrap(), secs(9))).await.unwrap_err().is_invalid_key());
        }
    }
    assert_eq!(etcd.log().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn names_are_locks_of_their_own_also_one_below_another() {
    let etcd = cluster();
    let client = client(&etcd);
    let named = |name: &str| lock(&client).prefix(name);
    let (below, above) = (named("/l/mylock"), named("/l"));
    let first = soon(below.acquire()).await.unwrap();
    let second = within(secs(5), above.acquire()).await.expect("another lock").unwrap();
    assert!(first.key().as_str().starts_with("/l/mylock/mylock/"), "{}", first.key());
    assert!(second.key().as_str().starts_with("/l/mylock/"), "{}", second.key());
    assert_eq!(soon(above.contenders()).await.unwrap().len(), 1);
    soon(first.release()).await.unwrap();
    soon(second.release()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn foreign_keys_in_the_directory_hold_nothing() {
    let etcd = cluster();
    let client = client(&etcd);
    soon(client.set("/locks/mylock/README", "not a contender")).await.unwrap();
    soon(client.create_in_order("/locks/mylock", "by another recipe")).await.unwrap();
    let guard = within(secs(5), lock(&client).acquire()).await.expect("nobody holds it").unwrap();
    assert_eq!(soon(lock(&client).contenders()).await.unwrap().len(), 1);
    soon(guard.release()).await.unwrap();
}
