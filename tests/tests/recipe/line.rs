//! Waiting in line.

use std::sync::{Arc, Mutex};

use etcd_client::v2::Client;
use etcd_testkit::memory::InProcess;

use crate::support::{asked, cluster, keys, queue, secs, sleep, soon};

/// As many as this wait, one behind the other, and each notes when it is its turn.
const WAITERS: usize = 16;

/// Who had it, in order.
type Order = Arc<Mutex<Vec<(usize, u64)>>>;

async fn waiters(client: &Client, order: &Order) -> Vec<tokio::task::JoinHandle<()>> {
    let mut tasks = Vec::new();
    for number in 0..WAITERS {
        let (queue, order) = (queue(client).ttl(secs(60)), Arc::clone(order));
        tasks.push(tokio::spawn(async move {
            let held = queue.acquire().await.unwrap();
            order.lock().unwrap().push((number, held.token().index()));
            held.release().await.unwrap();
        }));
        // It is in line before the next one comes.
        while keys(client, "/locks/a").await.len() < number + 2 {
            tokio::task::yield_now().await;
        }
    }
    tasks
}

async fn run(etcd: &InProcess, client: &Client) -> (Vec<(usize, u64)>, Vec<&'static str>) {
    let first = soon(queue(client).ttl(secs(60)).acquire()).await.unwrap();
    let order = Order::default();
    let tasks = waiters(client, &order).await;
    sleep(1).await;
    etcd.log().clear();
    soon(first.release()).await.unwrap();
    for task in tasks {
        soon(task).await.unwrap();
    }
    let order = order.lock().unwrap().clone();
    (order, asked(etcd))
}

#[tokio::test(start_paused = true)]
async fn sixteen_waiters_come_in_the_order_in_which_they_queued_up() {
    let (etcd, client) = cluster();
    let (order, _) = run(&etcd, &client).await;
    assert_eq!(order.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (0..WAITERS).collect::<Vec<_>>());
    assert!(order.windows(2).all(|pair| pair[0].1 < pair[1].1), "tokens rise: {order:?}");
}

#[tokio::test(start_paused = true)]
async fn a_release_wakes_one_waiter_and_a_hand_over_takes_two_requests() {
    let (etcd, client) = cluster();
    let (_, asked) = run(&etcd, &client).await;
    let wakes: Vec<_> = asked.split(|word| *word == "delete").skip(1).map(<[_]>::len).collect();
    assert!(wakes.iter().all(|lists| *lists <= 1), "woken per release: {asked:?}");
    assert_eq!(asked.len(), 1 + 2 * WAITERS, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_of_the_holder_wakes_nobody() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).ttl(secs(15)).acquire()).await.unwrap();
    let waiting = tokio::spawn(queue(&client).ttl(secs(60)).acquire());
    sleep(1).await;
    etcd.log().clear();
    // Three renewals of the holder; the first of the waiter is due after 20 s.
    sleep(16).await;
    let asked = asked(&etcd);
    assert_eq!(asked, ["put", "put", "put"]);
    assert!(!waiting.is_finished());
    soon(held.release()).await.unwrap();
    soon(waiting).await.unwrap().unwrap().release().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_update_of_the_holders_value_grants_nothing() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let waiting = tokio::spawn(queue(&client).acquire());
    for value in ["one", "two", "three"] {
        sleep(1).await;
        soon(held.set_value(value)).await.unwrap();
    }
    sleep(30).await;
    assert!(!waiting.is_finished());
    held.check().unwrap();
    soon(held.release()).await.unwrap();
    let next = soon(waiting).await.unwrap().unwrap();
    next.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_waiter_keeps_its_place_for_longer_than_its_ttl() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let waiting = tokio::spawn(queue(&client).requeue(false).ttl(secs(5)).acquire());
    sleep(1).await;
    let place = keys(&client, "/locks/a").await.len();
    sleep(120).await;
    assert_eq!(keys(&client, "/locks/a").await.len(), place);
    soon(held.release()).await.unwrap();
    // Without queueing up again: its place was never lost.
    soon(waiting).await.unwrap().unwrap().check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dead_holder_is_followed_when_its_ttl_ends() {
    let (_etcd, client) = cluster();
    let gone = soon(queue(&client).ttl(secs(10)).acquire()).await.unwrap().detach();
    let start = tokio::time::Instant::now();
    let next = soon(queue(&client).acquire()).await.unwrap();
    assert!(next.token() > &gone);
    let waited = start.elapsed();
    assert!(waited >= secs(9) && waited <= secs(12), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn who_tries_leaves_at_once_if_somebody_is_first() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).try_acquire()).await.unwrap().expect("nobody is there");
    etcd.log().clear();
    assert!(soon(queue(&client).try_acquire()).await.unwrap().is_none());
    assert_eq!(asked(&etcd), ["put", "list", "delete"]);
    assert_eq!(keys(&client, "/locks/a").await, [held.key().name()]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_time_ends_the_wait_and_leaves_no_key() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let start = tokio::time::Instant::now();
    let error = soon(queue(&client).ttl(secs(60)).acquire_timeout(secs(7))).await.unwrap_err();
    assert!(error.is_timed_out(), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 7);
    sleep(1).await;
    assert_eq!(keys(&client, "/locks/a").await, [held.key().name()]);
}

#[tokio::test(start_paused = true)]
async fn those_in_line_are_listed_by_turn_with_what_they_wrote() {
    let (_etcd, client) = cluster();
    assert!(soon(queue(&client).contenders()).await.unwrap().is_empty());
    let held = soon(queue(&client).value("first").acquire()).await.unwrap();
    let waiting = tokio::spawn(queue(&client).value("second").acquire());
    sleep(1).await;
    // What others put there is none of it, whatever its index.
    client.set("/locks/a/note", "hello").await.unwrap();
    client.create_dir("/locks/a/0123456789abcdef0123456789abcdef").await.unwrap();
    let contenders = soon(queue(&client).contenders()).await.unwrap();
    let values: Vec<_> = contenders.iter().map(|contender| &*contender.value).collect();
    assert_eq!(values, ["first", "second"]);
    assert_eq!(&contenders[0].token, held.token());
    assert_eq!(contenders[0].key, *held.key());
    assert!(contenders[1].expires_in.is_some_and(|left| left <= secs(15) && left >= secs(9)));
    assert_eq!(soon(queue(&client).holder()).await.unwrap().as_ref(), contenders.first());
    assert!(!format!("{contenders:?}").contains("second"), "values are the callers' own affair");
    waiting.abort();
}

#[tokio::test(start_paused = true)]
async fn an_empty_value_and_a_bad_directory_are_refused_before_anything_is_sent() {
    let (etcd, client) = cluster();
    assert!(queue(&client).value("").acquire().await.unwrap_err().is_invalid_value());
    let error = etcd_recipe::Queue::new(&client, "/a/../b").acquire().await.unwrap_err();
    assert!(error.is_invalid_key() && error.to_string().contains("/a/../b"), "{error}");
    assert!(queue(&client).ttl(secs(4)).acquire().await.unwrap_err().is_invalid_ttl());
    assert_eq!(etcd.log().count(), 0);
}
