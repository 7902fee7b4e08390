//! An answer proves nothing about an earlier copy of its request.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etcd_proto::{BoxError, Idempotence, Outcome};
use etcd_transport::retry::{Decision, Ending, Policy};
use etcd_transport::{
    Attempts, CallContext, ClassifyLayer, CollectLayer, ConnectError, HttpService, ReqBody, RespBody,
    RetryLayer, RouteLayer, Transport,
};
use http::{Request, Response};
use support::{Peer, Reply, ok, open, refusing, send, write};
use tower::util::{BoxCloneSyncService, MapRequestLayer};
use tower::{ServiceBuilder, ServiceExt};
use tower_layer::Layer;

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn raft_error() -> String {
    let body = r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: request timed out"}"#;
    answer("500 Internal Server Error", body)
}

const COMPARE_FAILED: &str = r#"{"errorCode":101,"message":"Compare failed","cause":"[1 != 2]","index":7}"#;

fn compare_failed() -> String {
    answer("412 Precondition Failed", COMPARE_FAILED)
}

/// A server that answers with these in turn, and with the last ever after; an empty text is silence.
async fn in_turn(answers: Vec<String>) -> Peer {
    Peer::scripted(move |number, _| {
        let answer = answers[number.min(answers.len() - 1)].clone();
        if answer.is_empty() { Reply::Hang(answer) } else { Reply::Keep(answer) }
    })
    .await
}

/// A layer of the user's that makes a second copy after any answer or failure, or when the first takes 100
/// ms.
#[derive(Clone)]
struct Repeating;

impl<S: HttpService<RespBody>> Layer<S> for Repeating {
    type Service = BoxCloneSyncService<Request<ReqBody>, Response<RespBody>, BoxError>;

    fn layer(&self, inner: S) -> Self::Service {
        BoxCloneSyncService::new(tower::service_fn(move |request: Request<ReqBody>| {
            let inner = inner.clone();
            async move {
                let mut copy = write(CallContext::default());
                *copy.extensions_mut() = request.extensions().clone();
                *copy.uri_mut() = request.uri().clone();
                let first = inner.clone().oneshot(request);
                drop(tokio::time::timeout(Duration::from_millis(100), first).await);
                inner.oneshot(copy).await.map_err(Into::into)
            }
        }))
    }
}

/// What the attempts before a final 412 leave open.
async fn left_open(transport: &Transport, context: CallContext) -> Outcome {
    let response = send(transport, write(context)).await.unwrap();
    assert_eq!(response.status(), 412);
    response.extensions().get::<Attempts>().unwrap().outcome()
}

#[tokio::test]
async fn an_earlier_copy_that_was_answered_or_dropped_is_counted_at_every_seam() {
    for (first, wanted) in [
        (raft_error(), Outcome::Unknown),
        (String::new(), Outcome::Unknown),
        (ok("{}"), Outcome::Applied),
        (compare_failed(), Outcome::NotApplied),
    ] {
        let answers = vec![first.clone(), compare_failed()];
        let peer = in_turn(answers.clone()).await;
        let builder = open([peer.address]);
        let transport = builder.attempt_layer(Repeating).build().unwrap();
        assert_eq!(left_open(&transport, CallContext::default()).await, wanted, "attempt seam, {first}");

        let peer = in_turn(answers.clone()).await;
        let builder = open([peer.address]);
        let transport = builder.call_layer(Repeating).build().unwrap();
        assert_eq!(left_open(&transport, CallContext::default()).await, wanted, "call seam, {first}");

        // Where no repetition belongs: nothing is known of the copies there.
        let peer = in_turn(answers).await;
        let builder = open([peer.address]);
        let transport = builder.endpoint_layer(Repeating).build().unwrap();
        assert_eq!(left_open(&transport, CallContext::default()).await, Outcome::Unknown, "endpoint seam");
    }
}

#[tokio::test]
async fn a_cut_refusal_proves_nothing_about_another_copy() {
    let cut = "HTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\n{";
    let peer = Peer::scripted(move |number, _| match number {
        0 => Reply::Keep(raft_error()),
        _ => Reply::Close(cut.into()),
    });
    let peer = peer.await;
    let builder = open([peer.address]);
    let transport = builder.endpoint_layer(Repeating).build().unwrap();
    let error = send(&transport, write(CallContext::default())).await.unwrap_err();
    assert!(error.is_body_interrupted());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

/// Loses what the request has in its extensions.
fn forget(mut request: Request<ReqBody>) -> Request<ReqBody> {
    request.extensions_mut().clear();
    request
}

#[tokio::test]
async fn a_copy_without_a_trace_may_have_arrived() {
    let forget = MapRequestLayer::new(forget);
    for call_seam in [false, true] {
        let peer = in_turn(vec![raft_error(), compare_failed()]).await;
        let builder = open([peer.address]);
        let transport = match call_seam {
            true => builder.call_layer(Repeating).call_layer(forget.clone()).build().unwrap(),
            false => builder.attempt_layer(Repeating).attempt_layer(forget.clone()).build().unwrap(),
        };
        assert_eq!(left_open(&transport, CallContext::default()).await, Outcome::Unknown);
        // One without a trace is the one that was answered.
        let peer = in_turn(vec![compare_failed()]).await;
        let builder = open([peer.address]);
        let transport = match call_seam {
            true => builder.call_layer(forget.clone()).build().unwrap(),
            false => builder.attempt_layer(forget.clone()).build().unwrap(),
        };
        assert_eq!(left_open(&transport, CallContext::default()).await, Outcome::NotApplied);
    }
}

#[tokio::test]
async fn a_copy_without_a_trace_is_counted_in_an_error_too() {
    let count = Arc::new(AtomicUsize::new(0));
    let forget_the_first = MapRequestLayer::new(move |mut request: Request<ReqBody>| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            request.extensions_mut().clear();
        }
        request
    });
    // The first copy is never answered; for the second there is no connection.
    let first = Arc::new(AtomicUsize::new(0));
    let servers = tower::service_fn(move |_: Request<ReqBody>| {
        let first = first.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if first {
                std::future::pending::<()>().await;
            }
            Err::<Response<RespBody>, BoxError>(ConnectError::new("refused").into())
        }
    });
    let transport = Transport::builder("127.0.0.1:1".parse().unwrap())
        .attempt_layer(Repeating)
        .attempt_layer(forget_the_first)
        .build_with(servers)
        .unwrap();
    let mut context = CallContext::default();
    context.retry = false;
    let error = send(&transport, write(context)).await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!((error.outcome(), error.attempts().outcome()), (Outcome::Unknown, Outcome::Unknown));
}

/// What a connection does with a copy.
#[derive(Clone, Copy)]
enum Does {
    Reset,
    Refuse,
    Answer,
}

/// Connections that do these in turn, and then answer; how many copies they got.
fn does(plan: &'static [Does]) -> (impl HttpService<RespBody>, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let copies = Arc::clone(&count);
    let service = tower::service_fn(move |_: Request<ReqBody>| {
        let end = match plan.get(copies.fetch_add(1, Ordering::SeqCst)).copied().unwrap_or(Does::Answer) {
            Does::Reset => Err(BoxError::from("reset after it was sent")),
            Does::Refuse => Err(ConnectError::new("refused").into()),
            Does::Answer => Ok(Response::builder().status(412).body(RespBody::from(COMPARE_FAILED)).unwrap()),
        };
        std::future::ready(end)
    });
    (service, count)
}

#[tokio::test]
async fn a_repetition_without_a_trace_at_the_endpoint_is_no_failed_connect_and_no_refusal() {
    let (servers, copies) = does(&[Does::Reset, Does::Refuse]);
    let builder = Transport::builder("a b".parse().unwrap()).endpoint_layer(Repeating);
    let transport = builder.endpoint_layer(MapRequestLayer::new(forget)).build_with(servers).unwrap();
    let error = send(&transport, write(CallContext::default())).await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!((error.outcome(), copies.load(Ordering::SeqCst)), (Outcome::Unknown, 2), "{error:?}");

    let (servers, copies) = does(&[Does::Reset, Does::Answer]);
    let builder = Transport::builder("a b".parse().unwrap()).endpoint_layer(Repeating);
    let transport = builder.endpoint_layer(MapRequestLayer::new(forget)).build_with(servers).unwrap();
    assert_eq!(left_open(&transport, CallContext::default()).await, Outcome::Unknown);
    assert_eq!(copies.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn without_a_trace_one_copy_is_that_of_the_answer_and_a_failed_connect_proves_nothing() {
    for (plan, wanted) in
        [(&[] as &[Does], Ok(Outcome::NotApplied)), (&[Does::Refuse], Err(Outcome::Unknown))]
    {
        let (servers, copies) = does(plan);
        let builder = Transport::builder("a b".parse().unwrap());
        let transport = builder.endpoint_layer(MapRequestLayer::new(forget)).build_with(servers).unwrap();
        let answer = send(&transport, write(CallContext::default())).await;
        let outcome =
            |response: Response<RespBody>| response.extensions().get::<Attempts>().unwrap().outcome();
        assert_eq!(answer.map(outcome).map_err(|error| error.outcome()), wanted);
        assert_eq!(copies.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn the_attempt_of_the_answer_itself_does_not_count() {
    for final_answer in [raft_error(), ok("{}"), answer("502 Bad Gateway", "")] {
        let (dead, peer) = (refusing(), in_turn(vec![final_answer]).await);
        let transport = support::transport([dead.address, peer.address]);
        let response = send(&transport, write(CallContext::default())).await.unwrap();
        let attempts = response.extensions().get::<Attempts>().unwrap();
        assert_eq!((attempts.made(), attempts.outcome()), (2, Outcome::NotApplied));
    }
}

#[tokio::test]
async fn a_read_has_nothing_to_fear() {
    let peer = in_turn(vec![raft_error(), compare_failed()]).await;
    let builder = open([peer.address]);
    let transport = builder.attempt_layer(Repeating).build().unwrap();
    let mut context = CallContext::default();
    context.idempotence = Idempotence::Read;
    assert_eq!(left_open(&transport, context).await, Outcome::NotApplied);
}

/// Goes on after any answer, as long as there is another endpoint.
#[derive(Clone)]
struct GoOn;

impl Policy for GoOn {
    fn decide(&mut self, ending: &Ending<'_>) -> Decision {
        if ending.untried > 0 { Decision::NextEndpoint } else { Decision::Return }
    }
}

#[tokio::test]
async fn a_policy_that_goes_on_after_an_answer_leaves_that_answer_open() {
    let first = Arc::new(AtomicUsize::new(0));
    let servers = tower::service_fn(move |_: Request<ReqBody>| {
        let (status, body) = match first.fetch_add(1, Ordering::SeqCst) {
            0 => {
                (500, r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: no leader"}"#)
            }
            _ => (412, COMPARE_FAILED),
        };
        let body = RespBody::from(body);
        async move { Response::builder().status(status).body(body) }
    });
    let stack = ServiceBuilder::new()
        .layer(RetryLayer::with_policy(GoOn))
        .layer(CollectLayer::new())
        .layer(RouteLayer::new("a b".parse().unwrap()))
        .layer(ClassifyLayer::new())
        .service(servers);
    assert_eq!(left_open(&Transport::new(stack), CallContext::default()).await, Outcome::Unknown);
}
