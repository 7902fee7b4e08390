use super::*;
use crate::strays::Strays;

fn begun() -> AttemptState {
    let attempt = AttemptState::new(1);
    attempt.begin(Leave::for_tests("http://a:1"), 3);
    attempt
}

fn timeout() -> Error {
    Error::new(ErrorKind::AttemptTimeout)
}

#[test]
fn an_attempt_that_is_begun_may_have_been_sent() {
    let attempt = AttemptState::new(1);
    assert_eq!((attempt.outcome(), attempt.endpoint(), attempt.untried()), (Outcome::NotApplied, None, None));
    attempt.begin(Leave::for_tests("http://a:1"), 3);
    assert_eq!((attempt.outcome(), attempt.untried()), (Outcome::Unknown, Some(3)));
    assert_eq!(attempt.endpoint().unwrap().port(), 1);
}

#[test]
fn giving_up_keeps_what_was_seen_until_then() {
    let attempt = begun();
    assert_eq!(attempt.give_up(timeout()).proved(), Outcome::Unknown);
    let attempt = begun();
    attempt.head(Outcome::Applied);
    let error = attempt.give_up(timeout());
    assert_eq!((error.proved(), error.phase()), (Outcome::Applied, Phase::Body));
    assert_eq!(attempt.failure().unwrap().phase(), Phase::Body);
}

#[test]
fn giving_up_what_no_router_has_seen_proves_nothing() {
    let error = AttemptState::new(1).give_up(timeout());
    assert_eq!((error.proved(), error.phase()), (Outcome::Unknown, Phase::Request));
}

#[test]
fn a_refused_connection_takes_back_that_something_may_have_been_sent() {
    let attempt = begun();
    attempt.fail(&Error::new(ErrorKind::Connect));
    assert_eq!(attempt.outcome(), Outcome::NotApplied);
    assert_eq!(attempt.failure().unwrap().kind(), ErrorKind::Connect);
}

#[test]
fn the_end_of_the_call_fails_an_open_attempt_once() {
    let attempt = begun();
    attempt.fail(&Error::new(ErrorKind::Interrupted));
    attempt.expire(Idempotence::Once);
    assert_eq!(attempt.failure().unwrap().kind(), ErrorKind::Interrupted);
    let untouched = AttemptState::new(1);
    untouched.expire(Idempotence::Once);
    assert!(untouched.failure().is_none());
}

#[test]
fn only_what_may_have_arrived_counts_as_sent() {
    let attempt = begun();
    attempt.copy_goes_out();
    attempt.copy_comes_back();
    assert!(!attempt.has_sent());
    attempt.copy_goes_out();
    attempt.copy_goes_out();
    attempt.copy_comes_back();
    assert!(attempt.has_sent());
}

#[test]
fn an_answer_to_one_copy_tells_nothing_of_another() {
    let attempt = begun();
    attempt.copy_goes_out();
    attempt.copy_goes_out();
    attempt.head(Outcome::NotApplied);
    assert_eq!(attempt.outcome(), Outcome::Unknown);
    attempt.answer(Outcome::NotApplied);
    assert_eq!((attempt.outcome(), attempt.beside_answer()), (Outcome::Unknown, Outcome::Unknown));
    attempt.answer(Outcome::Applied);
    assert_eq!(attempt.outcome(), Outcome::Applied);
}

#[test]
fn what_is_held_at_the_bottom_was_not_sent_when_it_is_given_up() {
    let attempt = begun();
    attempt.copy_goes_out();
    attempt.hold_copy();
    assert_eq!(attempt.outcome(), Outcome::Unknown, "as long as it may go on");
    let error = attempt.give_up_unsent(timeout()).unwrap();
    assert_eq!((error.proved(), error.phase()), (Outcome::NotApplied, Phase::Connect));
    assert_eq!(attempt.outcome(), Outcome::NotApplied);
    assert_eq!(attempt.let_copy_go(), Turn::Never);
}

#[test]
fn what_was_sent_is_not_given_up_as_unsent() {
    let attempt = begun();
    attempt.copy_goes_out();
    attempt.hold_copy();
    assert_eq!(attempt.let_copy_go(), Turn::Go);
    assert!(attempt.give_up_unsent(timeout()).is_none());
    assert!(attempt.failure().is_none());
}

#[test]
fn the_first_failure_stays() {
    let attempt = begun();
    attempt.give_up(timeout());
    attempt.fail(&Error::new(ErrorKind::Connect));
    assert_eq!(attempt.failure().unwrap().kind(), ErrorKind::AttemptTimeout);
    assert_eq!(attempt.outcome(), Outcome::Unknown);
}

#[test]
fn what_was_begun_before_under_the_same_state_is_not_forgotten() {
    let attempt = begun();
    attempt.fail(&Error::new(ErrorKind::Interrupted).proves(Outcome::Unknown, Phase::Request));
    attempt.begin(Leave::for_tests("http://b:2"), 0);
    attempt.fail(&Error::new(ErrorKind::Connect));
    assert_eq!((attempt.outcome(), attempt.beside_answer()), (Outcome::Unknown, Outcome::Unknown));
}

#[test]
fn a_copy_that_some_layer_has_kept_is_not_sent_in_place_of_what_follows_a_redirect() {
    let attempt = begun();
    let mut extensions = Extensions::new();
    extensions.insert(attempt.clone());
    attempt.bind(&mut extensions);
    let kept = AttemptState::of(&mut extensions);
    kept.copy_goes_out();
    kept.hold_copy();
    attempt.turned_away(Some(1));
    attempt.begin(Leave::for_tests("http://b:2"), 0);
    attempt.copy_goes_out();
    attempt.hold_copy();
    assert_eq!((kept.let_copy_go(), attempt.let_copy_go()), (Turn::Never, Turn::Go));
    assert_eq!(attempt.untried(), Some(1), "as the redirect says, not the router");
}

#[test]
fn what_the_layers_above_say_to_the_first_of_a_race_holds_for_its_rivals() {
    let [first, rival] = race(&[Leave::for_tests("a x"), Leave::for_tests("b x")]);
    assert!(!rival.is_judged());
    first.will_be_judged();
    assert!(rival.is_judged());
}

#[test]
fn an_attempt_is_entered_into_the_log_of_its_call() {
    let mut extensions = Extensions::new();
    let call = CallState::proving(&Strays::default());
    extensions.insert(call.clone());
    let attempt = AttemptState::of(&mut extensions);
    attempt.begin(Leave::for_tests("http://a:1"), 0);
    assert_eq!(call.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_was_cut_short_by_a_caller_in_a_hurry_does_not_speak_against_the_endpoint() {
    for (millis, wanted) in [(5, false), (249, false), (250, true)] {
        let leave = Leave::for_tests("a b");
        let attempt = AttemptState::new(1);
        attempt.begin(leave.clone(), 1);
        attempt.copy_goes_out();
        attempt.hold_copy();
        tokio::time::advance(Duration::from_millis(millis)).await;
        assert!(attempt.give_up_unsent(timeout()).is_some());
        assert_eq!(leave.is_left(), wanted, "{millis}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_of_a_second_speaks_against_the_endpoint_whoever_ended_it() {
    for (millis, wanted) in [(999, false), (1000, true)] {
        let ends: [fn(&AttemptState); 2] =
            [|attempt| attempt.expire(Idempotence::Once), AttemptState::abandon];
        for end in ends {
            let leave = Leave::for_tests("a b");
            let attempt = AttemptState::new(1);
            attempt.begin(leave.clone(), 1);
            attempt.copy_goes_out();
            tokio::time::advance(Duration::from_millis(millis)).await;
            end(&attempt);
            assert_eq!(leave.is_left(), wanted, "{millis}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_long_to_read_does_not_speak_against_the_endpoint_when_it_is_dropped() {
    let leave = Leave::for_tests("a b");
    let attempt = AttemptState::new(1);
    attempt.begin(leave.clone(), 1);
    attempt.head(Outcome::Applied);
    tokio::time::advance(Duration::from_secs(9)).await;
    attempt.abandon();
    assert!(!leave.is_left());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_nobody_answers_does_not_speak_against_its_endpoint_and_one_without_connection_does() {
    let ends: [fn(&AttemptState); 2] = [|attempt| attempt.expire(Idempotence::Read), AttemptState::abandon];
    for end in ends {
        for held in [false, true] {
            let leave = Leave::for_tests("a b");
            let attempt = AttemptState::new(1);
            attempt.may_be_silent();
            attempt.begin(leave.clone(), 1);
            attempt.copy_goes_out();
            if held {
                attempt.hold_copy();
            }
            tokio::time::advance(Duration::from_secs(30)).await;
            end(&attempt);
            assert_eq!(leave.is_left(), held);
        }
    }
}

#[test]
fn an_attempt_counts_once_against_its_endpoint() {
    let leave = Leave::for_tests("a b");
    let attempt = AttemptState::new(1);
    attempt.begin(leave.clone(), 1);
    (0..9).for_each(|_| attempt.blame());
    attempt.fail(&Error::new(ErrorKind::Interrupted));
    assert!(leave.is_left() && !leave.is_ejected());
}

#[test]
fn the_limit_of_a_call_does_not_speak_against_the_endpoint_and_other_failures_do() {
    for (kind, wanted) in [
        (ErrorKind::Deadline, false),
        (ErrorKind::Layer, false),
        (ErrorKind::BodyTooLarge, false),
        (ErrorKind::Connect, true),
        (ErrorKind::Interrupted, true),
        (ErrorKind::BodyInterrupted, true),
    ] {
        let leave = Leave::for_tests("a b");
        let attempt = AttemptState::new(1);
        attempt.begin(leave.clone(), 1);
        attempt.fail(&Error::new(kind));
        assert_eq!(leave.is_left(), wanted, "{kind:?}");
    }
}

/// An attempt and one that races with it, both held.
fn race(leaves: &[Leave; 2]) -> [AttemptState; 2] {
    let first = AttemptState::new(1);
    first.begin(leaves[0].clone(), 1);
    let rival = first.rival(2);
    rival.begin(leaves[1].clone(), 0);
    for attempt in [&first, &rival] {
        attempt.copy_goes_out();
        attempt.hold_copy();
    }
    [first, rival]
}

#[tokio::test(start_paused = true)]
async fn a_loser_speaks_against_its_endpoint_only_if_it_had_its_time() {
    for (millis, patience, wanted) in [(249, 50, false), (250, 50, true), (399, 400, false), (400, 400, true)]
    {
        let leaves = [Leave::for_tests("a x"), Leave::for_tests("b x")];
        let [first, rival] = race(&leaves);
        tokio::time::advance(Duration::from_millis(millis)).await;
        first.outlives_rivals();
        rival.lose(Duration::from_millis(patience), Idempotence::Once);
        assert_eq!((leaves[0].is_left(), leaves[1].is_left()), (false, wanted), "{millis}");
        let failure = rival.failure().unwrap();
        assert_eq!((failure.phase(), failure.outcome()), (Phase::Connect, Outcome::NotApplied));
        assert_eq!(rival.let_copy_go(), Turn::Never);
    }
}

#[tokio::test(start_paused = true)]
async fn a_loser_that_did_not_come_as_far_as_to_connect_does_not_speak_against_its_endpoint() {
    let leave = Leave::for_tests("b x");
    let rival = begun().rival(2);
    rival.begin(leave.clone(), 0);
    tokio::time::advance(Duration::from_secs(1)).await;
    rival.lose(Duration::from_millis(250), Idempotence::Once);
    assert!(!leave.is_left());
    assert_eq!(rival.failure().unwrap().outcome(), Outcome::NotApplied);
}

#[test]
fn what_is_done_to_the_first_of_a_race_is_done_to_the_rival_that_has_won() {
    let leaves = [Leave::for_tests("a x"), Leave::for_tests("b x")];
    let [first, rival] = race(&leaves);
    assert_eq!(rival.let_copy_go(), Turn::Go);
    rival.copy_was_polled(false);
    first.lose(Duration::from_secs(1), Idempotence::Once);
    rival.inherit();
    assert_eq!(first.live().endpoint().unwrap().host(), "b");
    first.blame();
    assert_eq!((leaves[0].is_left(), leaves[1].is_left()), (false, true));
    let error = first.give_up(timeout());
    assert_eq!((error.proved(), error.endpoint().unwrap().host()), (Outcome::Unknown, "b"));
    assert_eq!((first.outcome(), rival.outcome()), (Outcome::NotApplied, Outcome::Unknown));
}

#[test]
fn to_give_up_the_first_of_a_race_counts_in_a_rival_that_may_be_on_its_way() {
    let leaves = [Leave::for_tests("a x"), Leave::for_tests("b x")];
    let [first, rival] = race(&leaves);
    assert_eq!(rival.let_copy_go(), Turn::Go);
    assert!(first.give_up_unsent(timeout()).is_none());
    let error = first.give_up(timeout());
    assert_eq!((error.proved(), error.phase()), (Outcome::Unknown, Phase::Request));
    rival.copy_was_polled(true);
    assert_eq!(first.let_copy_go(), Turn::Never);
}

#[tokio::test(start_paused = true)]
async fn all_that_race_in_vain_for_a_second_speak_against_their_endpoints() {
    let leaves = [Leave::for_tests("a x"), Leave::for_tests("b x")];
    let [first, _rival] = race(&leaves);
    tokio::time::advance(Duration::from_secs(1)).await;
    first.abandon();
    assert!(leaves.iter().all(Leave::is_left));
}
