use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use etcd_proto::{Idempotence, Outcome};
use tower::{ServiceBuilder, ServiceExt};
use tower_layer::Layer;

use super::*;
use crate::{Attempts, CollectLayer, ConnectError, RespBody, RouteLayer};

/// What a server does with a request, by the first letters of its host.
fn serve(request: &Request<ReqBody>) -> Result<Response<RespBody>, BoxError> {
    let answer = |status: u16, body: &'static str| {
        Ok(Response::builder().status(status).body(RespBody::from(body)).unwrap())
    };
    match request.uri().host().unwrap() {
        host if host.starts_with("dead") => Err(ConnectError::new("refused").into()),
        host if host.starts_with("cut") => Err(crate::Error::new(crate::ErrorKind::Interrupted)
            .proves(Outcome::Unknown, crate::Phase::Request)
            .into()),
        host if host.starts_with("follower") => answer(403, r#"{"message":"not current leader"}"#),
        host if host.starts_with("redirect") => answer(307, ""),
        _ => answer(200, "{}"),
    }
}

/// Servers that keep count of who was asked.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    fn hosts(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// The stack under test over these servers, with what a user's attempt layer does to each request.
async fn call(
    servers: &str,
    request: Request<ReqBody>,
    user: fn(Request<ReqBody>) -> Request<ReqBody>,
) -> (Result<Response<RespBody>, Error>, Asked) {
    let asked = Asked::default();
    let log = asked.clone();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .map_request(user)
        .layer(CollectLayer::new())
        .layer(RouteLayer::new(servers.parse().unwrap()))
        .service(tower::service_fn(move |request: Request<ReqBody>| {
            log.0.lock().unwrap().push(request.uri().host().unwrap().to_owned());
            std::future::ready(serve(&request))
        }));
    (service.oneshot(request).await, asked)
}

fn request(context: CallContext) -> Request<ReqBody> {
    let mut request = Request::builder().method("PUT").uri("/a").header("h", "1").body("b".into()).unwrap();
    request.extensions_mut().insert(context);
    request
}

/// A context with which every endpoint is asked at most once.
fn one_round() -> CallContext {
    CallContext { retry: false, ..CallContext::default() }
}

fn unchanged(request: Request<ReqBody>) -> Request<ReqBody> {
    assert_eq!((request.method().as_str(), request.uri().path()), ("PUT", "/a"));
    assert_eq!(request.headers()["h"], "1");
    request
}

#[tokio::test]
async fn the_next_endpoint_is_asked_until_one_can_be_reached() {
    let (answer, asked) = call("dead1 dead2 good", request(CallContext::default()), unchanged).await;
    let response = answer.unwrap();
    assert_eq!(asked.hosts(), ["dead1", "dead2", "good"]);
    let attempts = response.extensions().get::<Attempts>().unwrap();
    assert_eq!((attempts.made(), attempts.len()), (3, 2));
    assert_eq!(attempts.as_slice()[1].endpoint().host(), "dead2");
}

#[tokio::test]
async fn each_endpoint_is_asked_once_and_all_are_listed() {
    let (answer, asked) = call("dead1 dead2 dead3", request(one_round()), unchanged).await;
    let error = answer.unwrap_err();
    assert_eq!(asked.hosts(), ["dead1", "dead2", "dead3"]);
    assert!(error.is_connect() && error.is_retryable());
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(error.attempts().len(), 3);
    assert_eq!(
        error.to_string(),
        "cannot connect to http://dead1:2379, http://dead2:2379, http://dead3:2379"
    );
}

#[tokio::test]
async fn what_may_have_arrived_is_not_sent_again() {
    let (answer, asked) = call("dead cut good", request(CallContext::default()), unchanged).await;
    let error = answer.unwrap_err();
    assert_eq!(asked.hosts(), ["dead", "cut"]);
    assert!(error.is_interrupted());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn a_pinned_call_stays() {
    let pinned = Some("dead".parse().unwrap());
    let context = CallContext { pinned, ..one_round() };
    let (answer, asked) = call("good dead", request(context), unchanged).await;
    assert!(answer.unwrap_err().is_connect());
    assert_eq!(asked.hosts(), ["dead"]);
}

#[tokio::test]
async fn a_request_for_the_leader_finds_it() {
    let context =
        || CallContext { leader_only: true, idempotence: Idempotence::Read, ..CallContext::default() };
    let (answer, asked) = call("follower redirect good", request(context()), unchanged).await;
    assert_eq!(answer.unwrap().status(), 200);
    assert_eq!(asked.hosts(), ["follower", "redirect", "good"]);
    // With no leader among them the last refusal is the answer.
    let (answer, asked) = call("redirect follower", request(context()), unchanged).await;
    assert_eq!(answer.unwrap().status(), 403);
    assert_eq!(asked.hosts(), ["redirect", "follower"]);
    // Anybody else's refusal is the answer at once.
    let (answer, asked) = call("follower good", request(CallContext::default()), unchanged).await;
    assert_eq!(answer.unwrap().status(), 403);
    assert_eq!(asked.hosts(), ["follower"]);
}

#[tokio::test]
async fn a_streamed_body_is_sent_once() {
    let mut request = request(CallContext::default());
    *request.body_mut() = ReqBody::stream(http_body_util::Full::new(bytes::Bytes::from_static(b"x")));
    let (answer, asked) = call("dead good", request, unchanged).await;
    assert!(answer.unwrap_err().is_connect());
    assert_eq!(asked.hosts(), ["dead"]);
}

#[tokio::test]
async fn a_request_that_lost_its_log_is_sent_once() {
    let forgetful = |request: Request<ReqBody>| {
        let (mut parts, body) = request.into_parts();
        parts.extensions.clear();
        Request::from_parts(parts, body)
    };
    let (answer, asked) = call("dead good", request(CallContext::default()), forgetful).await;
    let error = answer.unwrap_err();
    assert_eq!(asked.hosts(), ["dead"]);
    assert!(error.is_connect());
    assert_eq!(error.outcome(), Outcome::NotApplied);
    let (answer, _) = call("good dead", request(CallContext::default()), forgetful).await;
    assert_eq!(answer.unwrap().status(), 200);
}

#[tokio::test]
async fn a_policy_of_the_users_is_asked_after_each_attempt() {
    #[derive(Clone)]
    struct Count(Arc<AtomicUsize>);
    impl Policy for Count {
        fn decide(&mut self, ending: &Ending<'_>) -> Decision {
            assert_eq!(ending.attempts, self.0.fetch_add(1, Ordering::SeqCst) + 1);
            assert!(matches!(ending.end, End::Failure { error } if error.is_connect()));
            if ending.untried > 1 { Decision::NextEndpoint } else { Decision::Return }
        }
    }
    let count = Count(Arc::default());
    let servers = tower::service_fn(async |request: Request<ReqBody>| serve(&request));
    let route = RouteLayer::new("dead1 dead2 dead3".parse().unwrap()).layer(servers);
    let retry = RetryLayer::with_policy(count.clone()).layer(route);
    let error = retry.oneshot(request(CallContext::default())).await.unwrap_err();
    assert_eq!((error.attempts().made(), count.0.load(Ordering::SeqCst)), (2, 2));
}

#[tokio::test]
async fn only_the_instance_that_was_ready_is_called() {
    // Its clones are not ready: a fresh clone, called at once, would panic.
    let (inner, mut peer) = tower_test::mock::pair::<Request<ReqBody>, Response<RespBody>>();
    let call = tokio::spawn(RetryLayer::new().layer(inner).oneshot(request(CallContext::default())));
    let (_, answer) = peer.next_request().await.unwrap();
    answer.send_response(Response::new(RespBody::default()));
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test]
async fn an_attempt_that_lost_its_log_is_the_last() {
    // The first attempt is in the log, with endpoints left; the second, of which the log knows nothing, is
    // not.
    let passed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&passed);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .map_request(move |mut request: Request<ReqBody>| {
            match count.fetch_add(1, Ordering::SeqCst) {
                0 => {}
                1..10 => request.extensions_mut().clear(),
                _ => panic!("without an end"),
            }
            request
        })
        .layer(RouteLayer::new("dead1 dead2 dead3".parse().unwrap()))
        .service(tower::service_fn(async |request: Request<ReqBody>| serve(&request)));
    assert!(service.oneshot(request(CallContext::default())).await.unwrap_err().is_connect());
    assert_eq!(passed.load(Ordering::SeqCst), 2);
}
