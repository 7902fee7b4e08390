use std::sync::{Arc, Mutex};
use std::time::Duration;

use etcd_proto::v2::Header;
use http::HeaderValue;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::*;
use crate::{
    AttemptTimeoutLayer, ClassifyLayer, CollectLayer, ConnectError, DeadlineLayer, Endpoints, RespBody,
    RetryLayer, RouteLayer,
};

/// Keeps what it is told; the attempt is its number, so that a mix-up shows.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Option<AttemptEnd>>>>);

impl Observer for Log {
    type Attempt = usize;

    fn attempt_started(&self, start: &AttemptStart) -> usize {
        assert_eq!(start.operation, "set");
        self.0.lock().unwrap().push(None);
        start.number
    }

    fn attempt_ended(&self, attempt: usize, end: &AttemptEnd) {
        assert_eq!(attempt, end.number);
        assert!(self.0.lock().unwrap()[attempt - 1].replace(end.clone()).is_none(), "told twice");
    }
}

/// Number, host, outcome, status, kind, and whether it was dropped.
type Told = (usize, String, Outcome, Option<u16>, Option<ErrorKind>, bool);

impl Log {
    fn told(&self) -> Vec<Told> {
        let told = |end: &Option<AttemptEnd>| {
            let end = end.as_ref().expect("every attempt ends");
            let host = end.endpoint.as_ref().map_or("none", |endpoint| endpoint.host());
            let status = end.status.map(|status| status.as_u16());
            (end.number, host.to_owned(), end.outcome, status, end.kind, end.dropped)
        };
        self.0.lock().unwrap().iter().map(told).collect()
    }
}

async fn set(context: CallContext) -> (Result<Response<RespBody>, Error>, Log) {
    let log = Log::default();
    let connection = service_fn(async |request: Request<ReqBody>| match request.uri().host() {
        Some("dead") => Err(ConnectError::new("refused")),
        Some("silent") => std::future::pending().await,
        _ => {
            let mut response = Response::new(RespBody::from("{}"));
            response.headers_mut().insert(Header::ETCD_INDEX, HeaderValue::from_static("7"));
            Ok(response)
        }
    });
    let endpoints: Endpoints = match context.attempt_timeout {
        None => "dead, good".parse().unwrap(),
        Some(_) => "silent".parse().unwrap(),
    };
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new())
        .layer(RetryLayer::new())
        .layer(ObserveLayer::new(log.clone()))
        .layer(AttemptTimeoutLayer::new())
        .layer(CollectLayer::new())
        .layer(RouteLayer::new(endpoints))
        .layer(ClassifyLayer::new())
        .service(connection);
    let mut request = Request::put("/v2/keys/a").body(ReqBody::from("value=1")).unwrap();
    request.extensions_mut().insert(CallContext { operation: "set", ..context });
    (service.oneshot(request).await, log)
}

fn limits(attempt: Option<u64>, call: u64) -> CallContext {
    CallContext {
        attempt_timeout: attempt.map(Duration::from_secs),
        call_timeout: Some(Duration::from_secs(call)),
        ..CallContext::default()
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_begins_and_ends_once_with_what_it_proves() {
    let (result, log) = set(limits(None, 15)).await;
    assert!(result.is_ok());
    assert_eq!(
        log.told(),
        [
            (1, "dead".into(), Outcome::NotApplied, None, Some(ErrorKind::Connect), false),
            (2, "good".into(), Outcome::Applied, Some(200), None, false),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_read_nothing_is_ever_applied() {
    let (_, log) = set(CallContext { idempotence: Idempotence::Read, ..limits(None, 15) }).await;
    assert!(log.told().iter().all(|told| told.2 == Outcome::NotApplied), "{:?}", log.told());
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_the_attempt_is_how_it_ends() {
    let (_, log) = set(limits(Some(8), 15)).await;
    assert_eq!(
        log.told(),
        [(1, "silent".into(), Outcome::Unknown, None, Some(ErrorKind::AttemptTimeout), false)]
    );
    let elapsed = log.0.lock().unwrap()[0].as_ref().unwrap().elapsed;
    assert_eq!(elapsed, Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_cut_by_the_deadline_ends_as_dropped_with_that_kind() {
    let (_, log) = set(limits(Some(60), 1)).await;
    assert_eq!(log.told(), [(1, "silent".into(), Outcome::Unknown, None, Some(ErrorKind::Deadline), true)]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_attempt_ends_as_unknown() {
    let log = Log::default();
    let inner = RouteLayer::new("silent".parse().unwrap()).layer(service_fn(async |_: Request<ReqBody>| {
        std::future::pending::<Result<Response<RespBody>, BoxError>>().await
    }));
    let mut request = Request::put("/v2/keys/a").body(ReqBody::from("value=1")).unwrap();
    request.extensions_mut().insert(CallContext { operation: "set", ..CallContext::default() });
    let call = ObserveLayer::new(log.clone()).layer(inner).oneshot(request);
    assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
    assert_eq!(log.told(), [(1, "silent".into(), Outcome::Unknown, None, None, true)]);
}

/// Observes a write whose attempt at `slow` has lost a race to one at `fast`, which then answers or is silent.
async fn raced(answers: bool) -> Vec<Told> {
    let log = Log::default();
    let inner = service_fn(move |mut request: Request<ReqBody>| async move {
        let winner = CallState::race_for_tests(request.extensions_mut(), "http://slow:1", "http://fast:2");
        if !answers {
            std::future::pending::<()>().await;
        }
        winner.head(Outcome::Applied);
        Ok::<_, BoxError>(Response::new(RespBody::from("{}")))
    });
    let mut request = Request::put("/v2/keys/a").body(ReqBody::from("value=1")).unwrap();
    request.extensions_mut().insert(CallContext { operation: "set", ..CallContext::default() });
    let call = ObserveLayer::new(log.clone()).layer(inner).oneshot(request);
    assert_eq!(tokio::time::timeout(Duration::from_secs(1), call).await.is_ok(), answers);
    log.told()
}

#[tokio::test(start_paused = true)]
async fn a_race_ends_as_its_winner() {
    assert_eq!(raced(true).await, [(1, "fast".into(), Outcome::Applied, Some(200), None, false)]);
    assert_eq!(raced(false).await, [(1, "fast".into(), Outcome::Unknown, None, None, true)]);
}
