use etcd_proto::Idempotence;
use http::HeaderMap;

use super::*;
use crate::ErrorKind;

fn of(idempotence: Idempotence) -> CallContext {
    CallContext { idempotence, ..CallContext::default() }
}

fn leader(idempotence: Idempotence) -> CallContext {
    CallContext { leader_only: true, ..of(idempotence) }
}

/// What may be repeated after an unknown outcome, and what may not.
fn classes() -> [(CallContext, bool); 5] {
    [
        (of(Idempotence::Read), true),
        (of(Idempotence::Idempotent), true),
        (CallContext { resolved: true, ..of(Idempotence::Guarded) }, true),
        (of(Idempotence::Guarded), false),
        // Nobody can resolve this, whatever is said.
        (CallContext { resolved: true, ..of(Idempotence::Once) }, false),
    ]
}

fn decide(context: &CallContext, end: End<'_>, untried: usize) -> Decision {
    Standard::new().decide(&Ending { context, end, attempts: 1, untried })
}

fn failure(context: &CallContext, kind: ErrorKind, outcome: Outcome, phase: Phase) -> Decision {
    let error = Error::new(kind).of_request(context.idempotence).proves(outcome, phase);
    decide(context, End::Failure { error: &error }, 0)
}

fn answer(context: &CallContext, status: u16, body: &str, untried: usize) -> Decision {
    let status = StatusCode::from_u16(status).unwrap();
    let api = ApiError::from_response(status, &HeaderMap::new(), body.as_bytes());
    let foreign = proof::is_foreign(status, &HeaderMap::new(), body.as_bytes());
    decide(context, End::Answer { status, api: api.as_ref(), foreign }, untried)
}

/// What a class of requests may repeat.
fn again(repeatable: bool) -> Decision {
    if repeatable { Decision::Again } else { Decision::Return }
}

#[test]
fn what_never_left_goes_on_for_every_class() {
    for (context, _) in classes() {
        for kind in [ErrorKind::Connect, ErrorKind::AttemptTimeout] {
            let decision = failure(&context, kind, Outcome::NotApplied, Phase::Connect);
            assert_eq!(decision, Decision::NextEndpoint, "{kind:?}");
        }
    }
}

#[test]
fn what_may_have_arrived_is_repeated_only_where_that_does_no_harm() {
    for (context, repeatable) in classes() {
        for (kind, phase) in [
            (ErrorKind::Connect, Phase::Request),
            (ErrorKind::Interrupted, Phase::Request),
            (ErrorKind::AttemptTimeout, Phase::Request),
            (ErrorKind::AttemptTimeout, Phase::Connect),
            (ErrorKind::BodyInterrupted, Phase::Body),
        ] {
            let decision = failure(&context, kind, Outcome::Unknown, phase);
            assert_eq!(decision, again(repeatable), "{kind:?} of {:?}", context.idempotence);
        }
    }
}

#[test]
fn an_applied_write_is_not_repeated_for_the_sake_of_its_answer_and_a_read_is() {
    for (context, _) in classes() {
        let decision = failure(&context, ErrorKind::BodyInterrupted, Outcome::Applied, Phase::Body);
        assert_eq!(decision, again(context.idempotence.is_read()), "{:?}", context.idempotence);
    }
}

#[test]
fn what_fails_the_same_way_again_is_not_repeated() {
    for kind in [ErrorKind::BodyTooLarge, ErrorKind::InvalidEndpoint, ErrorKind::Layer, ErrorKind::Deadline] {
        let decision = failure(&of(Idempotence::Read), kind, Outcome::Unknown, Phase::Body);
        assert_eq!(decision, Decision::Return, "{kind:?}");
    }
}

#[test]
fn a_member_that_cannot_serve_is_left_by_what_may_be_repeated_in_every_round() {
    for (context, repeatable) in classes() {
        for (status, body) in [
            (500, r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: no leader"}"#),
            (500, r#"{"errorCode":301,"message":"During Leader Election"}"#),
            (503, r#"{"message":"During election"}"#),
            (503, ""),
            (502, "<html>Bad Gateway</html>"),
            (504, ""),
        ] {
            assert_eq!(answer(&context, status, body, 0), again(repeatable), "{status} {body}");
        }
    }
}

#[test]
fn what_may_be_said_for_ever_is_asked_of_every_endpoint_once() {
    for (context, repeatable) in classes() {
        for (status, body) in [
            (500, r#"{"message":"Internal Server Error"}"#),
            (500, ""),
            (501, ""),
            (200, "<html>Welcome</html>"),
            (404, "<html>Not here</html>"),
        ] {
            assert_eq!(answer(&context, status, body, 1), again(repeatable), "{status} {body}");
            assert_eq!(answer(&context, status, body, 0), Decision::Return, "{status} {body}");
        }
    }
}

#[test]
fn every_other_answer_is_for_the_caller() {
    for (context, _) in classes() {
        for (status, body) in [
            (200, r#"{"action":"get"}"#),
            (404, r#"{"errorCode":100,"message":"Key not found","cause":"/a"}"#),
            (404, "404 page not found"),
            (401, r#"{"errorCode":110,"message":"The request requires user authentication"}"#),
            (412, r#"{"errorCode":101,"message":"Compare failed"}"#),
            (307, ""),
            (403, r#"{"message":"not current leader"}"#),
            (429, ""),
            (500, r#"{"errorCode":300,"message":"Raft Internal Error","cause":"nodePath /1 : x"}"#),
        ] {
            assert_eq!(answer(&context, status, body, 2), Decision::Return, "{status} {body}");
        }
    }
}

#[test]
fn a_followers_refusal_leads_on_for_requests_to_the_leader_in_one_round() {
    let body = r#"{"message":"not current leader"}"#;
    for idempotence in [Idempotence::Read, Idempotence::Once] {
        assert_eq!(answer(&leader(idempotence), 403, body, 1), Decision::NextEndpoint);
        assert_eq!(answer(&leader(idempotence), 403, body, 0), Decision::Return);
        assert_eq!(answer(&leader(idempotence), 403, "forbidden", 1), Decision::Return);
    }
    // A redirect proves nothing of a write.
    assert_eq!(answer(&leader(Idempotence::Read), 307, "", 1), Decision::NextEndpoint);
    assert_eq!(answer(&leader(Idempotence::Once), 307, "", 1), Decision::Return);
}
