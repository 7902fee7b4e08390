//! The old `leader` program's election: gain, loss, take-over, fitness.

use std::sync::Arc;
use std::time::Duration;

use etcd_client::v2::{Client, Compare};
use etcd_leader::vote::{InvalidVote, State};
use etcd_leader::{ErrorKind, LossReason, TokioClock, TwoStep};
use etcd_testkit::memory::{Change, Fault, InProcess, Rule};
use http::Method;
use tokio::time::{Instant, timeout};

use crate::support::{cluster, secs, sleep, soon};

const KEY: &str = "/nsr";

/// A candidate by tokio's clock, without a look at the servers' clocks.
fn candidate(client: &Client, name: &str) -> TwoStep {
    TwoStep::new(client, KEY, name).clock(Arc::new(TokioClock::new())).without_skew_probe()
}

async fn text(client: &Client) -> Option<String> {
    match client.get(KEY).quorum(true).await {
        Ok(read) => Some(read.text().to_owned()),
        Err(error) if error.is_key_not_found() => None,
        Err(error) => panic!("{error:?}"),
    }
}

async fn leader(client: &Client) -> Option<String> {
    let leader = soon(candidate(client, "reader").leader()).await.unwrap();
    leader.map(|leader| leader.value().to_owned())
}

#[tokio::test(start_paused = true)]
async fn leader_program_gains_by_a_nomination_and_a_confirmation_a_second_later() {
    let (_etcd, client) = cluster();
    let began = Instant::now();
    let campaign = tokio::spawn(candidate(&client, "node-1").campaign());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(text(&client).await.as_deref(), Some("node-1,1,42"));
    assert_eq!(leader(&client).await, None, "a tentative vote is no leader's");
    let vote = soon(candidate(&client, "reader").vote()).await.unwrap().unwrap();
    assert_eq!((vote.candidate.name(), vote.state), ("node-1", State::Tentative));

    let leading = soon(campaign).await.unwrap().unwrap();
    assert_eq!(began.elapsed(), secs(1));
    assert_eq!(text(&client).await.as_deref(), Some("node-1,2,42"));
    let seen = soon(candidate(&client, "reader").leader()).await.unwrap().unwrap();
    assert_eq!((seen.value(), seen.token()), ("node-1", leading.token()));
    // It is renewed with the value that it has.
    sleep(60).await;
    leading.check().unwrap();
    assert_eq!(text(&client).await.as_deref(), Some("node-1,2,42"));
    soon(leading.resign()).await.unwrap();
    assert_eq!(text(&client).await, None);
}

#[tokio::test(start_paused = true)]
async fn leader_program_hears_of_its_loss_at_the_next_renewal() {
    let (_etcd, client) = cluster();
    let leading = soon(candidate(&client, "node-1").campaign()).await.unwrap();
    client.delete(KEY).await.unwrap();
    let began = Instant::now();
    assert_eq!(soon(leading.lost()).await, LossReason::Gone);
    assert!(began.elapsed() < secs(2), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn leader_program_hears_of_its_loss_by_its_own_clock_where_nobody_answers() {
    let (etcd, client) = cluster();
    let leading = soon(candidate(&client, "node-1").campaign()).await.unwrap();
    etcd.faults().add(Rule::new(Fault::Hang));
    let began = Instant::now();
    assert_eq!(soon(leading.lost()).await, LossReason::Expired);
    // 5 s without the margin of 1 s: its key is still there.
    assert!(began.elapsed() <= secs(4), "{:?}", began.elapsed());
    etcd.faults().clear();
    assert_eq!(text(&client).await.as_deref(), Some("node-1,2,42"));
}

#[tokio::test(start_paused = true)]
async fn leader_program_is_taken_over_after_a_kill() {
    let (_etcd, client) = cluster();
    let leading = soon(candidate(&client, "a").campaign()).await.unwrap();
    let next = tokio::spawn(candidate(&client, "b").campaign());
    sleep(10).await;
    assert!(!next.is_finished());
    soon(leading.renew()).await.unwrap();
    let (began, token) = (Instant::now(), leading.detach());
    let next = soon(next).await.unwrap().unwrap();
    // The ttl, up to half a second until the servers see it, and a second to settle; the seed took 6.4 s.
    assert!(secs(6) <= began.elapsed() && began.elapsed() < secs(7), "{:?}", began.elapsed());
    assert!(*next.token() > token);
    assert_eq!(leader(&client).await.as_deref(), Some("b"));
}

#[tokio::test(start_paused = true)]
async fn leader_program_prefers_the_fitter_while_a_vote_is_tentative() {
    for (fitness, winner) in [(43, "b"), (42, "a"), (41, "a")] {
        let (_etcd, client) = cluster();
        let first = tokio::spawn(candidate(&client, "a").campaign());
        tokio::time::sleep(Duration::from_millis(300)).await;
        let second = tokio::spawn(candidate(&client, "b").fitness(fitness).campaign());
        sleep(3).await;
        assert_eq!(leader(&client).await.as_deref(), Some(winner), "{fitness}");
        assert_eq!((first.is_finished(), second.is_finished()), (winner == "a", winner == "b"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_leader_is_never_overridden() {
    let (_etcd, client) = cluster();
    let leading = soon(candidate(&client, "a").fitness(-5).campaign()).await.unwrap();
    let fitter = candidate(&client, "b").fitness(i64::MAX).campaign_timeout(secs(300));
    assert!(soon(fitter).await.unwrap_err().is_timed_out());
    leading.check().unwrap();
    assert_eq!(text(&client).await.as_deref(), Some("a,2,-5"));
}

#[tokio::test(start_paused = true)]
async fn a_foreign_value_that_is_no_vote_is_a_typed_error() {
    let (_etcd, client) = cluster();
    client.set(KEY, "hello").await.unwrap();
    let error = soon(candidate(&client, "a").campaign()).await.unwrap_err();
    assert_eq!((error.kind(), error.vote()), (ErrorKind::MalformedVote, Some(&InvalidVote::Fields(1))));
    assert!(error.to_string().contains(KEY) && !error.to_string().contains("hello"), "{error}");
    assert!(soon(candidate(&client, "a").leader()).await.unwrap_err().is_malformed_vote());

    client.set(KEY, "a,3,42").await.unwrap();
    let error = soon(candidate(&client, "a").vote()).await.unwrap_err();
    assert_eq!(error.vote(), Some(&InvalidVote::State("3".to_owned())));
    assert_eq!(text(&client).await.as_deref(), Some("a,3,42"), "what is somebody else's is left alone");
}

#[tokio::test(start_paused = true)]
async fn a_vote_that_becomes_malformed_ends_a_campaign_that_waits() {
    let (_etcd, client) = cluster();
    let leading = soon(candidate(&client, "a").campaign()).await.unwrap();
    let waiting = tokio::spawn(candidate(&client, "b").campaign());
    sleep(7).await;
    soon(leading.proclaim("what?")).await.unwrap();
    assert!(soon(waiting).await.unwrap().unwrap_err().is_malformed_vote());
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_vote_of_ones_own_name_from_an_earlier_life_is_waited_for() {
    let (_etcd, client) = cluster();
    let old = client.set(KEY, "a,2,42").ttl(secs(5)).await.unwrap();
    let began = Instant::now();
    let leading = soon(candidate(&client, "a").campaign()).await.unwrap();
    assert!(began.elapsed() >= secs(6), "{:?}", began.elapsed());
    assert!(leading.token().index() > old.node.created_index.get());

    let (_etcd, client) = cluster();
    client.set(KEY, "a,1,42").ttl(secs(5)).await.unwrap();
    let began = Instant::now();
    soon(candidate(&client, "a").campaign()).await.unwrap().check().unwrap();
    assert_eq!(began.elapsed(), secs(1), "a tentative one is taken up");
}

#[tokio::test(start_paused = true)]
async fn an_old_program_that_overwrites_the_key_deposes_the_leader() {
    let (_etcd, client) = cluster();
    let two_step = candidate(&client, "a");
    let leading = soon(two_step.campaign()).await.unwrap();
    client.set(KEY, "old,1,42").ttl(secs(5)).await.unwrap();
    assert_eq!(soon(leading.lost()).await, LossReason::Replaced);
    assert!(soon(two_step.campaign()).await.unwrap_err().is_not_stopped());
    drop(leading);
    sleep(1).await;
    assert_eq!(text(&client).await.as_deref(), Some("old,1,42"), "a lost leadership deletes nothing");
    soon(two_step.campaign()).await.unwrap().check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_refused_by_name() {
    let (etcd, client) = cluster();
    let refused = |two_step: TwoStep| async move { soon(two_step.campaign()).await.unwrap_err() };
    let error = refused(candidate(&client, "a,b")).await;
    assert_eq!(
        (error.kind(), error.vote()),
        (ErrorKind::InvalidValue, Some(&InvalidVote::Name("a,b".to_owned())))
    );
    assert!(refused(candidate(&client, "a").ttl(secs(4))).await.is_invalid_ttl());
    let error = refused(candidate(&client, "a").settle(secs(3))).await;
    assert!(error.is_invalid_ttl() && error.to_string().contains("3s"), "{error}");
    assert!(refused(TwoStep::new(&client, "/a/../b", "a")).await.is_invalid_name());
    assert_eq!(etcd.log().count(), 0);
}

/// Drops a campaign after so long; the vote is gone a little later.
async fn dropped_after(etcd: &InProcess, client: &Client, time: Duration) {
    // A ttl that does not do it by itself.
    let campaign = candidate(client, "a").ttl(secs(60)).campaign();
    if let Ok(leading) = timeout(time, campaign).await {
        drop(leading.unwrap());
    }
    etcd.faults().clear();
    sleep(15).await;
    assert_eq!(text(client).await, None, "dropped after {time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_campaign_that_is_dropped_at_any_time_leaves_no_vote() {
    let (etcd, client) = cluster();
    // Each answer takes a while, so that a drop falls before, into and behind each request.
    for millis in (0..2_400).step_by(40) {
        etcd.faults().add(Rule::new(Fault::DelayAnswer(Duration::from_millis(300))).no_watches());
        dropped_after(&etcd, &client, Duration::from_millis(millis)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_whose_answer_is_lost_makes_a_leader_all_the_same() {
    for fault in [Fault::DropAnswer, Fault::ResetAfterHead, Fault::ErrorAfter { cause: "late".to_owned() }] {
        for nth in 1..=2 {
            let (etcd, client) = cluster();
            etcd.faults().add(Rule::new(fault.clone()).method(Method::PUT).nth(nth));
            let leading = soon(candidate(&client, "a").campaign()).await.unwrap();
            assert_eq!(text(&client).await.as_deref(), Some("a,2,42"));
            assert_eq!(leading.token().index(), client.get(KEY).await.unwrap().node.created_index.get());
            sleep(30).await;
            leading.check().unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_candidate_behind_a_long_outage_does_not_lead_by_an_old_confirmation() {
    let (etcd, client) = cluster();
    // The confirmation is applied late, and its answer is lost.
    etcd.faults().add(Rule::new(Fault::DropAnswer).method(Method::PUT).nth(2));
    etcd.faults().add(Rule::new(Fault::Hang).method(Method::GET));
    let campaign = tokio::spawn(candidate(&client, "a").campaign());
    sleep(20).await;
    assert!(!campaign.is_finished());
    etcd.faults().apply(Change::ClearHistory).unwrap();
    etcd.faults().clear();
    let began = Instant::now();
    let leading = soon(campaign).await.unwrap().unwrap();
    leading.check().unwrap();
    assert!(leading.remaining() > Duration::ZERO && began.elapsed() < secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_first_nomination_overwrites_nothing_that_came_meanwhile() {
    let (etcd, client) = cluster();
    // The candidate reads that nobody stands, and hears of it late.
    etcd.faults().add(Rule::new(Fault::DelayAnswer(Duration::from_millis(300))).method(Method::GET).first(1));
    let campaign = tokio::spawn(candidate(&client, "a").campaign());
    tokio::time::sleep(Duration::from_millis(100)).await;
    client.set(KEY, "b,2,1").ttl(secs(5)).await.unwrap();
    sleep(3).await;
    assert_eq!(text(&client).await.as_deref(), Some("b,2,1"));
    soon(campaign).await.unwrap().unwrap().check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_leader_counts_from_the_first_copy_of_its_confirmation() {
    let (etcd, client) = cluster();
    // It lands when nobody waits for it any more; so does each copy that is sent beside it and behind it.
    for nth in 2..=20 {
        let late = Fault::ApplyLater(Duration::from_millis(1_800));
        etcd.faults().add(Rule::new(late).method(Method::PUT).nth(nth));
    }
    let began = Instant::now();
    let leading = soon(candidate(&client, "a").campaign()).await.unwrap();
    assert!(began.elapsed() > Duration::from_millis(2_800), "{:?}", began.elapsed());
    // By 5 s less the margin of 1 s from then.
    assert!(began.elapsed() + leading.remaining() <= secs(5), "{:?}", leading.remaining());
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_of_an_earlier_life_that_lands_while_the_vote_settles_makes_no_leader() {
    let (_etcd, client) = cluster();
    // An earlier life of this candidate was nominated; what it has sent to confirm that is still on its way.
    let old = client.set(KEY, "a,1,42").ttl(secs(60)).await.unwrap().node;
    let began = Instant::now();
    let campaign = tokio::spawn(candidate(&client, "a").ttl(secs(60)).settle(secs(20)).campaign());
    sleep(1).await;
    let late = client.compare_and_swap(KEY, "a,2,42", Compare::index(old.modified_index));
    late.ttl(secs(60)).await.unwrap();
    // Its own confirmation is refused 19 s later. The key ends 61 s from the start: to lead by it for a ttl from the
    // refused one would be to believe beyond that.
    let leading = soon(campaign).await.unwrap().unwrap();
    assert!(began.elapsed() > secs(61), "{:?}", began.elapsed());
    assert!(leading.token().index() > old.created_index.get());
}

#[tokio::test(start_paused = true)]
async fn two_campaigns_of_one_candidate_do_not_both_lead_by_one_vote() {
    let (_etcd, client) = cluster();
    let two_step = candidate(&client, "a");
    let (one, two) = (tokio::spawn(two_step.campaign()), tokio::spawn(two_step.campaign()));
    sleep(30).await;
    assert_eq!(usize::from(one.is_finished()) + usize::from(two.is_finished()), 1);
    // The other gives up, and takes nothing along.
    let (led, other) = if one.is_finished() { (one, two) } else { (two, one) };
    let leading = led.await.unwrap().unwrap();
    other.abort();
    sleep(30).await;
    leading.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cleans_up_behind_a_dropped_campaign_does_not_depose_the_next_one() {
    let (etcd, client) = cluster();
    let two_step = candidate(&client, "a").ttl(secs(60));
    // Deletions are slow: what cleans up compares with an index of before the confirmation, and looks again.
    etcd.faults().add(Rule::new(Fault::Delay(secs(3))).method(Method::DELETE));
    assert!(timeout(Duration::from_millis(500), two_step.campaign()).await.is_err());
    let leading = soon(two_step.campaign()).await.unwrap();
    sleep(30).await;
    leading.check().unwrap();
    assert_eq!(text(&client).await.as_deref(), Some("a,2,42"));
}

#[tokio::test(start_paused = true)]
async fn what_cleans_up_behind_a_lost_confirmation_leaves_that_of_the_next_campaign() {
    let (etcd, client) = cluster();
    let two_step = candidate(&client, "a").ttl(secs(60));
    let slow = || Rule::new(Fault::Delay(secs(3))).method(Method::DELETE);
    etcd.faults().set(slow());
    for nth in 2..=20 {
        etcd.faults().add(Rule::new(Fault::Hang).method(Method::PUT).nth(nth));
    }
    assert!(timeout(Duration::from_millis(1_500), two_step.campaign()).await.is_err());
    etcd.faults().set(slow());
    // It takes up the vote that is there, in the key of the same creation.
    let leading = soon(two_step.campaign()).await.unwrap();
    sleep(30).await;
    leading.check().unwrap();
    assert_eq!(text(&client).await.as_deref(), Some("a,2,42"));
}
