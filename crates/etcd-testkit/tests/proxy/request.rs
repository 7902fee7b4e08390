//! Faults of requests.

use std::time::Duration;

use etcd_testkit::proxy::{Fault, Rule};
use http::{Method, StatusCode};

use crate::{End, body, put, put_unanswered, puts, with_rule};

/// What comes of one write that meets this fault.
async fn meet(fault: Fault) -> (String, End, (usize, usize)) {
    let (etcd, proxy) = with_rule(Rule::new(fault.clone()).method(Method::PUT).key_prefix("/a").nth(1)).await;
    let (answer, end) = match fault {
        Fault::Hang | Fault::HangAnswer => put_unanswered(&proxy).await,
        _ => put(&proxy).await,
    };
    assert_eq!(proxy.log().entries()[0].fault, Some(fault));
    (answer, end, puts(&etcd, &proxy))
}

#[tokio::test]
async fn a_request_that_hangs_is_not_applied() {
    assert_eq!(meet(Fault::Hang).await, (String::new(), End::Open, (0, 0)));
}

#[tokio::test]
async fn an_answer_that_hangs_is_of_an_applied_request() {
    assert_eq!(meet(Fault::HangAnswer).await, (String::new(), End::Open, (1, 1)));
}

#[tokio::test]
async fn a_reset_before_the_head_is_not_applied() {
    assert_eq!(meet(Fault::ResetBeforeHead).await, (String::new(), End::Reset, (0, 0)));
}

#[tokio::test]
async fn a_dropped_request_is_not_applied_and_closes_in_order() {
    assert_eq!(meet(Fault::DropRequest).await, (String::new(), End::Closed, (0, 0)));
}

#[tokio::test]
async fn a_dropped_answer_is_applied_once_and_closes_in_order() {
    assert_eq!(meet(Fault::DropAnswer).await, (String::new(), End::Closed, (1, 1)));
}

#[tokio::test]
async fn a_reset_answer_is_applied_once() {
    assert_eq!(meet(Fault::ResetAnswer).await, (String::new(), End::Reset, (1, 1)));
}

#[tokio::test]
async fn a_reset_after_the_head_lets_the_head_through() {
    let (answer, end, puts) = meet(Fault::ResetAfterHead).await;
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    assert_eq!((end, puts), (End::Reset, (1, 1)));
}

#[tokio::test]
async fn a_cut_body_is_as_long_as_asked_for() {
    let (answer, end, puts) = meet(Fault::CutBody(15)).await;
    assert_eq!(body(&answer), r#"{"action":"set""#);
    assert_eq!((end, puts), (End::Closed, (1, 1)));
    let (answer, end, puts) = meet(Fault::ResetBody(15)).await;
    assert_eq!(body(&answer), r#"{"action":"set""#);
    assert_eq!((end, puts), (End::Reset, (1, 1)));
}

#[tokio::test]
async fn a_body_that_is_not_longer_than_the_cut_is_whole() {
    let (answer, end, _) = meet(Fault::CutBody(100_000)).await;
    assert!(body(&answer).ends_with("}}\n"), "{answer}");
    assert_eq!(end, End::Closed);
}

#[tokio::test]
async fn gateways_answer_before_or_after_the_write() {
    let (answer, _, puts) = meet(Fault::GatewayBefore(StatusCode::BAD_GATEWAY)).await;
    assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
    assert_eq!(puts, (0, 0));
    let (answer, _, puts) = meet(Fault::GatewayAfter(StatusCode::GATEWAY_TIMEOUT)).await;
    assert!(answer.starts_with("HTTP/1.1 504 Gateway Timeout\r\n"), "{answer}");
    assert_eq!(puts, (1, 1));
}

#[tokio::test]
async fn a_page_of_html_is_not_applied() {
    let (answer, _, puts) = meet(Fault::Html(StatusCode::OK)).await;
    assert!(answer.to_lowercase().contains("content-type: text/html\r\n"), "{answer}");
    assert!(body(&answer).starts_with("<html>"));
    assert_eq!(puts, (0, 0));
}

#[tokio::test]
async fn a_redirect_names_its_target_and_is_not_applied() {
    for status in [301, 302, 303, 307, 308].map(|status| StatusCode::from_u16(status).unwrap()) {
        let (answer, _, puts) = meet(Fault::Redirect { status, location: "http://a.test/x".into() }).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
        assert!(answer.to_lowercase().contains("location: http://a.test/x\r\n"), "{answer}");
        assert_eq!(puts, (0, 0));
    }
}

#[tokio::test]
async fn a_swapped_status_and_media_type_leave_the_rest() {
    let (answer, _, puts) = meet(Fault::Status(StatusCode::IM_A_TEAPOT)).await;
    assert!(answer.starts_with("HTTP/1.1 418 "), "{answer}");
    assert!(body(&answer).starts_with(r#"{"action":"set""#));
    assert_eq!(puts, (1, 1));
    let (answer, _, puts) = meet(Fault::ContentType("text/css".into())).await;
    assert!(answer.to_lowercase().contains("content-type: text/css\r\n"), "{answer}");
    assert!(!answer.contains("application/json"));
    assert_eq!(puts, (1, 1));
}

#[tokio::test]
async fn a_flipped_byte_is_one_byte() {
    let (answer, _, _) = meet(Fault::FlipByte(2)).await;
    let body: Vec<char> = body(&answer).chars().collect();
    assert_eq!(body[2], char::REPLACEMENT_CHARACTER);
    assert_eq!(body.iter().filter(|char| **char == char::REPLACEMENT_CHARACTER).count(), 1);
}

#[tokio::test]
async fn delayed_and_dribbled_answers_are_whole() {
    let soon = Duration::from_millis(5);
    for fault in [Fault::Delay(soon), Fault::DelayAnswer(soon), Fault::Dribble { bytes: 20, every: soon }] {
        let (answer, end, puts) = meet(fault).await;
        assert!(body(&answer).ends_with("}}\n"), "{answer}");
        assert_eq!((end, puts), (End::Closed, (1, 1)));
    }
}

#[tokio::test]
async fn only_the_nth_request_meets_the_fault() {
    let (etcd, proxy) = with_rule(Rule::new(Fault::DropAnswer).nth(2)).await;
    let mut answered = Vec::new();
    for _ in 0..3 {
        answered.push(!put(&proxy).await.0.is_empty());
    }
    assert_eq!(answered, [true, false, true]);
    assert_eq!(puts(&etcd, &proxy), (3, 3));
    proxy.faults().add(Rule::new(Fault::Hang));
    proxy.faults().clear();
    assert_eq!(put(&proxy).await.1, End::Closed);
}
