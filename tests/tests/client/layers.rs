//! A user's layers at each of the four seams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use etcd_client::v2::{ClientBuilder, Operation, Request, Response};
use etcd_client::{BoxError, Idempotence};
use etcd_tests::{Peer, Refused, Scope, Tally, each_etcd, patient};
use futures_util::StreamExt as _;
use http::{HeaderName, HeaderValue};
use tower::service_fn;
use tower::util::{MapErrLayer, MapRequestLayer, MapResultLayer};
use tower_http::set_header::SetRequestHeaderLayer;

/// What has passed each seam.
#[derive(Debug, Default)]
struct Seams {
    operations: Arc<AtomicUsize>,
    calls: Tally,
    attempts: Tally,
    endpoints: Tally,
}

impl Seams {
    fn on(&self, builder: ClientBuilder) -> ClientBuilder {
        let operations = Arc::clone(&self.operations);
        builder
            .operation_layer(MapRequestLayer::new(move |request: Request| {
                operations.fetch_add(1, Ordering::SeqCst);
                request
            }))
            .call_layer(self.calls.clone())
            .attempt_layer(self.attempts.clone())
            .endpoint_layer(self.endpoints.clone())
    }

    /// How often each seam was passed, from the outermost in.
    fn counts(&self) -> [usize; 4] {
        let operations = self.operations.load(Ordering::SeqCst);
        [operations, self.calls.count(), self.attempts.count(), self.endpoints.count()]
    }
}

#[tokio::test]
async fn each_seam_is_passed_as_often_as_the_builder_says() {
    let dead = Refused::new();
    each_etcd(async |etcd| {
        let (scope, seams) = (Scope::new(etcd), Seams::default());
        let mut endpoints = etcd.endpoints();
        endpoints.insert(0, dead.endpoint());
        let client = seams.on(patient(&endpoints)).build().unwrap();
        client.set(scope.key("a"), "1").await.unwrap();
        assert_eq!(seams.counts(), [1, 1, 2, 2], "one call of two attempts");
        let path = format!("PUT /v2/keys{}", scope.key("a"));
        assert_eq!(seams.calls.noted(), [path.as_str()]);
        assert_eq!(seams.attempts.noted(), [path.as_str(); 2]);
        let absolute = endpoints.iter().map(|it| format!("PUT {it}/v2/keys{}", scope.key("a")));
        assert_eq!(seams.endpoints.noted(), absolute.collect::<Vec<_>>());
        client.modify(scope.key("a"), |_| Some("2".into())).await.unwrap();
        assert_eq!(seams.counts(), [3, 3, 4, 4], "a read and a swap");
        let mut stream = client.poll(scope.key("a")).stream(true).await.unwrap();
        for _ in 0..3 {
            scope.client.set(scope.key("a"), "3").await.unwrap();
            stream.events.next().await.unwrap().unwrap();
        }
        assert_eq!(seams.counts(), [4, 4, 5, 5], "a stream of many events is one call");
        client.get("/a/../b").await.unwrap_err();
        assert_eq!(seams.counts(), [4, 4, 5, 5], "nothing was sent");
    })
    .await;
}

#[tokio::test]
async fn layers_of_tower_http_fit_at_every_seam_of_http() {
    let peer = Peer::with_body("200 OK", "application/json", r#"{"etcdserver":"3.4.23"}"#).await;
    let header = |name: &'static str| {
        let name = HeaderName::from_static(name);
        SetRequestHeaderLayer::overriding(name, HeaderValue::from_static("set"))
    };
    let client = patient([peer.endpoint()])
        .call_layer(header("x-call"))
        .attempt_layer(header("x-attempt"))
        .endpoint_layer(header("x-endpoint"))
        .build()
        .unwrap();
    client.version().await.unwrap();
    let head = peer.heads().remove(0);
    for line in ["x-call: set", "x-attempt: set", "x-endpoint: set"] {
        assert!(head.contains(line), "{head}");
    }
}

#[tokio::test]
async fn the_layer_that_was_added_first_is_outermost() {
    let peer = Peer::with_body("200 OK", "application/json", r#"{"etcdserver":"3.4.23"}"#).await;
    let add = |value: &'static str| {
        let value = HeaderValue::from_static(value);
        SetRequestHeaderLayer::appending(HeaderName::from_static("x-order"), value)
    };
    let client = patient([peer.endpoint()])
        .endpoint_layer(add("5"))
        .endpoint_layer(add("6"))
        .attempt_layer(add("3"))
        .attempt_layer(add("4"))
        .call_layer(add("1"))
        .call_layer(add("2"))
        .build()
        .unwrap();
    client.version().await.unwrap();
    let head = peer.heads().remove(0);
    let order: Vec<_> = head.lines().filter_map(|line| line.strip_prefix("x-order: ")).collect();
    assert_eq!(order, ["1", "2", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn an_operation_layer_sees_the_call_as_it_was_made() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let key = scope.key("a");
        let expected = key.clone();
        let client = scope.client.layer(MapRequestLayer::new(move |request: Request| {
            assert_eq!(request.operation.key().unwrap().as_str(), expected);
            let class = match request.operation.name() {
                "set" => Idempotence::Idempotent,
                "watch" => Idempotence::Read,
                other => panic!("{other} was not called"),
            };
            assert_eq!(request.idempotence(), class);
            assert!(matches!(request.operation, Operation::Keys(_) | Operation::Watch(_)));
            request
        }));
        let set = client.set(&key, "1").idempotent(true).await.unwrap();
        client.watch(&key).from(set.index()).next_event().await.unwrap();
    })
    .await;
}

#[derive(Debug, thiserror::Error)]
#[error("the layer's own words")]
struct Foreign(#[source] BoxError);

#[tokio::test]
async fn an_error_is_recognised_inside_the_error_of_a_layer() {
    let dead = Refused::new();
    let wrap = || MapErrLayer::new(|error: BoxError| Foreign(error));
    let own = |error: etcd_client::Error| {
        assert!(error.is_connect() && error.outcome().is_not_applied(), "{error:?}");
        assert_eq!(error.attempts().len(), 1);
    };
    let at_call = patient([dead.endpoint()]).call_layer(wrap()).build().unwrap();
    own(at_call.set("/a", "1").await.unwrap_err());
    let at_attempt = patient([dead.endpoint()]).attempt_layer(wrap()).build().unwrap();
    own(at_attempt.set("/a", "1").await.unwrap_err());
    let at_operation = patient([dead.endpoint()]).build().unwrap().layer(wrap());
    own(at_operation.set("/a", "1").await.unwrap_err());
}

#[tokio::test]
async fn a_layer_that_fails_by_itself_proves_nothing_of_a_write() {
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        // Below it the calls succeed.
        let spoiled = scope.client.layer(MapResultLayer::new(|_: Result<Response, BoxError>| {
            Err::<Response, BoxError>(Foreign("spoiled".into()).into())
        }));
        let error = spoiled.set(scope.key("a"), "1").await.unwrap_err();
        assert!(error.is_layer() && error.outcome().is_unknown() && !error.is_retryable(), "{error:?}");
        assert!(std::error::Error::source(&error).unwrap().is::<Foreign>());
        let read = spoiled.get(scope.key("a")).await.unwrap_err();
        assert!(read.outcome().is_not_applied(), "{read:?}");
    })
    .await;
}

#[tokio::test]
async fn a_double_stands_in_for_etcd() {
    let double = service_fn(async |request: Request| match request.operation.name() {
        "health" => Err(BoxError::from("not today")),
        _ => Ok::<_, BoxError>(Response::Done(())),
    });
    let client = etcd_client::v2::Client::from_service(double);
    client.auth().enable().await.unwrap();
    assert!(client.health().await.unwrap_err().is_layer());
    let mixed_up = client.get("/a").await.unwrap_err();
    assert!(mixed_up.is_unexpected_response(), "{mixed_up:?}");
}
