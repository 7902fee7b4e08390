use std::sync::{Arc, Mutex};

use etcd_proto::{Idempotence, Outcome};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_layer::Layer;

use super::*;
use crate::{
    AuthorizationLayer, ClassifyLayer, CollectLayer, ConnectError, Credentials, RetryLayer, RouteLayer,
};

/// What came in at the servers: method, absolute URI, body, and whether the password was with it.
#[derive(Clone, Default)]
struct Servers(Arc<Mutex<Vec<(String, bool)>>>);

impl Servers {
    fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }

    fn passwords(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|(_, password)| *password).count()
    }

    fn take(&self, request: &Request<ReqBody>) -> String {
        let host = request.uri().host().unwrap().to_owned();
        let body = String::from_utf8(request.body().as_bytes().unwrap().to_vec()).unwrap();
        let line = format!("{} {} {body}", request.method(), request.uri());
        let password = request.headers().contains_key(header::AUTHORIZATION);
        self.0.lock().unwrap().push((line, password));
        host
    }
}

fn answer(status: u16, location: Option<&str>) -> Response<RespBody> {
    let mut response = Response::new(RespBody::from("{}"));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(location).unwrap());
    }
    response
}

/// Servers `a`, `b`, `c` of the list and `x` beside it, all of which the script answers for by its host.
async fn ask(
    script: impl Fn(&str) -> Result<Response<RespBody>, ConnectError> + Clone + Send + Sync + 'static,
    context: CallContext,
    allowed: Option<&str>,
) -> (Result<Response<RespBody>, Error>, Servers) {
    let servers = Servers::default();
    let log = servers.clone();
    let connection =
        service_fn(move |request: Request<ReqBody>| std::future::ready(script(&log.take(&request))));
    let password = AuthorizationLayer::basic(&Credentials::new("root", "canary").unwrap());
    let connection = ServiceBuilder::new().layer(password).layer(ClassifyLayer::new()).service(connection);
    let endpoints = Endpoints::parse("a, b, c").unwrap();
    let mut redirect = RedirectLayer::new(endpoints.clone());
    if let Some(allowed) = allowed {
        let allowed = Endpoints::parse(allowed).unwrap();
        let route = RouteLayer::new(allowed.clone()).layer(connection.clone());
        redirect = redirect.also_to(allowed, DynService::new(route));
    }
    let service = ServiceBuilder::new()
        // One round: without a deadline there is no end to others.
        .layer(RetryLayer::new().config(&crate::RetryConfig::off()))
        .layer(CollectLayer::new())
        .layer(redirect)
        .layer(RouteLayer::new(endpoints))
        .service(connection);
    let mut request = Request::builder()
        .method(Method::PUT)
        .uri("/v2/keys/a?prevExist=true")
        .header(HeaderName::from_static("x-own"), "1")
        .body(ReqBody::from("value=1"))
        .unwrap();
    request.extensions_mut().insert(context);
    (service.oneshot(request).await, servers)
}

fn to(host: &str) -> Response<RespBody> {
    answer(307, Some(&format!("http://{host}:2379/v2/keys/a?value=other")))
}

#[tokio::test]
async fn a_redirect_to_a_known_server_keeps_method_path_query_and_body() {
    for status in [307, 308] {
        let script = move |host: &str| {
            Ok(match host {
                "a" => answer(status, Some("http://b:2379/v2/keys/a?value=other")),
                _ => answer(201, None),
            })
        };
        let (result, servers) = ask(script, CallContext::default(), None).await;
        let response = result.unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.extensions().get::<Endpoint>().unwrap().host(), "b");
        assert_eq!(
            servers.seen(),
            [
                "PUT http://a:2379/v2/keys/a?prevExist=true value=1",
                "PUT http://b:2379/v2/keys/a?prevExist=true value=1"
            ]
        );
        let attempts = response.extensions().get::<crate::Attempts>().unwrap();
        assert_eq!((attempts.made(), attempts.outcome()), (1, Outcome::NotApplied));
    }
}

#[tokio::test]
async fn neither_request_nor_password_goes_to_a_server_that_nobody_named() {
    for location in ["http://evil:2379/v2/keys/a", "http://a:2379@evil/v2/keys/a", "//evil/v2/keys/a"] {
        let script = move |_: &str| Ok(answer(307, Some(location)));
        let (result, servers) = ask(script, CallContext::default(), None).await;
        let error = result.unwrap_err();
        assert!(error.is_redirect(), "{error:?}");
        assert_eq!(
            (error.outcome(), error.http_status()),
            (Outcome::NotApplied, Some(StatusCode::TEMPORARY_REDIRECT))
        );
        assert!(error.to_string().starts_with("http://a:2379 redirects to http://evil"), "{error}");
        assert!(!error.is_retryable());
        assert_eq!((servers.seen().len(), servers.passwords()), (1, 1));
    }
}

#[tokio::test]
async fn an_allowed_server_gets_requests_by_redirect_alone() {
    let script = |host: &str| Ok(if host == "a" { to("x") } else { answer(200, None) });
    let (result, servers) = ask(script, CallContext::default(), Some("x")).await;
    assert_eq!(result.unwrap().extensions().get::<Endpoint>().unwrap().host(), "x");
    assert_eq!((servers.seen().len(), servers.passwords()), (2, 2));
    let dead = |_: &str| Err(ConnectError::new("refused"));
    let (result, servers) = ask(dead, CallContext::default(), Some("x")).await;
    assert!(result.unwrap_err().is_connect());
    assert!(servers.seen().iter().all(|line| !line.contains("x:2379")), "{:?}", servers.seen());
}

#[tokio::test]
async fn a_circle_ends_after_five_redirects() {
    let script = |host: &str| Ok(to(if host == "a" { "b" } else { "a" }));
    let (result, servers) = ask(script, CallContext::default(), None).await;
    let error = result.unwrap_err();
    assert!(
        error.is_redirect() && error.to_string().contains("as many redirects as may be followed"),
        "{error}"
    );
    assert_eq!((servers.seen().len(), error.outcome()), (6, Outcome::NotApplied));
}

#[tokio::test]
async fn a_redirect_without_a_readable_location_proves_nothing() {
    for location in [None, Some("canary")] {
        let script = move |_: &str| Ok(answer(307, location));
        let (result, servers) = ask(script, CallContext::default(), None).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (crate::ErrorKind::Redirect, Outcome::Unknown));
        assert_eq!(servers.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_moved_path_is_never_followed() {
    for (status, outcome) in [(301, Outcome::NotApplied), (302, Outcome::Unknown), (303, Outcome::Unknown)] {
        let script = move |_: &str| Ok(answer(status, Some("http://b:2379/v2/keys/a")));
        let (result, servers) = ask(script, CallContext::default(), None).await;
        let error = result.unwrap_err();
        assert!(error.is_moved(), "{error:?}");
        assert_eq!((error.outcome(), servers.seen().len()), (outcome, 1));
        assert!(error.to_string().ends_with(&format!("(status {status})")), "{error}");
    }
}

#[tokio::test]
async fn what_the_last_server_says_decides_after_redirects() {
    let script = |host: &str| {
        let mut refused = answer(412, None);
        *refused.body_mut() =
            RespBody::from(r#"{"errorCode":101,"message":"Compare failed","cause":"","index":9}"#);
        Ok(if host == "a" { to("b") } else { refused })
    };
    let (result, _) = ask(script, CallContext::default(), None).await;
    let response = result.unwrap();
    assert_eq!(response.status(), 412);
    assert_eq!(response.extensions().get::<crate::Attempts>().unwrap().outcome(), Outcome::NotApplied);
}

#[tokio::test]
async fn a_redirect_to_a_dead_server_lets_the_call_go_on_to_each_other_one_once() {
    let script = |host: &str| if host == "c" { Err(ConnectError::new("refused")) } else { Ok(to("c")) };
    let (result, servers) = ask(script, CallContext::default(), None).await;
    let error = result.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
    let hosts: Vec<_> = servers.seen().iter().map(|line| line.chars().nth(11).unwrap()).collect();
    assert_eq!(hosts, ['a', 'c', 'b', 'c']);
}

#[tokio::test]
async fn a_pinned_call_is_not_led_to_another_server() {
    let context = CallContext { pinned: Some("a".parse().unwrap()), ..CallContext::default() };
    let (result, servers) = ask(|_: &str| Ok(to("b")), context, None).await;
    assert!(result.unwrap_err().is_redirect());
    assert_eq!(servers.seen().len(), 1);
}

#[tokio::test]
async fn a_call_to_the_leader_follows_the_location_and_else_asks_the_next_member() {
    let context =
        || CallContext { leader_only: true, idempotence: Idempotence::Read, ..CallContext::default() };
    let script = |host: &str| Ok(if host == "c" { answer(200, None) } else { to("c") });
    let (result, servers) = ask(script, context(), None).await;
    assert_eq!((result.unwrap().status().as_u16(), servers.seen().len()), (200, 2));
    let script = |host: &str| Ok(if host == "c" { answer(200, None) } else { to("evil") });
    let (result, servers) = ask(script, context(), None).await;
    assert_eq!((result.unwrap().status().as_u16(), servers.seen().len()), (200, 3));
}

#[tokio::test]
async fn a_streamed_body_is_not_sent_twice() {
    let inner = service_fn(async |_: Request<ReqBody>| {
        let mut response = to("b");
        response.extensions_mut().insert("a".parse::<Endpoint>().unwrap());
        Ok::<_, BoxError>(response)
    });
    let service =
        ServiceBuilder::new().layer(RedirectLayer::new(Endpoints::parse("a, b").unwrap())).service(inner);
    let body = ReqBody::stream(RespBody::from("value=1"));
    let request = Request::put("/v2/keys/a").body(body).unwrap();
    let error = service.oneshot(request).await.unwrap_err();
    assert!(error.is_redirect() && error.to_string().contains("only once"), "{error}");
}

#[tokio::test]
async fn in_a_foreign_stack_what_follows_is_pinned_to_the_other_server() {
    let inner = service_fn(async |request: Request<ReqBody>| {
        let pinned = CallContext::of(request.extensions()).pinned;
        let mut response = if pinned.is_some() { answer(200, None) } else { to("b") };
        response.extensions_mut().insert(pinned.unwrap_or_else(|| "a".parse().unwrap()));
        Ok::<_, BoxError>(response)
    });
    let service =
        ServiceBuilder::new().layer(RedirectLayer::new(Endpoints::parse("a, b").unwrap())).service(inner);
    let response = service.oneshot(Request::put("/v2/keys/a").body(ReqBody::empty()).unwrap()).await.unwrap();
    assert_eq!(response.extensions().get::<Endpoint>().unwrap().host(), "b");
}
