//! What the two seed clients could do with locks, test by test under the name that it has there.

use etcd_lock::{LossReason, State};
use etcd_testkit::memory::Change;

use crate::support::{client, cluster, lock, pass, secs, soon, token_like, waiting, within};

/// `lock_acquire(etcd, "mylock"; ttl = 10)` blocks until the lock is had, and answers with its index.
#[tokio::test(start_paused = true)]
async fn lock_acquire() {
    let etcd = cluster();
    let lock = lock(&client(&etcd)).ttl(secs(10));
    let first = soon(lock.acquire()).await.unwrap();
    let mut second = waiting(&lock);
    assert!(within(secs(60), &mut second).await.is_none(), "two holders at once");
    let index = first.token().index();
    soon(first.release()).await.unwrap();
    let second = soon(second).await.unwrap().unwrap();
    assert!(second.token().index() > index);
    second.check().unwrap();
}

/// `lock_renew(etcd, "mylock"; index = 2, ttl = 10)` keeps a lock whose index is all that one has.
#[tokio::test(start_paused = true)]
async fn lock_renew() {
    let etcd = cluster();
    let lock = lock(&client(&etcd)).ttl(secs(10));
    let index = soon(lock.acquire()).await.unwrap().detach();
    for _ in 0..5 {
        pass(secs(8)).await;
        soon(lock.renew_by(&index, secs(10))).await.unwrap();
    }
    assert_eq!(soon(lock.holder()).await.unwrap().unwrap().token, index);
    pass(secs(12)).await;
    let late = soon(lock.renew_by(&index, secs(10))).await.unwrap_err();
    assert!(late.is_unknown_token(), "{late:?}");
}

/// `lock_release(etcd, "mylock"; index = 2)`.
#[tokio::test(start_paused = true)]
async fn lock_release() {
    let etcd = cluster();
    let lock = lock(&client(&etcd));
    let index = soon(lock.acquire()).await.unwrap().detach();
    assert!(soon(lock.try_acquire()).await.unwrap().is_none());
    soon(lock.release_by(&index)).await.unwrap();
    assert!(soon(lock.try_acquire()).await.unwrap().is_some());
    let again = soon(lock.release_by(&index)).await.unwrap_err();
    assert!(again.is_unknown_token(), "{again:?}");
}

/// `lock_retrieve(etcd, "mylock")` gives the index of the holder; the modules of the server also gave its value.
#[tokio::test(start_paused = true)]
async fn lock_retrieve() {
    let etcd = cluster();
    let lock = lock(&client(&etcd)).owner("worker-7");
    assert_eq!(soon(lock.holder()).await.unwrap(), None);
    let guard = soon(lock.acquire()).await.unwrap();
    let holder = soon(lock.holder()).await.unwrap().unwrap();
    assert_eq!((&holder.token, &*holder.value), (guard.token(), "worker-7"));
    soon(guard.release()).await.unwrap();
    assert_eq!(soon(lock.holder()).await.unwrap(), None);
}

/// The paragraph of the C client: acquire, with notice of the gain; renew with the index, and learn of the loss; unlock;
/// and watch others have it, which the modules of the server could not.
#[tokio::test(start_paused = true)]
async fn etcd_lock_and_etcd_unlock() {
    let etcd = cluster();
    let client = client(&etcd);
    let (ours, theirs) = (lock(&client).owner("us"), lock(&client).owner("them"));

    // Acquire, which tells of the gain by returning.
    let guard = soon(ours.acquire()).await.unwrap();
    let index = guard.token().clone();

    // Renew with the index.
    guard.renew().await.unwrap();
    soon(ours.renew_by(&index, secs(15))).await.unwrap();
    let nobodys = token_like(&index, 99_999);
    assert!(soon(ours.renew_by(&nobodys, secs(15))).await.unwrap_err().is_unknown_token());

    // Watch others: one event in the directory of the lock is the hint, the list is the truth.
    let before = soon(client.get("/locks/mylock").quorum(true)).await.unwrap().header.etcd_index;
    let next = waiting(&theirs);
    let event = soon(client.watch("/locks/mylock").recursive(true).after(before).next_event()).await.unwrap();
    assert_eq!(event.node.text(), "them");
    let owners: Vec<_> = soon(ours.contenders()).await.unwrap().into_iter().map(|it| it.value).collect();
    assert_eq!(owners, ["us", "them"]);

    // Learn of the loss.
    let lost = guard.lost();
    etcd.faults().apply(Change::Expire(guard.key().to_string())).unwrap();
    assert_eq!(soon(lost).await, LossReason::Gone);
    assert_eq!(guard.state(), State::Lost { reason: LossReason::Gone });
    assert!(soon(ours.renew_by(&index, secs(15))).await.unwrap_err().is_unknown_token());

    // Unlock: ours is lost, which it says, and theirs is untouched.
    assert!(soon(guard.release()).await.unwrap_err().is_lost());
    let theirs_guard = soon(next).await.unwrap().unwrap();
    assert!(soon(ours.release_by(&index)).await.unwrap_err().is_unknown_token());
    soon(theirs_guard.release()).await.unwrap();
    assert_eq!(soon(ours.holder()).await.unwrap(), None);
}
