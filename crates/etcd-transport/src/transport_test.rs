use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use etcd_proto::Outcome;
use futures_util::FutureExt;
use http_body_util::Full;
use tower::ServiceExt;

use super::*;
use crate::{ConnectError, Endpoint};

/// Stops compiling when a public type loses one of these.
const _: () = {
    const fn shared<T: Clone + Send + Sync + 'static>() {}
    const fn sent<T: Send + Unpin + 'static>() {}
    const fn error<T: std::error::Error + Send + Sync + 'static>() {}
    const fn layer<T: Clone + Send + Sync + fmt::Debug + 'static>() {}
    shared::<Transport>();
    shared::<DynService>();
    shared::<Endpoint>();
    shared::<Endpoints>();
    shared::<CallContext>();
    shared::<crate::Attempt>();
    shared::<crate::Attempts>();
    shared::<crate::Credentials>();
    shared::<Builder>();
    shared::<crate::Route<DynService>>();
    shared::<crate::Retry<DynService>>();
    shared::<crate::Reissue<DynService>>();
    sent::<ReqBody>();
    sent::<RespBody>();
    sent::<crate::dyn_service::ResponseFuture>();
    error::<Error>();
    error::<ConnectError>();
    layer::<crate::RetryLayer>();
    layer::<crate::ReissueLayer>();
    layer::<crate::RetryConfig>();
    layer::<crate::RouteLayer>();
    layer::<crate::DeadlineLayer>();
    layer::<crate::AttemptTimeoutLayer>();
    layer::<crate::CollectLayer>();
    layer::<crate::ClassifyLayer>();
    layer::<crate::AuthorizationLayer>();
    layer::<crate::UserAgentLayer>();
    layer::<crate::RequestSpanLayer>();
    layer::<crate::AttemptSpanLayer>();
};

fn request() -> Request<ReqBody> {
    Request::builder().uri("/a").body(ReqBody::empty()).unwrap()
}

/// A transport over servers that cannot be reached.
fn dead(servers: &str) -> Builder {
    Transport::builder(servers.parse().unwrap())
}

async fn refuse(_: Request<ReqBody>) -> Result<Response<RespBody>, BoxError> {
    Err(ConnectError::new("refused").into())
}

async fn answer(_: Request<ReqBody>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"answer"))))
}

#[test]
fn a_transport_is_made_without_a_runtime() {
    let transport = dead("127.0.0.1:1").credentials("root", "canary").build().unwrap();
    assert_eq!(transport.endpoints().unwrap().len(), 1);
    assert!(!format!("{transport:?}").contains("canary"));
}

#[tokio::test]
async fn any_service_is_a_transport_boxed_or_with_its_type() {
    let boxed = Transport::new(tower::service_fn(answer));
    let response = boxed.clone().oneshot(request()).await.unwrap();
    assert_eq!(http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes(), "answer");
    let typed = Transport::from_service(tower::service_fn(answer));
    assert_eq!(typed.clone().oneshot(request()).await.unwrap().status(), 200);
    assert!(boxed.endpoints().is_none() && typed.endpoints().is_none());
}

#[tokio::test]
async fn the_failure_of_a_foreign_service_proves_nothing() {
    let service =
        tower::service_fn(async |_: Request<ReqBody>| Err::<Response<RespBody>, BoxError>("boom".into()));
    let error = Transport::new(service).oneshot(request()).await.unwrap_err();
    assert!(error.is_layer());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn a_users_layer_that_refuses_before_an_attempt_proves_that_nothing_was_sent() {
    let refusing = || {
        tower_layer::layer_fn(|_: DynService| {
            tower::service_fn(async |_: Request<ReqBody>| {
                Err::<Response<RespBody>, BoxError>("too busy".into())
            })
        })
    };
    for transport in [
        dead("127.0.0.1:1").call_layer(refusing()).build().unwrap(),
        dead("127.0.0.1:1").attempt_layer(refusing()).build().unwrap(),
    ] {
        let error = transport.oneshot(request()).await.unwrap_err();
        assert!(error.is_layer());
        assert_eq!(error.outcome(), Outcome::NotApplied);
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "too busy");
    }
    // Below the router it is too late for a proof.
    let transport = dead("127.0.0.1:1").endpoint_layer(refusing()).build().unwrap();
    assert_eq!(transport.oneshot(request()).await.unwrap_err().outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn a_users_layer_that_fails_after_an_answer_does_not_hide_what_was_applied() {
    let spoiling = tower_layer::layer_fn(|inner: DynService| {
        tower::service_fn(move |request: Request<ReqBody>| {
            let answer = inner.clone().oneshot(request);
            async move {
                answer.await?;
                Err::<Response<RespBody>, BoxError>("spoiled".into())
            }
        })
    });
    let applied = tower::service_fn(async |_: Request<ReqBody>| {
        Ok::<_, Infallible>(
            Response::builder().header("x-etcd-index", "7").body(RespBody::default()).unwrap(),
        )
    });
    let transport = dead("127.0.0.1:1").attempt_layer(spoiling).build_with(applied).unwrap();
    let error = transport.oneshot(request()).await.unwrap_err();
    assert!(error.is_layer());
    assert_eq!(error.outcome(), Outcome::Applied);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_before_any_attempt_proves_that_nothing_was_sent_and_nothing_is_sent_later() {
    // A layer that holds requests in a queue of its own, and passes them on when it is told to.
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let (go, gate) = tokio::sync::watch::channel(false);
    let holding = tower_layer::layer_fn(move |inner: DynService| {
        let gate = gate.clone();
        tower::service_fn(move |request: Request<ReqBody>| {
            let (mut gate, inner) = (gate.clone(), inner.clone());
            let passing = tokio::spawn(async move {
                gate.wait_for(|open| *open).await.unwrap();
                inner.oneshot(request).await
            });
            async move { passing.await.unwrap() }
        })
    });
    let connection = tower::service_fn(move |request| {
        *count.lock().unwrap() += 1;
        answer(request)
    });
    let transport = dead("127.0.0.1:1").attempt_layer(holding).build_with(connection).unwrap();
    let error = transport.oneshot(request()).await.unwrap_err();
    assert!(error.is_deadline());
    assert_eq!((error.outcome(), error.attempts().made()), (Outcome::NotApplied, 0));

    go.send(true).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(*asked.lock().unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_server_costs_an_attempt_and_the_outcome_is_unknown() {
    let hanging = tower::service_fn(async |_: Request<ReqBody>| {
        std::future::pending::<Result<Response<RespBody>, Infallible>>().await
    });
    let transport = dead("127.0.0.1:1 127.0.0.1:2").build_with(hanging).unwrap();
    let error = transport.clone().oneshot(request()).await.unwrap_err();
    assert!(error.is_attempt_timeout());
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.attempts().made(), 1);
    assert_eq!(error.to_string(), "no complete answer of http://127.0.0.1:1 within 8s");
    // The next call begins elsewhere.
    let error = transport.oneshot(request()).await.unwrap_err();
    assert_eq!(error.endpoint().unwrap().port(), 2);
}

#[tokio::test]
async fn a_layer_that_drops_the_context_makes_a_request_that_is_sent_once() {
    let forget = |request: Request<ReqBody>| {
        let (mut parts, body) = request.into_parts();
        parts.extensions.clear();
        Request::from_parts(parts, body)
    };
    let layer = || tower::util::MapRequestLayer::new(forget);
    let builder = || dead("127.0.0.1:1 127.0.0.1:2");
    for transport in [
        builder().call_layer(layer()).build_with(tower::service_fn(answer)).unwrap(),
        builder().attempt_layer(layer()).build_with(tower::service_fn(answer)).unwrap(),
        builder().endpoint_layer(layer()).build_with(tower::service_fn(answer)).unwrap(),
    ] {
        assert_eq!(transport.oneshot(request()).await.unwrap().status(), 200);
    }
    let transport = builder().attempt_layer(layer()).build_with(tower::service_fn(refuse)).unwrap();
    let error = transport.oneshot(request()).await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!((error.outcome(), error.attempts().made()), (Outcome::NotApplied, 0));
}

#[test]
fn a_password_leaves_this_machine_only_when_that_is_allowed() {
    let exposed = || dead("localhost, 10.0.0.7").credentials("root", "canary");
    let error = exposed().build().unwrap_err();
    assert!(error.is_insecure_auth());
    assert_eq!(
        error.to_string(),
        "will not send a password unencrypted to http://10.0.0.7:2379 unless that is allowed"
    );
    assert!(exposed().allow_plaintext_auth(true).build().is_ok());
    assert!(dead("10.0.0.7").build().is_ok());
    assert!(dead("[::1]").credentials("root", "canary").build().is_ok());
}

#[test]
fn the_builder_reports_what_cannot_be_sent_and_shows_no_password() {
    assert!(dead("a").user_agent("a\nb").build().unwrap_err().is_invalid_user_agent());
    let builder = dead("a").credentials("ro:ot", "canary");
    assert!(!format!("{builder:?}").contains("canary"));
    assert!(builder.build().unwrap_err().is_invalid_credentials());
}

/// A transport over two servers of which the first does this.
fn first_does<F>(first: fn(Request<ReqBody>) -> F) -> Transport
where
    F: Future<Output = Result<Response<RespBody>, BoxError>> + Send + 'static,
{
    let servers = tower::service_fn(move |request: Request<ReqBody>| async move {
        match request.uri().port_u16() {
            Some(1) => first(request).await,
            _ => Ok(answer(request).await?.map(RespBody::wrap)),
        }
    });
    dead("127.0.0.1:1 127.0.0.1:2").build_with(servers).unwrap()
}

/// The port that the next call begins with.
async fn next_port(transport: &Transport) -> u16 {
    match transport.clone().oneshot(request()).await {
        Ok(response) => response.extensions().get::<Endpoint>().unwrap().port(),
        Err(error) => error.attempts().as_slice()[0].endpoint().port(),
    }
}

#[tokio::test(start_paused = true)]
async fn the_short_limit_of_one_call_moves_nobody_else() {
    let transport = first_does(|_| std::future::pending());
    let mut hasty = request();
    let limit = Some(std::time::Duration::from_millis(5));
    hasty.extensions_mut().insert(CallContext { call_timeout: limit, ..CallContext::default() });
    assert!(transport.clone().oneshot(hasty).await.unwrap_err().is_deadline());
    assert_eq!(next_port(&transport).await, 1);
}

#[tokio::test]
async fn a_member_without_a_quorum_is_left_by_later_calls() {
    async fn minority(_: Request<ReqBody>) -> Result<Response<RespBody>, BoxError> {
        let body =
            r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: request timed out"}"#;
        Ok(Response::builder().status(500).body(RespBody::from(body))?)
    }
    async fn election(_: Request<ReqBody>) -> Result<Response<RespBody>, BoxError> {
        let body = r#"{"errorCode":301,"message":"During Leader Election","index":0}"#;
        Ok(Response::builder().status(503).body(RespBody::from(body))?)
    }
    async fn proxy(_: Request<ReqBody>) -> Result<Response<RespBody>, BoxError> {
        Ok(Response::builder().status(502).body(RespBody::from("<html>Bad Gateway</html>"))?)
    }
    for transport in [first_does(minority), first_does(election), first_does(proxy)] {
        assert_eq!(next_port(&transport).await, 1);
        assert_eq!(next_port(&transport).await, 2);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_sign_of_a_lost_quorum_keeps_the_server() {
    async fn missing(_: Request<ReqBody>) -> Result<Response<RespBody>, BoxError> {
        let body = r#"{"errorCode":100,"message":"Key not found","cause":"/a","index":7}"#;
        Ok(Response::builder().status(404).body(RespBody::from(body))?)
    }
    async fn defect(_: Request<ReqBody>) -> Result<Response<RespBody>, BoxError> {
        let body =
            r#"{"errorCode":300,"message":"Raft Internal Error","cause":"nodePath /1/d : Not a file ()"}"#;
        Ok(Response::builder().status(500).body(RespBody::from(body))?)
    }
    for transport in [first_does(missing), first_does(defect)] {
        assert_eq!(next_port(&transport).await, 1);
        assert_eq!(next_port(&transport).await, 1);
    }
}

#[test]
fn outside_of_a_runtime_a_call_is_an_error_and_no_panic() {
    let transport = dead("127.0.0.1:1").build().unwrap();
    let error = transport.oneshot(request()).now_or_never().unwrap().unwrap_err();
    assert!(error.is_no_runtime());
    assert_eq!((error.outcome(), error.is_retryable()), (Outcome::NotApplied, false));
    assert_eq!(error.to_string(), "calls need a tokio runtime, and this one was made outside of any");
    // A service of somebody else may do without.
    let double = Transport::new(tower::service_fn(answer));
    assert!(double.oneshot(request()).now_or_never().unwrap().is_ok());
}

#[tokio::test]
async fn a_transport_below_a_transport_has_attempts_of_its_own() {
    let inner = first_does(refuse);
    let outer = dead("127.0.0.1:7").build_with(inner).unwrap();
    let response = outer.oneshot(request()).await.unwrap();
    let attempts = response.extensions().get::<crate::Attempts>().unwrap();
    assert_eq!(attempts.outcome(), Outcome::NotApplied);
}
