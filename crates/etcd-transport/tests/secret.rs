//! The password goes to the servers, and nowhere else.

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use etcd_transport::{CallContext, Transport};
use support::{Peer, Reply, endpoints, ok, refusing, send, write};
use tower_http::trace::TraceLayer;
use tracing_subscriber::fmt::format::FmtSpan;

const PASSWORD: &str = "canary-5f1c";
/// `root:canary-5f1c` and `canary-5f1c` in base64, as far as it does not depend on what follows.
const ENCODED: [&str; 2] = ["cm9vdDpjYW5hcnktNWYxY", "Y2FuYXJ5LTVmMW"];

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[track_caller]
fn assert_clean(text: &str) {
    for secret in [PASSWORD, ENCODED[0], ENCODED[1]] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn every_attempt_is_authorized_and_the_password_appears_nowhere() {
    let output = Output::default();
    let writer = output.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let refusal = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n";
    let first = Peer::always(Reply::Keep(refusal.into())).await;
    let second =
        Peer::scripted(|number, _| if number == 0 { Reply::Keep(ok("{}")) } else { Reply::Reset }).await;
    let dead = refusing();
    let trace = TraceLayer::new_for_http;
    let builder = Transport::builder(endpoints([dead.address, first.address, second.address]))
        .credentials("root", PASSWORD)
        .trace_bodies(true)
        .call_layer(trace())
        .attempt_layer(trace())
        .endpoint_layer(trace());
    let mut printed = format!("{builder:?} ");
    let transport = builder.build().unwrap();
    printed += &format!("{transport:?} ");

    let mut context = CallContext::default();
    context.leader_only = true;
    context.idempotence = etcd_proto::Idempotence::Read;
    let response = send(&transport, write(context)).await.unwrap();
    printed += &format!("{response:?} ");
    let mut pinned = CallContext::default();
    pinned.pinned = endpoints([second.address]).iter().next().cloned();
    let error = send(&transport, write(pinned)).await.unwrap_err();
    printed += &format!("{error} {error:?} {:#?} ", error.attempts());

    let requests = [first.requests(), second.requests()].concat();
    assert_eq!(requests.len(), 3);
    for request in requests {
        let request = request.to_ascii_lowercase();
        assert_eq!(
            request.matches("\r\nauthorization: basic cm9vddpjyw5hcnktnwyxyw==\r\n").count(),
            1,
            "{request}"
        );
        assert!(request.contains("\r\nuser-agent: etcd-transport/"), "{request}");
    }
    assert_clean(&printed);
    let told = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    assert!(told.contains("etcd.attempt") && told.contains("value=1"), "the subscriber listens");
    assert_clean(&told);
}
