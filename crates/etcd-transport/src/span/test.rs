use std::io;
use std::sync::{Arc, Mutex};

use etcd_proto::BoxError;
use futures_util::FutureExt;
use http::Request;
use tower::ServiceExt;
use tower_layer::Layer;
use tracing_subscriber::fmt::format::FmtSpan;

use super::*;
use crate::{CallContext, ConnectError, ReqBody, RespBody, Transport};

/// What a subscriber at level trace writes.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let output = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::CLOSE)
            .with_ansi(false)
            .with_writer(move || output.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        self.warm_up();
        guard
    }

    /// Makes sure that this subscriber gets everything.
    ///
    /// A test without a subscriber on another thread may be the first at a span's place in the code just now.
    /// That place then keeps "nobody listens" until it is told to ask again.
    fn warm_up(&self) {
        let places = ["etcd.request{", "etcd.attempt{", "etcd_transport::body", " WARN "];
        for _ in 0..10_000 {
            tracing::callsite::rebuild_interest_cache();
            let answer = tower::service_fn(async |_: Request<ReqBody>| {
                Ok::<_, Error>(http::Response::new(RespBody::from("{}")))
            });
            let attempt = AttemptSpanLayer::new().trace_bodies(true).layer(answer);
            let call = RequestSpanLayer::new().layer(attempt).oneshot(Request::new(ReqBody::from("x")));
            assert!(call.now_or_never().is_some_and(|answer| answer.is_ok()));
            crate::route::Leave::for_tests("a b").leave();
            let text = std::mem::take(&mut *self.0.lock().unwrap());
            if places.iter().all(|place| String::from_utf8_lossy(&text).contains(place)) {
                return;
            }
            std::thread::yield_now();
        }
        panic!("nobody listens");
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The line that a span of this name writes when it closes; `nth` from 0.
    fn closed(&self, name: &str, nth: usize) -> String {
        let text = self.text();
        let mut lines = text.lines().filter(|line| line.contains("close") && ends_in_span(line, name));
        lines.nth(nth).unwrap_or_else(|| panic!("no such span in {text}")).to_owned()
    }
}

/// Whether the innermost span of a line is this one.
fn ends_in_span(line: &str, name: &str) -> bool {
    let at = |name: &str| line.rfind(&format!("{name}{{"));
    match name {
        "etcd.request" => at("etcd.request").is_some() && at("etcd.attempt").is_none(),
        name => at(name).is_some(),
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends a write through a transport whose first server is dead.
async fn send(servers: &str, trace_bodies: bool) -> Result<http::Response<RespBody>, Error> {
    let connection = tower::service_fn(async |request: Request<ReqBody>| {
        if request.uri().host() == Some("127.0.0.1") {
            return Err::<http::Response<RespBody>, BoxError>(ConnectError::new("refused").into());
        }
        let body = RespBody::from("value-of-the-answer");
        Ok(http::Response::builder().header("x-etcd-index", "42").body(body).unwrap())
    });
    let transport = Transport::builder(servers.parse().unwrap())
        .credentials("root", "canary")
        .trace_bodies(trace_bodies)
        .build_with(connection)
        .unwrap();
    let mut request =
        Request::builder().method("PUT").uri("/v2/keys/the-key").body("value=of-the-request".into()).unwrap();
    request.extensions_mut().insert(CallContext { operation: "set", retry: false, ..CallContext::default() });
    transport.oneshot(request).await
}

#[tokio::test]
async fn a_call_and_its_attempts_are_spans_with_their_fields() {
    let output = Output::default();
    let _guard = output.listen();
    send("127.0.0.1 localhost", false).await.unwrap();

    let request = output.closed("etcd.request", 0);
    for field in [
        "etcd.op=\"set\"",
        "http.request.method=\"PUT\"",
        "attempts=2",
        "http.response.status_code=200",
        "etcd.index=42",
        "elapsed_ms=",
    ] {
        assert!(request.contains(field), "{field} in {request}");
    }
    let first = output.closed("etcd.attempt", 0);
    for field in [
        "attempt=1",
        "server.address=http://127.0.0.1:2379",
        "error.kind=\"connect\"",
        "etcd.outcome=not applied",
    ] {
        assert!(first.contains(field), "{field} in {first}");
    }
    let second = output.closed("etcd.attempt", 1);
    for field in ["attempt=2", "server.address=http://localhost:2379", "http.response.status_code=200"] {
        assert!(second.contains(field), "{field} in {second}");
    }
}

#[tokio::test]
async fn a_failover_is_told_once_at_level_warn() {
    let output = Output::default();
    let _guard = output.listen();
    send("127.0.0.1 localhost", false).await.unwrap();
    assert_eq!(output.text().matches(" WARN ").count(), 1, "{}", output.text());
    assert!(!output.text().contains("ERROR"));
}

#[tokio::test]
async fn servers_that_are_all_down_are_told_once_each_and_not_by_every_call() {
    let output = Output::default();
    let _guard = output.listen();
    let refusing = tower::service_fn(async |_: Request<ReqBody>| {
        Err::<http::Response<RespBody>, _>(ConnectError::new("no"))
    });
    let transport = Transport::builder("a b c".parse().unwrap()).build_with(refusing).unwrap();
    for _ in 0..5 {
        let mut request = Request::builder().uri("/v2/keys/a").body(ReqBody::empty()).unwrap();
        request.extensions_mut().insert(CallContext { retry: false, ..CallContext::default() });
        assert_eq!(transport.clone().oneshot(request).await.unwrap_err().attempts().made(), 3);
    }
    assert_eq!(output.text().matches(" WARN ").count(), 3, "{}", output.text());
}

#[tokio::test]
async fn a_server_that_fails_again_after_it_has_served_is_told_again() {
    let output = Output::default();
    let _guard = output.listen();
    let down = Arc::new(Mutex::new("a"));
    let which = Arc::clone(&down);
    let servers = tower::service_fn(move |request: Request<ReqBody>| {
        let down = request.uri().host() == Some(*which.lock().unwrap());
        async move {
            if down { Err(ConnectError::new("no")) } else { Ok(http::Response::new(RespBody::default())) }
        }
    });
    let transport = Transport::builder("a b".parse().unwrap()).build_with(servers).unwrap();
    for (told, server) in ["a", "b", "a", "a"].into_iter().enumerate() {
        *down.lock().unwrap() = server;
        let request = Request::builder().uri("/v2/keys/a").body(ReqBody::empty()).unwrap();
        transport.clone().oneshot(request).await.unwrap();
        // The last call begins with `b`, and sees nothing of `a`.
        assert_eq!(output.text().matches(" WARN ").count(), (told + 1).min(3), "{}", output.text());
    }
}

#[tokio::test]
async fn neither_keys_nor_values_nor_secrets_are_told() {
    let output = Output::default();
    let _guard = output.listen();
    send("127.0.0.1 localhost", false).await.unwrap();
    send("127.0.0.1", false).await.unwrap_err();
    let text = output.text();
    assert!(text.contains("etcd.attempt"));
    for secret in ["the-key", "of-the-request", "of-the-answer", "canary", "cm9vdDpjYW5hcnk", "uthorization"]
    {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn bodies_are_shown_on_request_only_and_never_the_authorization() {
    let output = Output::default();
    let _guard = output.listen();
    send("localhost", true).await.unwrap();
    let text = output.text();
    for shown in ["TRACE", "etcd_transport::body", "value=of-the-request", "value-of-the-answer"] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    assert!(!text.contains("canary") && !text.contains("cm9vdDpjYW5hcnk"), "{text}");
}

#[tokio::test]
async fn a_foreign_failure_is_recorded_as_one() {
    let output = Output::default();
    let _guard = output.listen();
    let inner = tower::service_fn(async |_: Request<ReqBody>| {
        Err::<http::Response<RespBody>, BoxError>("overloaded".into())
    });
    let error =
        RequestSpanLayer::new().layer(inner).oneshot(Request::new(ReqBody::empty())).await.unwrap_err();
    assert!(error.is_layer());
    let line = output.closed("etcd.request", 0);
    assert!(line.contains("error.kind=\"layer\"") && line.contains("etcd.outcome=unknown"), "{line}");
}
