use std::sync::atomic::{AtomicUsize, Ordering};

use etcd_proto::{Idempotence, Outcome};
use tower::ServiceExt;
use tower_layer::Layer;

use super::*;
use crate::{Attempts, ConnectError, RespBody};

/// Servers that answer with their own absolute URI; those whose host begins with `dead` cannot be reached,
/// those with `cut` break off.
#[derive(Clone)]
struct Peers;

impl Service<Request<ReqBody>> for Peers {
    type Response = Response<RespBody>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Response<RespBody>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let host = request.uri().host().unwrap();
        std::future::ready(if host.starts_with("dead") {
            Err(ConnectError::new("refused").into())
        } else if host.starts_with("foreign") {
            Err("foreign".into())
        } else {
            Ok(Response::builder()
                .header("seen", request.uri().to_string())
                .body(RespBody::default())
                .unwrap())
        })
    }
}

fn route(endpoints: &str) -> Route<Peers> {
    RouteLayer::new(endpoints.parse().unwrap()).layer(Peers)
}

fn request(context: CallContext) -> Request<ReqBody> {
    let mut request = Request::builder().uri("/v2/keys/a?b=c").body(ReqBody::empty()).unwrap();
    request.extensions_mut().insert(context);
    request
}

async fn ask(route: &Route<Peers>) -> Result<String, Error> {
    let response = route.clone().oneshot(request(CallContext::default())).await?;
    assert!(response.extensions().get::<Attempts>().is_none());
    Ok(response.headers()["seen"].to_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_uri_becomes_absolute_and_the_endpoint_is_told() {
    let response = route("a b").oneshot(request(CallContext::default())).await.unwrap();
    assert_eq!(response.headers()["seen"], "http://a:2379/v2/keys/a?b=c");
    assert_eq!(response.extensions().get::<Endpoint>().unwrap().to_string(), "http://a:2379");
}

#[tokio::test]
async fn an_address_of_version_6_stays_in_brackets() {
    assert_eq!(ask(&route("[::1]:7")).await.unwrap(), "http://[::1]:7/v2/keys/a?b=c");
}

#[tokio::test]
async fn calls_begin_with_the_same_endpoint_until_it_fails() {
    let route = route("dead b c");
    let error = ask(&route).await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!(error.endpoint().unwrap().to_string(), "http://dead:2379");
    for _ in 0..3 {
        assert_eq!(ask(&route).await.unwrap(), "http://b:2379/v2/keys/a?b=c");
    }
}

#[tokio::test]
async fn copies_of_one_call_go_to_different_endpoints_first() {
    let route = route("dead1 dead2 c");
    let mut shared = request(CallContext::default());
    let call = CallState::of(shared.extensions_mut());
    let mut asked = Vec::new();
    for _ in 0..4 {
        let mut copy = request(CallContext::default());
        copy.extensions_mut().insert(call.clone());
        let response = route.clone().oneshot(copy).await;
        asked.push(match response {
            Ok(response) => response.extensions().get::<Endpoint>().unwrap().host().to_owned(),
            Err(error) => error.endpoint().unwrap().host().to_owned(),
        });
    }
    assert_eq!(asked[..3], ["dead1", "dead2", "c"]);
    assert_eq!(call.untried(), 0);
    assert_eq!(call.attempts().len(), 2);
}

#[tokio::test]
async fn a_pinned_call_goes_to_its_endpoint_alone() {
    let pinned =
        |server: &str| CallContext { pinned: Some(server.parse().unwrap()), ..CallContext::default() };
    let route = route("a b");
    let response = route.clone().oneshot(request(pinned("b"))).await.unwrap();
    assert_eq!(response.headers()["seen"], "http://b:2379/v2/keys/a?b=c");
    let error = route.oneshot(request(pinned("c"))).await.unwrap_err();
    assert!(error.is_invalid_endpoint());
    assert_eq!(error.to_string(), "call is pinned to http://c:2379, which is not in the list of servers");
    assert_eq!(error.attempts().made(), 0);
}

#[tokio::test]
async fn the_failure_of_a_foreign_layer_does_not_speak_against_the_endpoint() {
    let route = route("foreign b");
    for _ in 0..2 {
        let error = ask(&route).await.unwrap_err();
        assert!(error.is_layer());
        assert_eq!(error.outcome(), Outcome::Unknown);
    }
}

#[tokio::test]
async fn an_earlier_sending_below_makes_a_connect_failure_unknown() {
    // A layer at the endpoint that repeats: its first copy broke off, its second found no connection.
    let repeating = tower::service_fn(async |mut request: Request<ReqBody>| {
        AttemptState::of(request.extensions_mut()).copy_goes_out();
        Err::<Response<RespBody>, _>(ConnectError::new("refused"))
    });
    let route = RouteLayer::new("a b".parse().unwrap()).layer(repeating);
    let error = route.oneshot(request(CallContext::default())).await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn a_request_of_a_call_that_is_over_goes_nowhere() {
    let mut late = request(CallContext::default());
    CallState::of(late.extensions_mut()).close();
    let error = route("a").oneshot(late).await.unwrap_err();
    assert!(error.is_deadline());
    assert_eq!(error.outcome(), Outcome::NotApplied);
}

#[test]
fn every_endpoint_has_a_service_of_its_own() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let count = tower_layer::layer_fn(move |inner: Peers| {
        count.fetch_add(1, Ordering::SeqCst);
        inner
    });
    RouteLayer::new("a b c".parse().unwrap()).endpoint_layer(count).layer(Peers);
    assert_eq!(made.load(Ordering::SeqCst), 3);
}

fn read() -> CallContext {
    CallContext { idempotence: Idempotence::Read, ..CallContext::default() }
}

/// Which host each of so many calls of this kind asks first.
async fn first_asked(route: &Route<Peers>, context: &CallContext, calls: usize) -> Vec<String> {
    let mut asked = Vec::new();
    for _ in 0..calls {
        let response = route.clone().oneshot(request(context.clone())).await;
        asked.push(match response {
            Ok(response) => response.extensions().get::<Endpoint>().unwrap().host().to_owned(),
            Err(error) => error.endpoint().unwrap().host().to_owned(),
        });
    }
    asked
}

#[tokio::test(start_paused = true)]
async fn an_ejected_endpoint_is_probed_by_one_read_and_by_no_write() {
    let layer = RouteLayer::new("dead b".parse().unwrap()).strategy(RoundRobin::new());
    let route = layer.layer(Peers);
    assert_eq!(first_asked(&route, &read(), 8).await, ["dead", "b", "dead", "b", "dead", "b", "b", "b"]);
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(first_asked(&route, &CallContext::default(), 4).await, ["b"; 4]);
    assert_eq!(first_asked(&route, &read(), 4).await, ["dead", "b", "b", "b"]);
}

#[tokio::test]
async fn a_request_for_the_leader_begins_with_the_leader() {
    let layer = RouteLayer::new("a b c".parse().unwrap());
    let route = layer.layer(Peers);
    route.table.cluster.lead(Some(&"c".parse().unwrap()));
    let context = CallContext { leader_only: true, ..read() };
    assert_eq!(first_asked(&route, &context, 2).await, ["c", "c"]);
    assert_eq!(first_asked(&route, &read(), 1).await, ["a"]);
}

#[tokio::test]
async fn a_request_that_wants_the_leader_first_begins_there_and_says_nothing_of_who_leads() {
    let route = route("a b c");
    let context = CallContext { leader_first: true, ..read() };
    assert_eq!(first_asked(&route, &context, 1).await, ["a"]);
    assert!(route.table.cluster.leader(&route.table.cluster.roster()).is_none());
    route.table.cluster.lead(Some(&"c".parse().unwrap()));
    assert_eq!(first_asked(&route, &context, 2).await, ["c", "c"]);
    assert_eq!(first_asked(&route, &read(), 1).await, ["a"]);
}

#[tokio::test]
async fn a_turn_moves_its_own_call_and_no_other() {
    let route = route("a b c");
    let turn = |turn| CallContext { turn, ..read() };
    for (turns, wanted) in [(1, "b"), (2, "c"), (4, "b")] {
        assert_eq!(first_asked(&route, &turn(turns), 2).await, [wanted, wanted]);
        assert_eq!(first_asked(&route, &read(), 1).await, ["a"]);
    }
    let pinned = CallContext { pinned: Some("c".parse().unwrap()), ..turn(1) };
    assert_eq!(first_asked(&route, &pinned, 1).await, ["c"]);
}

#[tokio::test]
async fn a_turn_that_meets_a_failure_moves_no_other_call_either() {
    let route = route("a dead c");
    assert_eq!(first_asked(&route, &CallContext { turn: 1, ..read() }, 1).await, ["dead"]);
    assert_eq!(first_asked(&route, &read(), 1).await, ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_on_a_silent_endpoint_moves_later_calls_after_a_second() {
    for (millis, wanted) in [(900, "silent"), (1000, "b")] {
        let peers = tower::service_fn(async |request: Request<ReqBody>| {
            if request.uri().host() == Some("silent") {
                std::future::pending::<()>().await;
            }
            Ok::<_, BoxError>(Response::new(RespBody::default()))
        });
        let route = RouteLayer::new("silent b".parse().unwrap()).layer(peers);
        let patience = std::time::Duration::from_millis(millis);
        let call = route.clone().oneshot(request(read()));
        assert!(tokio::time::timeout(patience, call).await.is_err());
        let call = tokio::time::timeout(patience, route.clone().oneshot(request(read()))).await;
        let asked = call.map_or("silent".to_owned(), |answer| {
            answer.unwrap().extensions().get::<Endpoint>().unwrap().host().to_owned()
        });
        assert_eq!(asked, wanted, "{millis}");
    }
}

#[derive(Debug)]
struct Picks(usize);

impl Strategy for Picks {
    fn pick(&self, _: &Servers<'_>) -> usize {
        self.0
    }
}

#[tokio::test]
async fn a_strategy_cannot_lead_out_of_the_list_or_back_to_what_was_tried() {
    let route = RouteLayer::new("a b".parse().unwrap()).strategy(Picks(9)).layer(Peers);
    assert_eq!(first_asked(&route, &read(), 1).await, ["a"]);
    let route = RouteLayer::new("a b".parse().unwrap()).strategy(Picks(0)).layer(Peers);
    let mut shared = request(read());
    let call = CallState::of(shared.extensions_mut());
    let mut asked = Vec::new();
    for _ in 0..3 {
        let mut copy = request(read());
        copy.extensions_mut().insert(call.clone());
        let response = route.clone().oneshot(copy).await.unwrap();
        asked.push(response.extensions().get::<Endpoint>().unwrap().host().to_owned());
    }
    assert_eq!(asked, ["a", "b", "a"]);
}

#[tokio::test]
async fn a_new_list_keeps_the_services_and_the_health_of_those_that_stay() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let count = tower_layer::layer_fn(move |inner: Peers| {
        count.fetch_add(1, Ordering::SeqCst);
        inner
    });
    let layer =
        RouteLayer::new("a dead c".parse().unwrap()).strategy(RoundRobin::new()).endpoint_layer(count);
    let route = layer.layer(Peers);
    assert_eq!(first_asked(&route, &read(), 9).await[6..], ["a", "dead", "c"]);
    layer.handle().set_endpoints(&"dead, d, c".parse().unwrap()).unwrap();
    // The ejected one is still passed by.
    assert_eq!(first_asked(&route, &read(), 3).await, ["d", "d", "c"]);
    assert_eq!(made.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn calls_begin_where_they_did_if_that_server_stays_and_else_with_the_best() {
    let layer = RouteLayer::new("dead b c".parse().unwrap());
    let route = layer.layer(Peers);
    assert_eq!(first_asked(&route, &read(), 2).await, ["dead", "b"]);
    layer.handle().set_endpoints(&"c, b, dead".parse().unwrap()).unwrap();
    assert_eq!(first_asked(&route, &read(), 1).await, ["b"]);
    layer.handle().set_endpoints(&"dead, c".parse().unwrap()).unwrap();
    assert_eq!(first_asked(&route, &read(), 1).await, ["c"]);
}

#[tokio::test]
async fn a_call_pinned_to_a_server_that_is_gone_is_an_error() {
    let layer = RouteLayer::new("a b".parse().unwrap());
    let route = layer.layer(Peers);
    layer.handle().set_endpoints(&"b".parse().unwrap()).unwrap();
    let pinned = CallContext { pinned: Some("a".parse().unwrap()), ..read() };
    assert!(route.oneshot(request(pinned)).await.unwrap_err().is_invalid_endpoint());
}

#[tokio::test]
async fn answers_to_requests_for_the_leader_tell_who_leads() {
    let peers = tower::service_fn(async |request: Request<ReqBody>| {
        let status = if request.uri().host() == Some("b") { 200 } else { 403 };
        Response::builder().status(status).body(RespBody::default())
    });
    let route = RouteLayer::new("a b".parse().unwrap()).layer(peers);
    let context = CallContext { leader_only: true, ..read() };
    let ask = async |context: &CallContext, call: Option<CallState>| {
        let mut request = request(context.clone());
        call.map(|call| request.extensions_mut().insert(call));
        let response = route.clone().oneshot(request).await.unwrap();
        response.extensions().get::<Endpoint>().unwrap().host().to_owned()
    };
    let call = CallState::of(&mut http::Extensions::new());
    assert_eq!(ask(&context, Some(call.clone())).await, "a");
    assert_eq!(ask(&context, Some(call)).await, "b");
    assert_eq!(ask(&context, None).await, "b");
    assert_eq!(ask(&read(), None).await, "a");
}
