use super::*;

fn rule() -> Ejection {
    Ejection::default()
}

fn fail(health: &Health, rule: &Ejection) -> bool {
    health.failed(Instant::now(), false, rule, &mut Rng::with_seed(7))
}

fn ejected() -> Health {
    let health = Health::default();
    assert!(!fail(&health, &rule()) && !fail(&health, &rule()) && fail(&health, &rule()));
    health
}

/// How long it is out from now, in steps of 1 ms.
async fn time_out(health: &Health) -> Duration {
    let began = Instant::now();
    for _ in 0..60_000 {
        if health.condition() != Condition::Ejected {
            return began.elapsed();
        }
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    panic!("still ejected");
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_eject_and_an_answer_ends_the_row() {
    let health = Health::default();
    assert_eq!(health.condition(), Condition::Serving);
    fail(&health, &rule());
    fail(&health, &rule());
    assert_eq!(health.condition(), Condition::Failing);
    assert!(health.served() && !health.served());
    assert_eq!(health.condition(), Condition::Serving);
    fail(&health, &rule());
    fail(&health, &rule());
    assert_eq!(health.condition(), Condition::Failing);
    assert!(fail(&health, &rule()));
    assert_eq!(health.condition(), Condition::Ejected);
}

#[tokio::test(start_paused = true)]
async fn the_last_one_is_not_ejected() {
    let health = Health::default();
    for _ in 0..9 {
        assert!(!health.failed(Instant::now(), true, &rule(), &mut Rng::with_seed(7)));
    }
    assert_eq!(health.condition(), Condition::Failing);
}

#[tokio::test(start_paused = true)]
async fn the_time_out_doubles_with_each_failed_probe_up_to_the_cap_and_is_jittered() {
    let health = ejected();
    for wanted in [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
        let time = time_out(&health).await.as_secs_f64();
        assert!((wanted / 2.0..=wanted + 0.002).contains(&time), "{time} of {wanted}");
        assert!(health.claim_probe());
        fail(&health, &rule());
    }
    let times: std::collections::HashSet<Duration> =
        (0..9).map(|seed| rule().length(0, &mut Rng::with_seed(seed))).collect();
    assert!(times.len() > 5, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn one_request_is_the_probe() {
    let health = ejected();
    assert!(!health.claim_probe());
    time_out(&health).await;
    assert_eq!(health.condition(), Condition::HalfOpen);
    assert!(health.claim_probe());
    assert!(!health.claim_probe());
    assert_eq!(health.condition(), Condition::Ejected);
    health.served();
    assert_eq!(health.condition(), Condition::Serving);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_lost_is_followed_by_another() {
    let health = ejected();
    time_out(&health).await;
    assert!(health.claim_probe());
    assert!(time_out(&health).await <= Duration::from_secs(1));
    assert!(health.claim_probe());
}

#[tokio::test(start_paused = true)]
async fn what_was_in_flight_before_does_not_prolong_the_time_out() {
    let (health, before) = (ejected(), Instant::now());
    fail(&health, &rule());
    assert!(time_out(&health).await <= Duration::from_secs(1));
    assert!(health.claim_probe());
    health.failed(before, false, &rule(), &mut Rng::with_seed(7));
    assert!(time_out(&health).await <= Duration::from_secs(1), "the probe is still out");
}
