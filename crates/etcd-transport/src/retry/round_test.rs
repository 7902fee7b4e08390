//! Rounds, pauses and the budget, in virtual time over a whole transport.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etcd_proto::{Idempotence, Outcome};
use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::Attempts;
use crate::cluster_test::{Cluster, Does, of, send};

/// Pauses of full length, no re-issue.
fn config() -> RetryConfig {
    RetryConfig::new().reissue(false).backoff(Backoff::default().jitter(Jitter::new(|| 1.0)))
}

#[tokio::test(start_paused = true)]
async fn the_first_round_has_no_pause_and_later_rounds_double_theirs_up_to_a_second() {
    let cluster = Cluster::new(|number, _| if number < 20 { Does::Refuse } else { Does::Serve });
    send(&cluster.transport("a b", config()), of(Idempotence::Once)).await.unwrap();
    assert_eq!(cluster.hosts().len(), 21);
    let pauses: Vec<u128> = cluster.gaps().into_iter().filter(|gap| *gap > 0).collect();
    for (pause, wanted) in pauses.iter().zip([25, 50, 100, 200, 400, 800, 1000, 1000, 1000, 1000]) {
        assert!((wanted..wanted + 3).contains(pause), "{pauses:?}");
    }
    assert_eq!(pauses.len(), 10);
    // Each round asks everybody.
    assert!(
        cluster.hosts().as_bytes().chunks_exact(2).all(|round| round[0] != round[1]),
        "{}",
        cluster.hosts()
    );
}

#[tokio::test(start_paused = true)]
async fn a_pinned_call_pauses_before_its_first_repetition() {
    let cluster = Cluster::new(|number, _| if number < 2 { Does::Refuse } else { Does::Serve });
    let pinned = Some("b".parse().unwrap());
    send(&cluster.transport("a b", config()), CallContext { pinned, ..CallContext::default() })
        .await
        .unwrap();
    assert_eq!(cluster.hosts(), "bbb");
    assert!(cluster.gaps()[0] >= 25 && cluster.gaps()[1] >= 50);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_its_last_failure_rather_than_in_a_pause_that_is_too_long() {
    let cluster = Cluster::all(Does::Refuse);
    let began = Instant::now();
    let call_timeout = Some(Duration::from_secs(3));
    let context = CallContext { call_timeout, ..CallContext::default() };
    let error = send(&cluster.transport("a b", config()), context).await.unwrap_err();
    assert!(error.is_connect() && !error.is_budget_empty());
    assert_eq!(error.outcome(), Outcome::NotApplied);
    // 25 + 50 + … + 800 + 1000 ms are over; another second is not left.
    assert!((2575..2600).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    assert_eq!((error.attempts().made(), error.attempts().len()), (16, 16));
    assert_eq!(error.to_string(), "cannot connect to http://a:2379, http://b:2379");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_all_the_time_there_is_is_the_last() {
    let cluster = Cluster::all(Does::Hang);
    let limit = Some(Duration::from_secs(3));
    let context = CallContext { call_timeout: limit, attempt_timeout: limit, ..of(Idempotence::Read) };
    let error = send(&cluster.transport("a b", config()), context).await.unwrap_err();
    assert!(error.is_attempt_timeout());
    assert_eq!((cluster.hosts().as_str(), error.attempts().made()), ("a", 1));
}

#[tokio::test(start_paused = true)]
async fn a_read_goes_on_after_whatever_was_no_answer() {
    for does in [Does::Cut, Does::Break, Does::Unserved, Does::Raft, Does::Html, Does::Hang] {
        let cluster = Cluster::new(move |_, host| if host == "a" { does } else { Does::Serve });
        let response = send(&cluster.transport("a b", config()), of(Idempotence::Read)).await.unwrap();
        let attempts = response.extensions().get::<Attempts>().unwrap();
        assert_eq!((response.status().as_u16(), attempts.made()), (200, 2), "{does:?}");
        assert_eq!((cluster.hosts().as_str(), attempts.outcome()), ("ab", Outcome::NotApplied), "{does:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_html_is_asked_for_once_at_each_server() {
    let cluster = Cluster::all(Does::Html);
    let response = send(&cluster.transport("a b", config()), of(Idempotence::Read)).await.unwrap();
    assert_eq!((cluster.hosts().as_str(), response.into_body().into_bytes().unwrap().len()), ("ab", 13));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_an_unknown_attempt_stays_unknown() {
    let cluster = Cluster::new(|number, _| if number == 0 { Does::Cut } else { Does::Reject });
    let response = send(&cluster.transport("a b", config()), of(Idempotence::Idempotent)).await.unwrap();
    assert_eq!(response.status(), 412);
    assert_eq!(response.extensions().get::<Attempts>().unwrap().outcome(), Outcome::Unknown);
}

#[tokio::test(start_paused = true)]
async fn the_number_of_attempts_can_be_limited_for_the_transport_and_for_the_call() {
    let cluster = Cluster::all(Does::Refuse);
    let transport = cluster.transport("a b", config().max_attempts(Some(3)));
    for (max_attempts, made) in [(None, 3), (Some(1), 1), (Some(0), 1), (Some(5), 5)] {
        let context = CallContext { max_attempts, ..CallContext::default() };
        assert_eq!(send(&transport, context).await.unwrap_err().attempts().made(), made);
    }
}

#[tokio::test(start_paused = true)]
async fn without_retry_only_the_first_round_of_connects_is_left() {
    let context = CallContext { retry: false, ..of(Idempotence::Read) };
    for (config, context) in [(config(), context), (RetryConfig::off(), of(Idempotence::Read))] {
        let cluster = Cluster::all(Does::Refuse);
        let transport = cluster.transport("a b c", config.clone());
        assert!(send(&transport, context.clone()).await.unwrap_err().is_connect());
        assert_eq!(cluster.hosts(), "abc");
        let cluster = Cluster::all(Does::Cut);
        let transport = cluster.transport("a b c", config);
        assert!(send(&transport, context).await.unwrap_err().is_interrupted());
        assert_eq!(cluster.hosts(), "a");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_ends_a_call_with_its_last_failure_and_says_so() {
    let cluster = Cluster::all(Does::Cut);
    let transport = cluster.transport("a b c", config().budget(Some(Budget::new(1.0, 0))));
    // Each call pays in one repetition.
    let error = send(&transport, of(Idempotence::Read)).await.unwrap_err();
    assert!(error.is_interrupted() && error.is_budget_empty());
    assert_eq!(cluster.hosts(), "ab");
    assert_eq!(
        error.to_string(),
        "connection to http://b:2379 ended before an answer; the retry budget is empty"
    );
    let cluster = Cluster::all(Does::Unserved);
    let transport = cluster.transport("a b c", config().budget(Some(Budget::new(0.0, 0))));
    let response = send(&transport, of(Idempotence::Read)).await.unwrap();
    assert!(response.extensions().get::<Attempts>().unwrap().is_budget_empty());
    assert_eq!(cluster.hosts(), "a");
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_does_not_keep_a_call_from_servers_that_it_can_reach() {
    let empty = || config().budget(Some(Budget::new(0.0, 0)));
    let cluster = Cluster::new(|_, host| if host == "c" { Does::Serve } else { Does::Refuse });
    send(&cluster.transport("a b c", empty()), of(Idempotence::Once)).await.unwrap();
    assert_eq!(cluster.hosts(), "abc");
    // The second round is a repetition.
    let cluster = Cluster::all(Does::Refuse);
    assert!(
        send(&cluster.transport("a b", empty()), of(Idempotence::Once)).await.unwrap_err().is_budget_empty()
    );
    assert_eq!(cluster.hosts(), "ab");
}

#[tokio::test(start_paused = true)]
async fn an_exempt_call_and_a_transport_without_a_budget_go_on() {
    let script = |number, _: &str| if number < 4 { Does::Unserved } else { Does::Serve };
    let exempt = CallContext { budget_exempt: true, ..of(Idempotence::Read) };
    for (budget, context) in [(Some(Budget::new(0.0, 0)), exempt), (None, of(Idempotence::Read))] {
        let cluster = Cluster::new(script);
        let response = send(&cluster.transport("a b", config().budget(budget)), context).await.unwrap();
        assert_eq!((response.status().as_u16(), cluster.hosts().len()), (200, 5));
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_of_a_call_without_a_limit_stays_bounded() {
    let cluster = Cluster::new(|number, _| match number {
        0 => Does::Cut,
        1..300 => Does::Refuse,
        _ => Does::Reject,
    });
    let context = CallContext { call_timeout: None, ..of(Idempotence::Idempotent) };
    let response = send(&cluster.transport("a b", config().budget(None)), context).await.unwrap();
    let attempts = response.extensions().get::<Attempts>().unwrap();
    assert_eq!((attempts.made(), cluster.hosts().len()), (301, 301));
    assert!(attempts.len() < 80, "{}", attempts.len());
    // The oldest is forgotten; what it leaves open is not.
    assert_eq!(attempts.outcome(), Outcome::Unknown);
}

#[tokio::test(start_paused = true)]
async fn when_all_answer_503_the_load_stays_bounded_and_goodput_is_back_after_two_seconds() {
    let began = Instant::now();
    let cluster = Cluster::new(move |_, _| match began.elapsed().as_secs() {
        10..20 => Does::Unserved,
        _ => Does::Serve,
    });
    let transport = cluster.transport("a b c", RetryConfig::new());
    let good_after = Arc::new(AtomicUsize::new(0));
    let mut calls = Vec::new();
    // 200 calls per second, all in the air at once if they have to.
    for number in 0..200 * 24 {
        tokio::time::sleep_until(began + Duration::from_millis(5 * number)).await;
        let (transport, good_after) = (transport.clone(), Arc::clone(&good_after));
        calls.push(tokio::spawn(async move {
            let late = number >= 200 * 22;
            let response = send(&transport, of(Idempotence::Read)).await.unwrap();
            good_after.fetch_add(usize::from(late && response.status() == 200), Ordering::SeqCst);
        }));
    }
    for call in calls {
        call.await.unwrap();
    }
    let sent = cluster
        .asked
        .lock()
        .unwrap()
        .iter()
        .filter(|(_, at)| (10..20).contains(&(*at - began).as_secs()))
        .count();
    assert!(sent <= 3000, "{sent} requests for 2000 calls");
    assert!(sent > 2000, "some are repeated: {sent}");
    assert!(good_after.load(Ordering::SeqCst) >= 380, "{good_after:?} of 400");
}

fn does() -> impl Strategy<Value = Does> {
    prop::sample::select(vec![
        Does::Serve,
        Does::Refuse,
        Does::Refuse,
        Does::Cut,
        Does::Hang,
        Does::Break,
        Does::Unserved,
        Does::Raft,
        Does::Reject,
        Does::Html,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_may_not_be_repeated_is_never_sent_again_once_it_may_have_left(
        script in prop::collection::vec(does(), 1..12),
        resolved in any::<bool>(),
        guarded in any::<bool>(),
        leader_only in any::<bool>(),
        pinned in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let last = script.clone();
            let cluster = Cluster::new(move |number, _| *last.get(number).unwrap_or(&Does::Refuse));
            let idempotence = if guarded && !resolved { Idempotence::Guarded } else { Idempotence::Once };
            let pinned = pinned.then(|| "b".parse().unwrap());
            let context = CallContext { resolved, leader_only, pinned, reissue: true, ..of(idempotence) };
            let transport = cluster.transport("a b c", RetryConfig::new());
            let answer = send(&transport, context).await;
            // Everything before the last was refused a connection.
            let asked = cluster.hosts().len();
            let sent = (0..asked).filter(|number| *script.get(*number).unwrap_or(&Does::Refuse) != Does::Refuse);
            prop_assert!(sent.count() <= 1, "{asked} requests of {script:?}");
            let first = script.iter().find(|does| **does != Does::Refuse);
            if let (Err(error), Some(Does::Cut | Does::Hang | Does::Break)) = (&answer, first) {
                prop_assert!(!error.outcome().is_not_applied() || error.is_connect(), "{error:?}");
            }
            Ok(())
        })?;
    }

    #[test]
    fn an_outcome_is_the_worst_of_all_that_were_sent(script in prop::collection::vec(does(), 1..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let last = script.clone();
            let cluster = Cluster::new(move |number, _| *last.get(number).unwrap_or(&Does::Refuse));
            let transport = cluster.transport("a b c", RetryConfig::new());
            let answer = send(&transport, of(Idempotence::Idempotent)).await;
            let asked = cluster.hosts().len();
            let unknown = (0..asked).map(|number| *script.get(number).unwrap_or(&Does::Refuse));
            let unknown: Vec<Does> = unknown.filter(|does| !matches!(does, Does::Refuse | Does::Reject)).collect();
            match answer {
                // What was answered last may itself be one of them.
                Ok(response) if response.status() == 412 => {
                    let outcome = response.extensions().get::<Attempts>().unwrap().outcome();
                    prop_assert_eq!(outcome.is_not_applied(), unknown.is_empty());
                }
                Ok(_) => {}
                Err(error) => prop_assert_eq!(error.outcome().is_not_applied(), unknown.is_empty()),
            }
            Ok(())
        })?;
    }
}
