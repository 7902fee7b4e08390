//! What became of a write whose answer is lost: told truthfully, in a hundred of a hundred.

use etcd_client::v2::Client;
use etcd_recipe::{HeldKey, LossReason};
use etcd_testkit::memory::{Fault, InProcess, Plan, Rule};
use fastrand::Rng;
use http::{Method, StatusCode};
use std::time::Duration;

use crate::support::{cluster, keys, queue, secs, sleep, soon};

const RUNS: u64 = 100;

/// What hides the fate of a write: of those that were made, and of those that were not.
fn fault(random: &mut Rng) -> Fault {
    let cause = || "etcdserver: request timed out".to_owned();
    match random.u8(..12) {
        0 | 1 => Fault::DropAnswer,
        2 => Fault::ResetAfterHead,
        3 => Fault::CutBody(random.usize(..60)),
        4 => Fault::ErrorAfter { cause: cause() },
        5 => Fault::HtmlAfter(StatusCode::GATEWAY_TIMEOUT),
        6 => Fault::DelayAnswer(Duration::from_millis(random.u64(..8000))),
        7 => Fault::ApplyLater(Duration::from_millis(random.u64(..8000))),
        8 => Fault::ResetBeforeHead,
        9 => Fault::ErrorBefore { cause: cause() },
        10 => Fault::Hang,
        _ => Fault::Unavailable,
    }
}

/// One to three faults for requests of a method.
fn plan(random: &mut Rng, method: &Method) -> Plan {
    let mut plan = Plan::new();
    for _ in 0..=random.u8(..3) {
        plan = plan.rule(Rule::new(fault(random)).method(method.clone()).nth(random.u64(1..4)));
    }
    plan
}

/// The key as it is, if it is there: created index and seconds left.
async fn shown(client: &Client, held: &HeldKey) -> Option<(u64, u64)> {
    match client.get(held.key()).quorum(true).await {
        Ok(read) => {
            let left = u64::try_from(read.node.ttl.unwrap_or_default()).unwrap_or_default();
            Some((read.node.created_index.get(), left))
        }
        Err(error) if error.is_key_not_found() => None,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_is_told_truthfully_and_leaves_one_key_and_then_none() {
    for seed in 0..RUNS {
        let (mut random, (etcd, client)) = (Rng::with_seed(seed), cluster());
        etcd.faults().set(plan(&mut random, &Method::PUT));
        let held = soon(queue(&client).ttl(secs(60)).acquire()).await.unwrap();
        held.check().unwrap();
        let (created, _) = shown(&client, &held).await.unwrap_or_else(|| panic!("seed {seed}: no key"));
        assert_eq!(created, held.token().index(), "seed {seed}");
        assert_eq!(keys(&client, "/locks/a").await, [held.key().name()], "seed {seed}");
        soon(held.release()).await.unwrap();
        // A late copy of the creation is looked for, by a task that ends.
        sleep(15).await;
        assert!(keys(&client, "/locks/a").await.is_empty(), "seed {seed}: {:#?}", etcd.log().entries());
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_is_told_truthfully_at_every_moment() {
    for seed in 0..RUNS {
        let (mut random, (etcd, client)) = (Rng::with_seed(seed), cluster());
        let held = soon(queue(&client).ttl(secs(10)).acquire()).await.unwrap();
        etcd.faults().set(plan(&mut random, &Method::PUT));
        for _ in 0..60 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let (believed, left) = (held.check(), held.remaining());
            let shown = shown(&client, &held).await;
            if believed.is_ok() {
                let (created, ttl) = shown.unwrap_or_else(|| panic!("seed {seed}: believed, and gone"));
                assert_eq!(created, held.token().index(), "seed {seed}");
                assert!(left <= secs(ttl), "seed {seed}: believes in {left:?} and has {ttl} s");
            }
        }
    }
}

/// What tells that another copy may land later.
#[tokio::test(start_paused = true)]
async fn the_answer_to_a_resolved_creation_counts_its_copies() {
    let (etcd, client) = cluster();
    etcd.faults().set(Rule::new(Fault::DropAnswer).method(Method::PUT).first(1));
    assert_eq!(client.create("/a", "me 1").resolve(true).await.unwrap().attempts, 2);
    assert_eq!(client.create("/b", "me 1").resolve(true).await.unwrap().attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn three_lost_answers_do_not_end_a_holding() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    etcd.faults().set(Rule::new(Fault::DropAnswer).method(Method::PUT).first(3));
    sleep(60).await;
    held.check().unwrap();
    assert_eq!(shown(&client, &held).await.unwrap().0, held.token().index());
}

/// Whether the store has carried out a deletion.
fn is_deleted(etcd: &InProcess) -> bool {
    etcd.log().entries().iter().any(|entry| entry.method == Method::DELETE && entry.applied)
}

#[tokio::test(start_paused = true)]
async fn a_release_is_told_truthfully() {
    let mut released = 0;
    for seed in 0..RUNS {
        let (mut random, (etcd, client)) = (Rng::with_seed(seed), cluster());
        let held = soon(queue(&client).ttl(secs(60)).acquire()).await.unwrap();
        etcd.faults().set(plan(&mut random, &Method::DELETE));
        let answer = soon(held.release()).await;
        match &answer {
            Ok(()) => assert!(is_deleted(&etcd), "seed {seed}"),
            Err(error) => assert!(error.outcome().is_unknown() && !error.is_lost(), "seed {seed}: {error:?}"),
        }
        released += usize::from(answer.is_ok());
        assert_eq!(keys(&client, "/locks/a").await.is_empty(), is_deleted(&etcd), "seed {seed}");
    }
    assert_eq!(released, 100, "the time is enough for all");
}

#[tokio::test(start_paused = true)]
async fn a_release_behind_somebody_elses_is_told_truthfully() {
    for seed in 0..RUNS {
        let (mut random, (etcd, client)) = (Rng::with_seed(seed), cluster());
        let held = soon(queue(&client).ttl(secs(60)).acquire()).await.unwrap();
        client.delete(held.key()).await.unwrap();
        etcd.faults().set(plan(&mut random, &Method::DELETE));
        match soon(held.release()).await {
            Err(error) if error.is_lost() => assert_eq!(error.loss(), Some(LossReason::Gone), "seed {seed}"),
            Err(error) => assert!(error.outcome().is_unknown(), "seed {seed}: {error:?}"),
            Ok(()) => panic!("seed {seed}: it was lost before, and nobody was told"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_never_answered_is_given_up_after_the_ttl_and_leaves_no_key() {
    for fault in [Fault::DropAnswer, Fault::Hang, Fault::Refuse, Fault::Unavailable] {
        let (etcd, client) = cluster();
        etcd.faults().set(Rule::new(fault.clone()).method(Method::PUT));
        // The truth of a lost answer is read; only where nothing is made it is given up.
        match soon(queue(&client).acquire()).await {
            Ok(held) => assert!(fault == Fault::DropAnswer && held.check().is_ok()),
            Err(error) => assert!(error.is_client() && error.client().is_some(), "{fault:?}: {error:?}"),
        }
        sleep(20).await;
        assert!(keys(&client, "/locks/a").await.is_empty(), "{fault:?}");
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_behind_a_release_without_an_answer_does_not_say_that_nothing_was_done() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).ttl(secs(60)).acquire()).await.unwrap();
    let key = held.key().clone();
    // The first copies land when nobody waits for them any more, and what is sent behind them is refused.
    etcd.faults().set(Rule::new(Fault::ApplyLater(secs(12))).method(Method::DELETE));
    let releasing = tokio::spawn(held.release());
    sleep(9).await;
    let elsewhere = Fault::Redirect("http://192.0.2.1:2379/v2/keys/locks".to_owned());
    etcd.faults().set(Rule::new(elsewhere).method(Method::DELETE));
    let error = soon(releasing).await.unwrap().unwrap_err();
    assert!(error.is_client() && error.outcome().is_unknown(), "{error:?}");
    sleep(4).await;
    assert!(client.get(&key).quorum(true).await.unwrap_err().is_key_not_found(), "it was done");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_behind_a_write_without_an_answer_does_not_say_that_nothing_was_done() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).ttl(secs(60)).acquire()).await.unwrap();
    let key = held.key().clone();
    // The first copies land when nobody waits for them any more, and what is sent behind them is refused.
    etcd.faults().set(Rule::new(Fault::ApplyLater(secs(14))).method(Method::PUT));
    let writing = tokio::spawn(async move { (held.set_value("second").await, held) });
    tokio::time::sleep(Duration::from_millis(9_950)).await;
    let elsewhere = Fault::Redirect("http://192.0.2.1:2379/v2/keys/locks".to_owned());
    etcd.faults().set(Rule::new(elsewhere).method(Method::PUT));
    let (written, held) = soon(writing).await.unwrap();
    let error = written.unwrap_err();
    assert!(error.is_client() && error.outcome().is_unknown(), "{error:?}");
    sleep(5).await;
    assert_eq!(client.get(&key).quorum(true).await.unwrap().text(), "second", "it was done");
    drop(held);
}
