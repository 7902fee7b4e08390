//! What was lost, and how one hears of it.

use etcd_client::Outcome;
use etcd_recipe::{ErrorKind, LossReason};
use etcd_testkit::memory::{Change, Fault, Rule};
use http::Method;

use crate::support::{cluster, keys, queue, secs, sleep, soon};

#[tokio::test(start_paused = true)]
async fn a_release_behind_a_loss_reports_the_loss() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    client.delete(held.key()).await.unwrap();
    // It has not heard of it yet.
    held.check().unwrap();
    let error = soon(held.release()).await.unwrap_err();
    assert_eq!((error.kind(), error.loss()), (ErrorKind::Lost, Some(LossReason::Gone)));
    assert_eq!(error.outcome(), Outcome::NotApplied);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_made_anew_is_lost_and_not_touched() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let anew = client.set(held.key(), "somebody else's").await.unwrap();
    let reason = soon(held.lost()).await;
    assert_eq!(reason, LossReason::Replaced);
    assert_eq!(soon(held.release()).await.unwrap_err().loss(), Some(LossReason::Replaced));
    sleep(20).await;
    assert_eq!(client.get(&anew.node.key).await.unwrap().node, anew.node);
}

#[tokio::test(start_paused = true)]
async fn a_release_never_deletes_a_key_that_was_made_anew() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let key = held.key().clone();
    client.set(&key, "somebody else's").await.unwrap();
    assert_eq!(soon(held.release()).await.unwrap_err().loss(), Some(LossReason::Replaced));
    assert_eq!(client.get(&key).await.unwrap().text(), "somebody else's");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_ran_out_at_the_server_is_lost_at_the_next_renewal() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    etcd.faults().apply(Change::Expire(held.key().to_string())).unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(soon(held.lost()).await, LossReason::Gone);
    assert!(start.elapsed() <= secs(6));
}

#[tokio::test(start_paused = true)]
async fn who_loses_its_place_queues_up_again_at_the_end() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let waiting = tokio::spawn(queue(&client).value("waiter").acquire());
    sleep(1).await;
    let place = soon(queue(&client).contenders()).await.unwrap().remove(1);
    let third = tokio::spawn(queue(&client).value("third").acquire());
    sleep(1).await;
    client.delete(&place.key).await.unwrap();
    sleep(7).await;
    let values: Vec<_> =
        soon(queue(&client).contenders()).await.unwrap().into_iter().map(|other| other.value).collect();
    assert_eq!(values[1..], ["third", "waiter"]);
    assert!(!waiting.is_finished() && !third.is_finished());
    soon(held.release()).await.unwrap();
    let third = soon(third).await.unwrap().unwrap();
    assert!(third.token() > &place.token);
    soon(third.release()).await.unwrap();
    let waiter = soon(waiting).await.unwrap().unwrap();
    waiter.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_queueing_up_again_the_lost_place_is_an_error() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let waiting = tokio::spawn(queue(&client).requeue(false).acquire());
    sleep(1).await;
    let place = soon(queue(&client).contenders()).await.unwrap().remove(1);
    client.delete(&place.key).await.unwrap();
    let error = soon(waiting).await.unwrap().unwrap_err();
    assert!(error.is_place_lost(), "{error:?}");
    assert_eq!(error.loss(), Some(LossReason::Gone));
    held.check().unwrap();
    assert_eq!(keys(&client, "/locks/a").await, [held.key().name()]);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_whose_key_and_predecessor_go_at_once_is_not_granted() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let waiting = tokio::spawn(queue(&client).requeue(false).acquire());
    sleep(1).await;
    client.delete_dir("/locks/a").recursive(true).await.unwrap();
    assert!(soon(waiting).await.unwrap().unwrap_err().is_place_lost());
    assert_eq!(soon(held.lost()).await, LossReason::Gone);
}

#[tokio::test(start_paused = true)]
async fn behind_a_loss_a_late_copy_of_the_creation_is_cleaned_up() {
    let (etcd, client) = cluster();
    // The first copy lands 4 s later, the second is answered.
    etcd.faults().add(Rule::new(Fault::ApplyLater(secs(4))).method(Method::PUT).first(1));
    let held = soon(queue(&client).ttl(secs(60)).acquire()).await.unwrap();
    client.delete(held.key()).await.unwrap();
    assert_eq!(soon(held.release()).await.unwrap_err().loss(), Some(LossReason::Gone));
    sleep(15).await;
    let creations = etcd.log().entries().iter().filter(|entry| entry.method == Method::PUT).count();
    assert_eq!(creations, 2);
    assert!(keys(&client, "/locks/a").await.is_empty());
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}
