//! What layers of others see at each seam, and what they may do there.

mod support;

use std::sync::{Arc, Mutex};

use etcd_proto::{BoxError, Outcome};
use etcd_transport::{CallContext, ReqBody};
use http::{HeaderName, HeaderValue, Request};
use support::{Peer, Reply, endpoints, ok, open, refusing, send, text, write};
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::util::{MapErrLayer, MapRequestLayer};
use tower_http::set_header::SetRequestHeaderLayer;
use tower_http::trace::TraceLayer;

/// Writes down the URI of each request that passes, and whether it carries the password.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn note(&self, request: Request<ReqBody>) -> Request<ReqBody> {
        assert!(!request.headers().contains_key("authorization"), "set below every seam");
        self.0.lock().unwrap().push(request.uri().to_string());
        request
    }

    fn uris(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A layer of tower that notes each request.
macro_rules! noting {
    ($seen:expr) => {{
        let seen = $seen.clone();
        MapRequestLayer::new(move |request: Request<ReqBody>| seen.note(request))
    }};
}

#[tokio::test]
async fn each_seam_sees_what_the_design_says() {
    let dead = refusing();
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let (calls, attempts, sends) = (Seen::default(), Seen::default(), Seen::default());
    let transport = open([dead.address, peer.address])
        .credentials("root", "canary")
        .call_layer(noting!(calls))
        .attempt_layer(noting!(attempts))
        .endpoint_layer(noting!(sends))
        .build()
        .unwrap();
    send(&transport, write(CallContext::default())).await.unwrap();
    assert_eq!(calls.uris(), ["/v2/keys/a"]);
    assert_eq!(attempts.uris(), ["/v2/keys/a", "/v2/keys/a"]);
    let [dead, peer] = [dead.address, peer.address];
    assert_eq!(sends.uris(), [format!("http://{dead}/v2/keys/a"), format!("http://{peer}/v2/keys/a")]);
}

#[tokio::test]
async fn layers_of_tower_http_work_unchanged_at_every_seam() {
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let set = |name: &'static str| {
        SetRequestHeaderLayer::overriding(HeaderName::from_static(name), HeaderValue::from_static("1"))
    };
    // TraceLayer changes the type of the response's body.
    let transport = open([peer.address])
        .call_layer(set("x-call"))
        .call_layer(TraceLayer::new_for_http())
        .attempt_layer(TraceLayer::new_for_http())
        .attempt_layer(set("x-attempt"))
        .endpoint_layer(set("x-endpoint"))
        .endpoint_layer(TraceLayer::new_for_http())
        .build()
        .unwrap();
    assert_eq!(send(&transport, write(CallContext::default())).await.unwrap().status(), 200);
    let request = peer.requests().remove(0);
    for header in ["x-call: 1", "x-attempt: 1", "x-endpoint: 1"] {
        assert!(request.contains(header), "{header} in {request}");
    }
}

#[tokio::test]
async fn the_layer_added_first_is_the_outermost() {
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let order = Seen::default();
    let mark = |name: &'static str| {
        let order = order.clone();
        MapRequestLayer::new(move |request: Request<ReqBody>| {
            order.0.lock().unwrap().push(name.into());
            request
        })
    };
    let transport = open([peer.address])
        .call_layer(mark("call 1"))
        .call_layer(mark("call 2"))
        .attempt_layer(mark("attempt 1"))
        .attempt_layer(mark("attempt 2"))
        .endpoint_layer(mark("endpoint 1"))
        .endpoint_layer(mark("endpoint 2"))
        .build()
        .unwrap();
    send(&transport, write(CallContext::default())).await.unwrap();
    assert_eq!(order.uris(), ["call 1", "call 2", "attempt 1", "attempt 2", "endpoint 1", "endpoint 2"]);
}

#[tokio::test]
async fn a_limit_at_the_endpoint_seam_holds_for_each_server_alone() {
    let first = Peer::always(Reply::Hang(String::new())).await;
    let second = Peer::always(Reply::Keep(ok("{}"))).await;
    let transport = open([first.address, second.address])
        .endpoint_layer(LoadShedLayer::new())
        .endpoint_layer(ConcurrencyLimitLayer::new(1))
        .build()
        .unwrap();
    let held = tokio::spawn({
        let transport = transport.clone();
        async move { send(&transport, write(CallContext::default())).await.map(drop) }
    });
    while first.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let error = send(&transport, write(CallContext::default())).await.unwrap_err();
    assert!(error.is_layer(), "{error:?}");
    let mut elsewhere = CallContext::default();
    elsewhere.pinned = endpoints([second.address]).iter().next().cloned();
    assert!(send(&transport, write(elsewhere)).await.is_ok());
    held.abort();
}

#[tokio::test]
async fn our_error_is_found_behind_the_errors_of_layers() {
    #[derive(Debug)]
    struct Wrapped(BoxError);
    impl std::fmt::Display for Wrapped {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("wrapped")
        }
    }
    impl std::error::Error for Wrapped {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&*self.0)
        }
    }
    let peer = Peer::always(Reply::Reset).await;
    let wrap = || MapErrLayer::new(Wrapped);
    let transport =
        open([peer.address]).call_layer(wrap()).attempt_layer(wrap()).endpoint_layer(wrap()).build().unwrap();
    let error = send(&transport, write(CallContext::default())).await.unwrap_err();
    assert!(error.is_interrupted());
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.attempts().len(), 1);
    assert_eq!(error.to_string(), "wrapped");
}

#[tokio::test]
async fn connect_failures_lead_on_behind_the_errors_of_layers_too() {
    let dead = refusing();
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let opaque = || MapErrLayer::new(std::io::Error::other::<BoxError>);
    let transport =
        open([dead.address, peer.address]).attempt_layer(opaque()).endpoint_layer(opaque()).build().unwrap();
    assert_eq!(send(&transport, write(CallContext::default())).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_layer_that_drops_all_extensions_leaves_a_client_that_works_once() {
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let forget = || {
        MapRequestLayer::new(|request: Request<ReqBody>| {
            let (mut parts, body) = request.into_parts();
            parts.extensions.clear();
            Request::from_parts(parts, body)
        })
    };
    let transport = open([peer.address])
        .call_layer(forget())
        .attempt_layer(forget())
        .endpoint_layer(forget())
        .build()
        .unwrap();
    assert_eq!(text(send(&transport, write(CallContext::default())).await.unwrap()), "{}");
    drop(peer);

    let reset = Peer::always(Reply::Reset).await;
    let transport = open([reset.address]).attempt_layer(forget()).build().unwrap();
    let error = send(&transport, write(CallContext::default())).await.unwrap_err();
    assert!(error.is_interrupted());
    assert_eq!((error.outcome(), reset.requests().len()), (Outcome::Unknown, 1));
}

#[tokio::test]
async fn a_layer_may_answer_in_place_of_the_servers() {
    let dead = refusing();
    let cached = tower_layer::layer_fn(|_: etcd_transport::DynService| {
        tower::service_fn(async |_: Request<ReqBody>| {
            Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Full::new(
                bytes::Bytes::from("cached"),
            )))
        })
    });
    let transport = open([dead.address]).call_layer(cached).build().unwrap();
    let response = send(&transport, write(CallContext::default())).await.unwrap();
    assert_eq!(http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes(), "cached");
}

#[tokio::test]
async fn a_concurrency_limit_works_at_every_seam() {
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let transport = open([peer.address])
        .call_layer(ConcurrencyLimitLayer::new(2))
        .attempt_layer(ConcurrencyLimitLayer::new(2))
        .endpoint_layer(ConcurrencyLimitLayer::new(1))
        .build()
        .unwrap();
    // More than any limit lets through at once.
    let calls = (0..8).map(|_| send(&transport, write(CallContext::default())));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|response| response.status() == 200)));
    assert_eq!(peer.requests().len(), 8);
}
