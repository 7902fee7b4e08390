//! How much of a bad server callers get to feel.

mod support;

use std::time::Duration;

use etcd_proto::{BoxError, Idempotence};
use etcd_transport::retry::{Decision, End, Ending, Policy};
use etcd_transport::{
    AttemptTimeoutLayer, Attempts, CallContext, ClassifyLayer, CollectLayer, ConnectError, Ejection,
    Endpoint, ReqBody, RespBody, RetryLayer, RoundRobin, RouteLayer, Sticky, Strategy, Transport,
};
use http::{Request, Response};
use tower::{ServiceBuilder, ServiceExt};

/// Reads go on after any passing failure.
#[derive(Clone)]
struct GoOn;

impl Policy for GoOn {
    fn decide(&mut self, ending: &Ending<'_>) -> Decision {
        match &ending.end {
            End::Failure { error, .. } if error.is_retryable() => Decision::NextEndpoint,
            _ => Decision::Return,
        }
    }
}

/// One server refuses, one is silent, all others answer within 1 ms.
fn servers(list: &str, strategy: impl Strategy) -> Transport {
    let servers = tower::service_fn(async |request: Request<ReqBody>| match request.uri().host() {
        Some("refusing") => Err(BoxError::from(ConnectError::new("refused"))),
        Some("silent") => std::future::pending().await,
        _ => {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(Response::new(RespBody::from("{}")))
        }
    });
    let ejection = Ejection::default().seed(7);
    let stack = ServiceBuilder::new()
        .layer(RetryLayer::with_policy(GoOn))
        .layer(AttemptTimeoutLayer::new())
        .layer(CollectLayer::new())
        .layer(RouteLayer::with_ejection(list.parse().unwrap(), ejection).strategy(strategy))
        .layer(ClassifyLayer::new())
        .service(servers);
    Transport::new(stack)
}

/// Gets one after the other by so many callers at once; how many of them took more than one attempt.
async fn gets(transport: &Transport, callers: usize, calls: usize) -> usize {
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let transport = transport.clone();
        all.spawn(async move {
            let mut repeated = 0;
            for _ in 0..calls {
                let mut context = CallContext::default();
                context.idempotence = Idempotence::Read;
                context.attempt_timeout = Some(Duration::from_millis(500));
                let mut request = Request::new(ReqBody::empty());
                request.extensions_mut().insert(context);
                let response = transport.clone().oneshot(request).await.unwrap();
                repeated += usize::from(response.extensions().get::<Attempts>().unwrap().made() > 1);
            }
            repeated
        });
    }
    all.join_all().await.into_iter().sum()
}

#[tokio::test(start_paused = true)]
async fn a_refusing_and_a_silent_server_beside_a_good_one_cost_few_second_attempts() {
    for list in ["refusing silent good", "good refusing silent", "silent refusing good"] {
        let repeated = gets(&servers(list, Sticky), 1, 1000).await;
        assert!(repeated <= 2, "{list}: {repeated}");
        let repeated = gets(&servers(list, RoundRobin::new()), 1, 1000).await;
        assert!(repeated <= 12, "{list}: {repeated}");
        let repeated = gets(&servers(list, RoundRobin::new()), 8, 125).await;
        assert!(repeated <= 20, "{list}: {repeated}");
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_server_stays_down_a_call_takes_one_attempt() {
    for strategy in [true, false] {
        let transport = match strategy {
            true => servers("refusing good other", Sticky),
            false => servers("refusing good other", RoundRobin::new()),
        };
        assert!(gets(&transport, 1, 20).await <= 3);
        // Ten seconds: three probes or four of an endpoint that is out for 1, 2, 4 and 8 s.
        let repeated = gets(&transport, 1, 10_000).await;
        assert!(repeated <= if strategy { 0 } else { 5 }, "{repeated}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_back_gets_its_share_again() {
    let (tell, down) = tokio::sync::watch::channel(true);
    let servers = tower::service_fn(move |request: Request<ReqBody>| {
        let refuses = *down.borrow() && request.uri().host() == Some("a");
        async move {
            if refuses {
                return Err(ConnectError::new("refused"));
            }
            Ok(Response::new(RespBody::from("{}")))
        }
    });
    let route = RouteLayer::new("a b".parse().unwrap()).strategy(RoundRobin::new());
    let stack = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .layer(CollectLayer::new())
        .layer(route)
        .layer(ClassifyLayer::new())
        .service(servers);
    let transport = Transport::new(stack);
    gets(&transport, 1, 20).await;
    tell.send(false).unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    let mut hosts = Vec::new();
    for _ in 0..20 {
        let mut request = Request::new(ReqBody::empty());
        let mut context = CallContext::default();
        context.idempotence = Idempotence::Read;
        request.extensions_mut().insert(context);
        let response = transport.clone().oneshot(request).await.unwrap();
        hosts.push(response.extensions().get::<Endpoint>().unwrap().host().to_owned());
    }
    assert_eq!(hosts.iter().filter(|host| *host == "a").count(), 10, "{hosts:?}");
}
