use std::time::Duration;

use super::*;

fn endpoint() -> Option<Endpoint> {
    Some("http://a:1".parse().unwrap())
}

/// Each line of a chain, as reporters print it.
fn chain(error: &dyn StdError) -> Vec<String> {
    std::iter::successors(Some(error), |error| (**error).source()).map(ToString::to_string).collect()
}

#[derive(Debug)]
struct Wrapper(Error);

impl fmt::Display for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the user's layer failed")
    }
}

impl StdError for Wrapper {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_is_one_pointer_wide() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
}

#[test]
fn every_kind_says_one_line_of_its_own_and_names_the_endpoint() {
    for (kind, detail, wanted) in [
        (ErrorKind::Connect, "", "cannot connect to http://a:1"),
        (ErrorKind::Interrupted, "", "connection to http://a:1 ended before an answer"),
        (ErrorKind::AttemptTimeout, "8s", "no connection to http://a:1 within 8s"),
        (ErrorKind::Deadline, "15s", "call not finished within 15s, last at http://a:1"),
        (ErrorKind::BodyTooLarge, "9", "answer of http://a:1 is larger than 9 bytes"),
        (ErrorKind::BodyInterrupted, "", "answer of http://a:1 is cut or damaged behind its head"),
        (ErrorKind::Redirect, "redirects to x", "http://a:1 redirects to x"),
        (ErrorKind::Moved, "301", "http://a:1 does not serve the path as it is written (status 301)"),
        (ErrorKind::ClusterChanged, "belongs to x", "http://a:1 belongs to x"),
        (ErrorKind::IndexWentBack, "index 1 after 2", "http://a:1 answered from the past: index 1 after 2"),
        (ErrorKind::InvalidHead, "", "head of the answer of http://a:1 is no HTTP, or too large"),
        (ErrorKind::RequestTooLong, "too long", "too long"),
        (ErrorKind::InvalidEndpoint, "bad", "bad"),
        (ErrorKind::NoEndpoints, "", "no servers"),
        (ErrorKind::Tls, "it has expired", "no TLS with http://a:1: it has expired"),
        (ErrorKind::InvalidTls, "bad", "bad"),
        (ErrorKind::TlsUnavailable, "b", "cannot use server `b`: this build has no TLS (feature `tls`)"),
        (ErrorKind::InvalidCredentials, "bad", "bad"),
        (
            ErrorKind::InsecureAuth,
            "",
            "will not send a password unencrypted to http://a:1 unless that is allowed",
        ),
        (
            ErrorKind::InsecureEndpoint,
            "",
            "will not use http://a:1 without TLS beside servers that all have it",
        ),
        (ErrorKind::InvalidUserAgent, "bad", "bad"),
        (ErrorKind::NoRuntime, "", "calls need a tokio runtime, and this one was made outside of any"),
        (ErrorKind::Layer, "", "a layer or service below the client failed"),
    ] {
        let error = Error::new(kind).detail(detail).at(endpoint()).caused_by("the cause");
        assert_eq!(error.to_string(), wanted, "{kind:?}");
        assert_eq!(chain(&error), [wanted, "the cause"], "{kind:?}");
    }
}

#[test]
fn a_failure_to_connect_anywhere_lists_all_endpoints() {
    let attempts = ["http://a:1", "http://b:2"].map(|endpoint| {
        let endpoint: Endpoint = endpoint.parse().unwrap();
        let error = Error::new(ErrorKind::Connect).at(Some(endpoint.clone()));
        crate::Attempt::new(endpoint, Duration::ZERO, &error)
    });
    let error = Error::new(ErrorKind::Connect)
        .at(endpoint())
        .settle(Outcome::NotApplied, Attempts::new(attempts.into(), 2));
    assert_eq!(error.to_string(), "cannot connect to http://a:1, http://b:2");
}

#[test]
fn an_error_inside_a_foreign_one_is_found_and_nothing_is_printed_twice() {
    let own = Error::new(ErrorKind::Interrupted)
        .at(endpoint())
        .proves(Outcome::Unknown, Phase::Request)
        .caused_by("reset");
    let adopted = Error::adopt(Box::new(Wrapper(own))).unwrap();
    assert!(adopted.is_interrupted());
    assert_eq!(adopted.outcome(), Outcome::Unknown);
    assert_eq!(adopted.endpoint(), endpoint().as_ref());
    assert_eq!(
        chain(&adopted),
        ["the user's layer failed", "connection to http://a:1 ended before an answer", "reset"]
    );
}

#[test]
fn a_foreign_error_without_ours_is_given_back() {
    assert_eq!(Error::adopt("boom".into()).unwrap_err().to_string(), "boom");
    assert!(Error::find(&std::io::Error::other("boom")).is_none());
}

#[test]
fn settling_takes_the_worst_and_never_loses_a_fuller_log() {
    let error = Error::new(ErrorKind::Connect).settle(Outcome::Unknown, Attempts::new(Vec::new(), 3));
    assert_eq!(error.outcome(), Outcome::Unknown);
    let error = error.settle(Outcome::NotApplied, Attempts::default());
    assert_eq!((error.outcome(), error.attempts().made()), (Outcome::Unknown, 3));
}

#[test]
fn a_request_is_retryable_by_what_it_says_of_itself() {
    for (idempotence, outcome, wanted) in [
        (Idempotence::Read, Outcome::Unknown, true),
        (Idempotence::Read, Outcome::Applied, true),
        (Idempotence::Idempotent, Outcome::Unknown, true),
        (Idempotence::Idempotent, Outcome::Applied, false),
        (Idempotence::Guarded, Outcome::Unknown, false),
        (Idempotence::Once, Outcome::Unknown, false),
        (Idempotence::Once, Outcome::NotApplied, true),
    ] {
        let error =
            Error::new(ErrorKind::Interrupted).of_request(idempotence).proves(outcome, Phase::Request);
        assert_eq!(error.is_retryable(), wanted, "{idempotence:?} {outcome:?}");
    }
    assert!(!Error::new(ErrorKind::NoEndpoints).is_retryable());
}
