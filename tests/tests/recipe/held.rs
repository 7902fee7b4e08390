//! What can be done with what is held.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use etcd_recipe::{LossReason, SingleKey, State, TokioClock};

use crate::support::{cluster, keys, queue, secs, sleep, soon};

#[tokio::test(start_paused = true)]
async fn another_value_keeps_the_token_and_is_seen() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).value("before").acquire()).await.unwrap();
    soon(held.set_value("after")).await.unwrap();
    let holder = soon(queue(&client).holder()).await.unwrap().unwrap();
    assert_eq!((&*holder.value, &holder.token), ("after", held.token()));
    assert!(soon(held.set_value("")).await.unwrap_err().is_invalid_value());
    sleep(100).await;
    assert_eq!(held.state(), State::Held);
    soon(held.release()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_renewal_on_demand_prolongs_at_once() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    sleep(4).await;
    let before = held.valid_until();
    soon(held.renew()).await.unwrap();
    assert_eq!(held.valid_until().saturating_since(before).as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn work_is_done_while_it_is_held_and_dropped_when_it_is_lost() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    assert_eq!(soon(held.run(async { 7 })).await.unwrap(), 7);
    let steps = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&steps);
    let work = held.run(async move {
        loop {
            sleep(1).await;
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let rival = async {
        sleep(20).await;
        client.delete(held.key()).await.unwrap();
        std::future::pending::<()>().await;
    };
    let error = tokio::select! {
        ended = soon(work) => match ended {
            Ok(never) => never,
            Err(error) => error,
        },
        () = rival => unreachable!("it waits for ever"),
    };
    assert_eq!(error.loss(), Some(LossReason::Gone));
    // The next renewal, 5 s later at most, hears of it.
    let done = steps.load(Ordering::SeqCst);
    assert!((19..=26).contains(&done), "{done}");
    sleep(10).await;
    assert_eq!(steps.load(Ordering::SeqCst), done);
}

#[tokio::test(start_paused = true)]
async fn the_news_of_a_loss_reaches_clones_elsewhere() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let lost = held.lost();
    let elsewhere = tokio::spawn(lost.clone());
    client.delete(held.key()).await.unwrap();
    assert_eq!(soon(lost).await, LossReason::Gone);
    assert_eq!(soon(elsewhere).await.unwrap(), LossReason::Gone);
    assert_eq!(held.remaining(), secs(0));
    // Of a release and a drop they hear, too.
    let held = soon(queue(&client).acquire()).await.unwrap();
    let lost = held.lost();
    drop(held);
    assert_eq!(soon(lost).await, LossReason::Released);
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_is_given_back_at_once_and_its_task_ends() {
    let (_etcd, client) = cluster();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let held = soon(queue(&client).ttl(secs(60)).acquire()).await.unwrap();
    assert_eq!(tasks(), before + 1);
    drop(held);
    sleep(1).await;
    assert!(keys(&client, "/locks/a").await.is_empty());
    assert_eq!(tasks(), before);
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_while_nobody_answers_leaves_no_task_after_fifteen_seconds() {
    use etcd_testkit::memory::{Fault, Rule};
    let (etcd, client) = cluster();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for fault in [Fault::Hang, Fault::Refuse, Fault::DropAnswer, Fault::Unavailable] {
        let held = soon(queue(&client).ttl(secs(120)).acquire()).await.unwrap();
        etcd.faults().set(Rule::new(fault.clone()));
        // In the middle of a renewal, too.
        sleep(41).await;
        drop(held);
        sleep(15).await;
        assert_eq!(tasks(), before, "{fault:?}");
        etcd.faults().clear();
        sleep(125).await;
        assert!(keys(&client, "/locks/a").await.is_empty(), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_detached_lives_on_until_its_ttl_ends_it() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let lost = held.lost();
    let token = held.detach();
    assert_eq!(soon(lost).await, LossReason::Detached);
    sleep(12).await;
    assert_eq!(soon(queue(&client).holder()).await.unwrap().unwrap().token, token);
    sleep(4).await;
    assert!(soon(queue(&client).holder()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn servers_without_refresh_are_renewed_by_the_same_value() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).value("me").renew_by_rewriting(true).acquire()).await.unwrap();
    etcd.log().clear();
    sleep(31).await;
    held.check().unwrap();
    let puts = etcd.log().entries();
    assert_eq!(puts.len(), 6);
    let holder = soon(queue(&client).holder()).await.unwrap().unwrap();
    assert_eq!((&*holder.value, &holder.token), ("me", held.token()));
    soon(held.release()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_single_key_is_held_by_one_at_a_time() {
    let (_etcd, client) = cluster();
    let single = SingleKey::new(&client, "/one").clock(Arc::new(TokioClock::new())).without_skew_probe();
    let held = soon(single.try_hold("a 1")).await.unwrap().expect("there is none");
    assert!(soon(single.try_hold("b 2")).await.unwrap().is_none());
    // Not by the value: that of another holder may be the same.
    assert!(soon(single.try_hold("a 1")).await.unwrap().is_none());
    sleep(100).await;
    held.check().unwrap();
    soon(held.release()).await.unwrap();
    let next = soon(single.try_hold("b 2")).await.unwrap().expect("it was given back");
    sleep(20).await;
    next.check().unwrap();
}
