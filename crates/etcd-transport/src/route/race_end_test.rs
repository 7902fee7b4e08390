//! What follows when a race is over.

use super::*;
use crate::{CollectLayer, DynService, RedirectLayer, ReissueLayer, RetryConfig, RouteHandle};

/// As [`Pool`], but `c1` leads every request to this host.
#[derive(Clone)]
struct Redirecting(Pool, &'static str);

impl Service<Request<ReqBody>> for Redirecting {
    type Response = Response<RespBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let leads = request.uri().host() == Some("c1");
        let location = format!("http://{}:2379/v2/keys/a", self.1);
        let answer = self.0.call(request);
        Box::pin(async move {
            let response = answer.await?;
            if !leads {
                return Ok(response);
            }
            Ok(Response::builder().status(307).header("location", location).body(RespBody::default())?)
        })
    }
}

fn redirecting(endpoints: &str, to: &'static str, pool: &Pool) -> (Transport, RouteHandle) {
    let layer = RouteLayer::new(endpoints.parse().unwrap());
    let handle = layer.handle();
    let bottom = ServiceBuilder::new().layer(ClassifyLayer::new()).service(Redirecting(pool.clone(), to));
    let stack = ServiceBuilder::new()
        .layer(DeadlineLayer::new())
        .layer(RetryLayer::new().config(&RetryConfig::off()))
        .layer(AttemptTimeoutLayer::new())
        .layer(CollectLayer::new())
        .layer(RedirectLayer::among(handle.clone()))
        .service(tower_layer::Layer::layer(&layer, bottom));
    (Transport::new(stack), handle)
}

/// The layers above this router.
fn above(route: DynService) -> Transport {
    let stack = ServiceBuilder::new()
        .layer(DeadlineLayer::new())
        .layer(RetryLayer::new().config(&RetryConfig::off()))
        .layer(AttemptTimeoutLayer::new())
        .layer(CollectLayer::new())
        .service(route);
    Transport::new(stack)
}

fn bottom(pool: &Pool) -> crate::Classify<Pool> {
    ServiceBuilder::new().layer(ClassifyLayer::new()).service(pool.clone())
}

#[tokio::test(start_paused = true)]
async fn a_redirect_of_the_rival_that_won_is_followed_and_the_loser_is_told() {
    let pool = Pool::default();
    let (transport, _) = redirecting("x c1 c2", "c2", &pool);
    let (host, lost, millis) = write(&transport).await;
    assert_eq!((host.as_str(), lost), ("c2", hosts(&["x"])));
    assert!((250..260).contains(&millis), "{millis}");
    assert_eq!(pool.sent(), ["c1", "c2"]);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_of_the_rival_that_won_to_a_server_that_refuses_goes_on_to_the_one_that_is_left() {
    let pool = Pool::default();
    let (transport, _) = redirecting("x c1 r0 c3", "r0", &pool);
    let (host, lost, _) = write(&transport).await;
    assert_eq!((host.as_str(), lost), ("c3", hosts(&["x", "r0"])));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_to_a_server_that_hangs_leaves_the_others_to_ask() {
    let pool = Pool::default();
    let (transport, _) = redirecting("c1 x c3", "x", &pool);
    let context = CallContext { attempt_timeout: Some(Duration::from_secs(1)), ..CallContext::default() };
    let response = transport.oneshot(request(context)).await.unwrap();
    assert_eq!(response.extensions().get::<Endpoint>().unwrap().host(), "c3");
    assert_eq!(pool.sent(), ["c1", "c3"]);
}

#[tokio::test(start_paused = true)]
async fn a_first_that_wins_and_is_silent_is_beside_a_second_copy_after_its_delay() {
    let pool = Pool::default();
    let stack = ServiceBuilder::new()
        .layer(DeadlineLayer::new())
        .layer(ReissueLayer::new())
        .layer(RetryLayer::new())
        .layer(AttemptTimeoutLayer::new())
        .layer(CollectLayer::new())
        .service(route("sc260 c20", &pool));
    let began = Instant::now();
    let context = CallContext { idempotence: Idempotence::Read, reissue: true, ..CallContext::default() };
    Transport::new(stack).oneshot(request(context)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(pool.sent(), ["sc260", "c20"]);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_the_call_names_the_server_that_was_asked_and_not_one_that_lost() {
    let pool = Pool::default();
    let context = CallContext {
        attempt_timeout: None,
        call_timeout: Some(Duration::from_secs(2)),
        ..CallContext::default()
    };
    let error = stack("sc300 c400", &pool).oneshot(request(context)).await.unwrap_err();
    assert!(error.is_deadline());
    assert_eq!(error.endpoint().unwrap().host(), "sc300");
}

#[tokio::test(start_paused = true)]
async fn a_rival_that_waits_for_its_turn_above_the_pool_does_not_win() {
    let pool = Pool::default();
    let route = RouteLayer::new("c300 sc1".parse().unwrap())
        .endpoint_layer(tower::limit::ConcurrencyLimitLayer::new(1));
    let transport = above(DynService::new(tower_layer::Layer::layer(&route, bottom(&pool))));
    let busy = CallContext {
        pinned: Some("sc1".parse().unwrap()),
        call_timeout: None,
        attempt_timeout: None,
        ..CallContext::default()
    };
    let _busy = tokio::spawn(transport.clone().oneshot(request(busy)));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (host, lost, millis) = write(&transport).await;
    assert_eq!((host.as_str(), lost), ("c300", hosts(&["sc1"])));
    assert!((300..310).contains(&millis), "{millis}");
    assert_eq!(pool.sent(), ["sc1", "c300"]);
}

#[tokio::test(start_paused = true)]
async fn a_rival_that_a_layer_refuses_fails_alone() {
    let pool = Pool::default();
    let shed = tower_layer::layer_fn(|inner: crate::Classify<Pool>| {
        tower::service_fn(move |request: Request<ReqBody>| {
            let inner = inner.clone();
            async move {
                if request.uri().host() == Some("c1") {
                    return Err(BoxError::from("overloaded"));
                }
                inner.oneshot(request).await.map_err(BoxError::from)
            }
        })
    });
    let route = RouteLayer::new("c300 c1".parse().unwrap()).endpoint_layer(shed);
    let transport = above(DynService::new(tower_layer::Layer::layer(&route, bottom(&pool))));
    let (host, lost, _) = write(&transport).await;
    assert_eq!((host.as_str(), lost), ("c300", hosts(&["c1"])));
    assert_eq!(pool.sent(), ["c300"]);
}

#[tokio::test(start_paused = true)]
async fn a_rival_that_a_layer_has_given_up_is_not_sent_behind_its_back() {
    // The layer leaves the request in a task that goes on.
    let pool = Pool::default();
    let impatient = tower_layer::layer_fn(|inner: crate::Classify<Pool>| {
        tower::service_fn(move |request: Request<ReqBody>| {
            let hurried = request.uri().host() == Some("c20");
            let answer = inner.clone().oneshot(request);
            async move {
                if !hurried {
                    return answer.await.map_err(BoxError::from);
                }
                let task = tokio::spawn(answer);
                tokio::time::timeout(Duration::from_millis(10), task).await?.unwrap().map_err(BoxError::from)
            }
        })
    });
    let route = RouteLayer::new("c300 c20".parse().unwrap()).endpoint_layer(impatient);
    let transport = above(DynService::new(tower_layer::Layer::layer(&route, bottom(&pool))));
    let (host, lost, _) = write(&transport).await;
    assert_eq!((host.as_str(), lost), ("c300", hosts(&["c20"])));
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(pool.sent(), ["c300"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_make_one_attempt_is_not_raced_whoever_says_so() {
    let call = CallContext { max_attempts: Some(1), ..CallContext::default() };
    for (context, limit) in [(call, None), (CallContext::default(), Some(1))] {
        let pool = Pool::default();
        let stack = ServiceBuilder::new()
            .layer(RetryLayer::new().config(&RetryConfig::new().max_attempts(limit)))
            .service(route("c400 c0", &pool));
        let response = Transport::new(stack).oneshot(request(context)).await.unwrap();
        assert_eq!(response.extensions().get::<Attempts>().unwrap().made(), 1);
        assert_eq!(pool.sent(), ["c400"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_loser_of_a_short_race_has_had_too_little_time_to_speak_against_its_endpoint() {
    let pool = Pool::default();
    let layer = RouteLayer::new("c100 c50".parse().unwrap()).connect_race(Some(Duration::from_millis(20)));
    let stack = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .service(tower_layer::Layer::layer(&layer, bottom(&pool)));
    let transport = Transport::new(stack);
    for _ in 0..2 {
        let (host, lost, millis) = write(&transport).await;
        assert_eq!((host.as_str(), lost), ("c50", hosts(&["c100"])));
        assert!((70..80).contains(&millis), "calls begin where they did: {millis}");
    }
}
