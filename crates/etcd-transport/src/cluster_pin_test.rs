use http::HeaderValue;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::*;
use crate::{CollectLayer, Endpoints, RespBody, RetryLayer, RouteLayer};

/// Servers whose cluster is their host's first letter; `n` sends no id. With status and index as given.
fn answer(host: &str, status: u16, index: Option<&'static str>) -> Response<RespBody> {
    let mut response = Response::builder().status(status).body(RespBody::from("{}")).unwrap();
    if !host.starts_with('n') {
        response.headers_mut().insert(Header::CLUSTER_ID, HeaderValue::from_str(&host[..1]).unwrap());
    }
    if let Some(index) = index {
        response.headers_mut().insert(Header::ETCD_INDEX, HeaderValue::from_static(index));
    }
    response
}

type Log = Arc<Mutex<Vec<String>>>;

/// A call to these servers, over layers that are made once for several calls.
fn client(
    id: ClusterId,
    servers: &str,
    status: u16,
    index: Option<&'static str>,
) -> (impl AsyncFn(Idempotence) -> Result<Response<RespBody>, Error> + use<>, Log) {
    let log = Log::default();
    let seen = Arc::clone(&log);
    let connection = service_fn(move |request: Request<ReqBody>| {
        let host = request.uri().host().unwrap().to_owned();
        seen.lock().unwrap().push(host.clone());
        std::future::ready(Ok::<_, BoxError>(answer(&host, status, index)))
    });
    let route = RouteLayer::new(servers.parse::<Endpoints>().unwrap());
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .layer(CollectLayer::new())
        .layer(route.endpoint_layer(ClusterPinLayer::new(id)))
        .layer(crate::ClassifyLayer::new())
        .service(connection);
    let ask = async move |idempotence| {
        let mut request = Request::put("/v2/keys/a").body(ReqBody::from("value=1")).unwrap();
        request.extensions_mut().insert(CallContext { idempotence, ..CallContext::default() });
        service.clone().oneshot(request).await
    };
    (ask, log)
}

fn hosts(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_write_answered_by_another_cluster_is_what_the_head_proves() {
    for (status, index, outcome) in [
        (200, Some("7"), Outcome::Applied),
        (200, None, Outcome::Unknown),
        (500, Some("0"), Outcome::Unknown),
        (404, Some("7"), Outcome::NotApplied),
    ] {
        let (ask, _) = client(ClusterId::expected("a"), "b", status, index);
        let error = ask(Idempotence::Once).await.unwrap_err();
        assert!(error.is_cluster_changed() && !error.is_retryable(), "{error:?}");
        assert_eq!(error.outcome(), outcome, "{status} {index:?}");
        assert_eq!(error.to_string(), "http://b:2379 belongs to cluster `b`, not to `a`");
        assert_eq!(error.http_status().unwrap(), status);
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_goes_on_to_a_member_of_the_right_cluster() {
    let (ask, log) = client(ClusterId::expected("a"), "b, a", 200, Some("7"));
    let response = ask(Idempotence::Read).await.unwrap();
    assert_eq!(response.extensions().get::<crate::Endpoint>().unwrap().host(), "a");
    assert_eq!(hosts(&log), ["b", "a"]);
    // And later calls begin there.
    ask(Idempotence::Read).await.unwrap();
    assert_eq!(hosts(&log), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_write_goes_on_only_if_the_other_cluster_did_nothing() {
    let (ask, log) = client(ClusterId::expected("a"), "b, a", 200, Some("7"));
    assert_eq!(ask(Idempotence::Once).await.unwrap_err().outcome(), Outcome::Applied);
    assert_eq!(hosts(&log), ["b"]);
    let (ask, log) = client(ClusterId::expected("a"), "b, a", 404, Some("7"));
    assert_eq!(ask(Idempotence::Once).await.unwrap().status(), 404);
    assert_eq!(hosts(&log), ["b", "a"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_of_another_cluster_is_not_asked_for_thirty_seconds() {
    let (ask, log) = client(ClusterId::expected("a"), "b", 200, Some("7"));
    ask(Idempotence::Once).await.unwrap_err();
    tokio::time::advance(AVOIDED - Duration::from_millis(1)).await;
    let error = ask(Idempotence::Once).await.unwrap_err();
    assert!(error.is_cluster_changed(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(hosts(&log), ["b"]);
    tokio::time::advance(Duration::from_millis(1)).await;
    ask(Idempotence::Once).await.unwrap_err();
    assert_eq!(hosts(&log), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn a_learned_id_can_be_forgotten_and_with_it_who_was_wrong() {
    let id = ClusterId::learned();
    let (ask, _) = client(id.clone(), "a", 200, Some("7"));
    ask(Idempotence::Once).await.unwrap();
    assert_eq!(id.get().as_deref(), Some("a"));
    let (ask, _) = client(id.clone(), "b", 200, Some("7"));
    assert!(ask(Idempotence::Once).await.unwrap_err().is_cluster_changed());
    id.forget();
    ask(Idempotence::Once).await.unwrap();
    assert_eq!(id.get().as_deref(), Some("b"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_sends_no_id_passes() {
    let (ask, _) = client(ClusterId::expected("a"), "n", 200, Some("7"));
    assert!(ask(Idempotence::Once).await.is_ok());
}
