use super::*;
use crate::route::Leave;

impl CallState {
    /// Plays a race on the attempt of this request: begun at the first endpoint, lost to one at the second,
    /// which is on its way.
    pub(crate) fn race_for_tests(extensions: &mut Extensions, loser: &str, winner: &str) -> AttemptState {
        let (state, host) = (Self::of(extensions), AttemptState::of(extensions));
        host.begin(Leave::for_tests(loser), 1);
        let begin = |rival: &AttemptState| rival.begin(Leave::for_tests(winner), 0);
        let rival = state.begin_rival(&host, begin).expect("the call is not over");
        host.lose(Duration::from_millis(250), Idempotence::Once);
        rival.inherit();
        rival
    }
}

fn begun(state: &CallState, endpoint: &str) -> AttemptState {
    let attempt = state.enter();
    assert!(state.begin(|| attempt.begin(Leave::for_tests(endpoint), 0)));
    attempt
}

fn refused(attempt: &AttemptState) {
    attempt.fail(&Error::new(ErrorKind::Connect).at(attempt.endpoint()));
}

#[test]
fn an_empty_log_proves_that_nothing_was_sent_only_as_long_as_no_request_is_astray() {
    let strays = Strays::default();
    let state = CallState::proving(&strays);
    assert_eq!(state.settle("rejected".into(), Idempotence::Once).outcome(), Outcome::NotApplied);

    CallState::arrived(&mut Extensions::new(), &strays);
    assert_eq!(state.settle("rejected".into(), Idempotence::Once).outcome(), Outcome::Unknown);
    // A call that begins later has nothing to do with it.
    let later = CallState::proving(&strays);
    assert_eq!(later.settle("rejected".into(), Idempotence::Once).outcome(), Outcome::NotApplied);
}

#[test]
fn a_log_that_no_router_vouches_for_proves_nothing() {
    let state = CallState::of(&mut Extensions::new());
    assert_eq!(state.settle("rejected".into(), Idempotence::Once).outcome(), Outcome::Unknown);
}

#[test]
fn one_stray_is_the_attempt_that_an_error_tells_of_and_two_are_not() {
    let strays = Strays::default();
    let state = CallState::proving(&strays);
    let connect = || Box::new(Error::new(ErrorKind::Connect));
    CallState::arrived(&mut Extensions::new(), &strays);
    assert_eq!(state.settle(connect(), Idempotence::Once).outcome(), Outcome::NotApplied);
    CallState::arrived(&mut Extensions::new(), &strays);
    assert_eq!(state.settle(connect(), Idempotence::Once).outcome(), Outcome::Unknown);
}

#[test]
fn the_worst_of_all_attempts_counts() {
    let state = CallState::proving(&Strays::default());
    refused(&begun(&state, "http://a:1"));
    assert_eq!(state.settle("rejected".into(), Idempotence::Once).outcome(), Outcome::NotApplied);
    let second = begun(&state, "http://b:2");
    assert_eq!(state.settle("rejected".into(), Idempotence::Once).outcome(), Outcome::Unknown);
    refused(&second);
    let third = begun(&state, "http://c:3");
    third.head(Outcome::Applied);
    let error = state.settle("unreadable".into(), Idempotence::Once);
    assert_eq!(error.outcome(), Outcome::Applied);
    assert_eq!((error.attempts().made(), error.attempts().len()), (3, 2));
}

#[test]
fn a_call_that_is_over_begins_nothing_until_it_is_opened_again() {
    let state = CallState::proving(&Strays::default());
    let error = state.expire(Duration::from_secs(1), Idempotence::Once);
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(!state.begin(|| unreachable!()));
    assert!(state.begin_rival(&AttemptState::new(1), |_| unreachable!()).is_none());
    assert!(state.tried().is_empty() && state.made() == 0);
    state.open(None);
    assert!(state.begin(|| ()));
}

#[test]
fn a_call_that_has_ended_begins_nothing_though_it_is_opened_again() {
    let state = CallState::proving(&Strays::default());
    state.end();
    state.open(None);
    assert!(!state.begin(|| unreachable!()));
}

#[test]
fn what_is_open_at_the_limit_fails_with_the_call_and_what_was_answered_does_not() {
    let state = CallState::proving(&Strays::default());
    let answered = begun(&state, "http://a:1");
    answered.head(Outcome::NotApplied);
    answered.answer(Outcome::NotApplied);
    begun(&state, "http://b:2");
    let error = state.expire(Duration::from_secs(1), Idempotence::Once);
    assert_eq!(error.outcome(), Outcome::Unknown);
    let failed: Vec<String> = error.attempts().iter().map(|attempt| attempt.endpoint().to_string()).collect();
    assert_eq!(failed, ["http://b:2"]);
    assert_eq!(error.attempts().as_slice()[0].kind(), ErrorKind::Deadline);
}

#[test]
fn copies_of_a_request_share_the_log_but_not_the_attempt() {
    let mut first = Extensions::new();
    let state = CallState::of(&mut first);
    let mut second = first.clone();
    assert_eq!(AttemptState::of(&mut first).number(), 1);
    assert_eq!(AttemptState::of(&mut second).number(), 2);
    assert_eq!(AttemptState::of(&mut second).number(), 2);
    assert_eq!(state.begun(), 0);
}

#[test]
fn a_tried_endpoint_is_known() {
    let state = CallState::proving(&Strays::default());
    begun(&state, "http://a:1");
    assert_eq!(state.tried(), ["http://a:1".parse().unwrap()]);
    assert_eq!(state.last_endpoint().unwrap().to_string(), "http://a:1");
}

#[test]
fn what_is_under_way_in_the_other_lane_is_tried_until_it_is_dropped() {
    let first = CallState::proving(&Strays::default());
    let second = first.in_lane(Lane::Second);
    begun(&second, "http://b:2");
    let endpoint = "http://b:2".parse().unwrap();
    assert!(first.has_tried(&endpoint) && second.has_tried(&endpoint));
    second.abandon();
    assert!(!first.has_tried(&endpoint) && second.has_tried(&endpoint));
    assert_eq!((first.begun(), second.begun(), first.made()), (0, 1, 1));
    // What it leaves open stays so, and it is listed when the call ends.
    let error = first.expire(Duration::from_secs(1), Idempotence::Once);
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::Unknown, 1));
}

#[test]
fn each_lane_has_rounds_of_its_own() {
    let first = CallState::proving(&Strays::default());
    let second = first.in_lane(Lane::Second);
    let endpoint = "http://a:1".parse().unwrap();
    refused(&begun(&first, "http://a:1"));
    assert!(first.has_tried(&endpoint) && !second.has_tried(&endpoint));
    second.next_round();
    assert!(first.has_tried(&endpoint));
    first.next_round();
    assert!(!first.has_tried(&endpoint));
}

#[test]
fn a_long_log_forgets_old_rounds_and_keeps_the_one_that_is_on_in_either_lane() {
    let first = CallState::proving(&Strays::default());
    let second = first.in_lane(Lane::Second);
    refused(&begun(&second, "http://b:2"));
    for _ in 0..2 * LISTED {
        refused(&begun(&first, "http://a:1"));
        first.next_round();
    }
    assert!(second.has_tried(&"http://b:2".parse().unwrap()));
    let attempts = first.attempts();
    assert_eq!((attempts.made(), attempts.len()), (2 * LISTED + 1, LISTED));
    second.next_round();
    refused(&begun(&first, "http://a:1"));
    first.next_round();
    let listed = first.attempts();
    assert!(listed.iter().all(|attempt| attempt.endpoint().host() == "a"), "{listed:?}");
}

#[test]
fn a_call_that_is_opened_again_has_not_met_an_empty_budget() {
    let state = CallState::proving(&Strays::default());
    state.budget_is_empty();
    assert!(state.attempts().is_budget_empty());
    state.open(None);
    assert!(!state.attempts().is_budget_empty());
}
