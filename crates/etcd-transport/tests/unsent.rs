//! Time is up while there is no connection yet: nothing was sent, and the next server is asked.

mod support;

use std::time::Duration;

use etcd_proto::Outcome;
use etcd_transport::{Attempts, CallContext, ErrorKind, Phase};
use support::{Peer, Reply, endpoints, hanging, ok, open, send, transport, write};

/// A context with limits that are short but real: nothing is asserted about how long anything took.
fn hasty(attempt: Option<u64>, call: Option<u64>) -> CallContext {
    let mut context = CallContext::default();
    context.attempt_timeout = attempt.map(Duration::from_millis);
    context.call_timeout = call.map(Duration::from_millis);
    context.retry = false; // one round over the servers
    context
}

#[tokio::test]
async fn an_attempt_that_ends_while_it_connects_was_not_sent_and_the_next_server_is_asked() {
    let (dark, peer) = (hanging().await, Peer::always(Reply::Keep(ok("{}"))).await);
    let builder = open([dark.address, peer.address]);
    let transport = builder.connect_race(None).build().unwrap();
    let response = send(&transport, write(hasty(Some(300), None))).await.unwrap();
    let attempts = response.extensions().get::<Attempts>().unwrap();
    let failed = &attempts.as_slice()[0];
    assert_eq!((attempts.made(), failed.kind()), (2, ErrorKind::AttemptTimeout));
    assert_eq!((failed.phase(), failed.outcome()), (Phase::Connect, Outcome::NotApplied));
    // Later calls begin with the server that answers.
    let response = send(&transport, write(CallContext::default())).await.unwrap();
    assert_eq!(response.extensions().get::<Attempts>().unwrap().made(), 1);
}

#[tokio::test]
async fn a_call_keeps_half_of_its_time_for_the_other_servers_while_it_connects() {
    let (dark, peer) = (hanging().await, Peer::always(Reply::Keep(ok("{}"))).await);
    let builder = open([dark.address, peer.address]);
    let transport = builder.connect_race(None).build().unwrap();
    let response = send(&transport, write(hasty(None, Some(400)))).await.unwrap();
    let attempts = response.extensions().get::<Attempts>().unwrap();
    assert_eq!((attempts.made(), attempts.as_slice()[0].phase()), (2, Phase::Connect));
    assert!(attempts.as_slice()[0].to_string().contains("while connecting"), "{attempts:?}");
}

#[tokio::test]
async fn a_call_whose_only_server_cannot_be_reached_in_time_was_not_applied() {
    let dark = hanging().await;
    for context in [hasty(Some(200), None), hasty(None, Some(200))] {
        let error = send(&transport([dark.address]), write(context)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotApplied, "{error:?}");
        assert!(error.is_retryable());
        assert_eq!(error.attempts().as_slice()[0].phase(), Phase::Connect);
    }
}

#[tokio::test]
async fn a_request_that_was_given_to_a_connection_counts_as_sent() {
    let peer = Peer::always(Reply::Hang(String::new())).await;
    let other = Peer::always(Reply::Keep(ok("{}"))).await;
    let transport = transport([peer.address, other.address]);
    for context in [hasty(Some(200), None), hasty(None, Some(200))] {
        let mut context = context;
        context.pinned = endpoints([peer.address]).iter().next().cloned();
        let error = send(&transport, write(context)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
        assert_eq!(error.attempts().as_slice()[0].phase(), Phase::Request);
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_layer_that_keeps_polling_what_was_given_up_cannot_send_it_any_more() {
    // Connections are not possible at first, and are when the call has long ended.
    let dark = hanging().await;
    let address = dark.address;
    let detached = tower_layer::layer_fn(|inner: etcd_transport::DynService| {
        tower::service_fn(move |request| {
            let answer = tokio::spawn(tower::ServiceExt::oneshot(inner.clone(), request));
            async move { answer.await.unwrap() }
        })
    });
    let transport = open([address]).endpoint_layer(detached).build().unwrap();
    let error = send(&transport, write(hasty(Some(200), None))).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotApplied, "{error:?}");

    let Some(stream) = dark.accept_new().await else { return };
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.peek(&mut byte)).await.unwrap();
    assert_eq!(read.unwrap_or(0), 0, "closed without a byte");
}
