//! Leading: from the campaign to the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use etcd_leader::{ErrorKind, LossReason, State};
use etcd_testkit::memory::{Change, Fault, Rule};
use http::Method;
use tokio::time::Instant;

use crate::support::{candidates, cluster, election, leader, secs, sleep, soon};

#[tokio::test(start_paused = true)]
async fn to_proclaim_changes_the_value_and_keeps_the_token() {
    let (_etcd, client) = cluster();
    let election = election(&client);
    let leading = soon(election.campaign("one")).await.unwrap();
    let token = leading.token().clone();
    soon(leading.proclaim("two")).await.unwrap();
    sleep(60).await;
    let seen = soon(election.leader()).await.unwrap().unwrap();
    assert_eq!((seen.value(), seen.token(), leading.token()), ("two", &token, &token));
    assert_eq!(leading.state(), State::Held);
    assert!(soon(leading.proclaim("")).await.unwrap_err().is_invalid_value());
    leading.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn to_resign_hands_over_in_the_order_in_which_candidates_came() {
    let (_etcd, client) = cluster();
    let mut leading = soon(election(&client).campaign("0")).await.unwrap();
    let mut waiting = Vec::new();
    for number in 1..5 {
        waiting.push(tokio::spawn(election(&client).campaign(number.to_string())));
        sleep(1).await;
    }
    for (number, next) in waiting.into_iter().enumerate() {
        let token = leading.token().clone();
        soon(leading.resign()).await.unwrap();
        leading = soon(next).await.unwrap().unwrap();
        assert!(*leading.token() > token);
        assert_eq!(leader(&election(&client)).await, Some((number + 1).to_string()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_candidate_whose_leadership_was_lost_has_to_drop_it_before_the_next_campaign() {
    let (etcd, client) = cluster();
    let election = election(&client);
    let leading = soon(election.campaign("me")).await.unwrap();
    let expire = Change::Expire(leading.key().as_str().to_owned());
    etcd.faults().apply(expire).unwrap();
    assert_eq!(soon(leading.lost()).await, LossReason::Gone);

    let error = soon(election.campaign("me")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotStopped);
    assert!(soon(election.clone().campaign_timeout("me", secs(5))).await.unwrap_err().is_not_stopped());
    // Another candidate is not concerned.
    drop(soon(crate::support::election(&client).campaign("other")).await.unwrap());
    drop(leading);
    soon(election.campaign("me")).await.unwrap().check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_second_campaign_of_a_candidate_does_not_lead_beside_what_it_has_lost_and_not_stopped() {
    let (etcd, client) = cluster();
    let election = election(&client).ttl(secs(15));
    let leading = soon(election.campaign("me")).await.unwrap();
    let second = tokio::spawn(election.campaign("me, too"));
    sleep(1).await;
    // No renewal of the first gets through: it is lost, and then its key runs out.
    etcd.faults().add(Rule::new(Fault::Hang).method(Method::PUT).key_prefix(leading.key()));
    let error = soon(second).await.unwrap().unwrap_err();
    assert!(error.is_not_stopped(), "{error:?}");
    assert_eq!(leading.check().unwrap_err().loss(), Some(LossReason::Expired));
    sleep(15).await;
    assert!(candidates(&election).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn to_resign_says_that_it_has_stopped() {
    let (etcd, client) = cluster();
    let election = election(&client);
    let leading = soon(election.campaign("me")).await.unwrap();
    etcd.faults().add(Rule::new(Fault::DelayAnswer(secs(2))).method(Method::DELETE));
    let resigning = tokio::spawn(leading.resign());
    sleep(1).await;
    soon(election.campaign("me")).await.unwrap().check().unwrap();
    soon(resigning).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn work_that_is_led_is_dropped_on_a_loss_before_it_begins_again() {
    let (etcd, client) = cluster();
    let election = election(&client).ttl(secs(15));
    let (running, began) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let lead = {
        let (election, running, began) = (election.clone(), Arc::clone(&running), Arc::clone(&began));
        tokio::spawn(async move {
            let work = |leadership: Arc<etcd_leader::Leadership>| {
                let running = Running::begin(&running);
                let round = began.fetch_add(1, Ordering::SeqCst);
                async move {
                    let _running = running;
                    leadership.check().unwrap();
                    if round == 2 {
                        return leadership.token().clone();
                    }
                    std::future::pending().await
                }
            };
            election.lead("me", work).await
        })
    };
    for round in 1..=2 {
        sleep(10).await;
        assert_eq!(began.load(Ordering::SeqCst), round);
        let key = soon(election.candidates()).await.unwrap()[0].key.clone();
        etcd.faults().apply(Change::Expire(key.as_str().to_owned())).unwrap();
    }
    soon(lead).await.unwrap().unwrap();
    assert_eq!(began.load(Ordering::SeqCst), 3);
    assert!(candidates(&election).await.is_empty());
}

/// Counts work under way, of which there is one at most.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        assert_eq!(count.fetch_add(1, Ordering::SeqCst), 0, "the last work was not dropped");
        Self(Arc::clone(count))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_puts_its_leadership_by_is_not_taken_for_stopped() {
    let (etcd, client) = cluster();
    let election = election(&client);
    let kept = std::sync::Mutex::new(None);
    let lead = election.lead("me", |leadership| {
        etcd.faults().apply(Change::Expire(leadership.key().as_str().to_owned())).unwrap();
        *kept.lock().unwrap() = Some(leadership);
        std::future::pending::<()>()
    });
    let error = soon(lead).await.unwrap_err();
    assert!(error.is_not_stopped(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_campaign_with_a_limit_gives_up_and_leaves_no_place() {
    let (_etcd, client) = cluster();
    let leading = soon(election(&client).campaign("first")).await.unwrap();
    let began = Instant::now();
    let error = soon(election(&client).campaign_timeout("second", secs(40))).await.unwrap_err();
    assert_eq!((error.kind(), began.elapsed()), (ErrorKind::TimedOut, secs(40)));
    sleep(15).await;
    assert_eq!(candidates(&election(&client)).await, ["first"]);
    leading.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_hears_nothing_ends_before_its_key_does() {
    let (etcd, client) = cluster();
    let election = election(&client).ttl(secs(15));
    let leading = soon(election.campaign("me")).await.unwrap();
    etcd.faults().add(Rule::new(Fault::Hang).method(Method::PUT));
    let began = Instant::now();
    assert_eq!(soon(leading.lost()).await, LossReason::Expired);
    // 15 s without a margin of 1.5 s.
    assert!(began.elapsed() <= secs(14), "{:?}", began.elapsed());
    assert_eq!(leader(&election).await.as_deref(), Some("me"));
    assert!(soon(leading.run(std::future::ready(()))).await.unwrap_err().is_lost());
}

#[tokio::test(start_paused = true)]
async fn to_resign_behind_a_loss_says_so() {
    let (_etcd, client) = cluster();
    let election = election(&client);
    let leading = soon(election.campaign("me")).await.unwrap();
    soon(election.remove("me")).await.unwrap();
    let error = soon(leading.resign()).await.unwrap_err();
    assert_eq!((error.kind(), error.loss()), (ErrorKind::Lost, Some(LossReason::Gone)));
}

#[tokio::test(start_paused = true)]
async fn what_is_detached_stands_until_its_ttl() {
    let (_etcd, client) = cluster();
    let election = election(&client).ttl(secs(15));
    let token = soon(election.campaign("me")).await.unwrap().detach();
    sleep(12).await;
    assert_eq!(soon(election.leader()).await.unwrap().unwrap().token(), &token);
    sleep(5).await;
    assert_eq!(leader(&election).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_prefix_of_ones_own_and_a_name_of_several_elements_say_where_it_is() {
    let (_etcd, client) = cluster();
    let election = etcd_leader::Election::new(&client, "db/shard-7")
        .prefix("/apps")
        .clock(Arc::new(etcd_leader::TokioClock::new()))
        .without_skew_probe();
    let leading = soon(election.campaign("me")).await.unwrap();
    assert_eq!(leading.key().parent().unwrap().as_str(), "/apps/db/shard-7");
}
