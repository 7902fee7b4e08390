//! A server that cannot be reached, raced by one that can, on real sockets.

mod support;

use std::time::Duration;

use etcd_proto::Outcome;
use etcd_transport::{Attempts, CallContext, Endpoint, ErrorKind, Phase, Transport};
use support::{Peer, Reply, endpoints, hanging, ok, send, transport, write};

#[tokio::test]
async fn a_write_goes_to_the_server_that_has_a_connection_and_only_there() {
    let (dark, peer) = (hanging().await, Peer::always(Reply::Keep(ok("{}"))).await);
    let transport = transport([dark.address, peer.address]);
    let response = send(&transport, write(CallContext::default())).await.unwrap();
    let attempts = response.extensions().get::<Attempts>().unwrap();
    let lost = &attempts.as_slice()[0];
    assert_eq!((attempts.made(), lost.kind(), lost.phase()), (2, ErrorKind::Connect, Phase::Connect));
    assert_eq!((lost.outcome(), attempts.outcome()), (Outcome::NotApplied, Outcome::NotApplied));
    assert!(lost.to_string().ends_with("another endpoint had a connection first"), "{lost}");
    assert_eq!(response.extensions().get::<Endpoint>().unwrap().port(), peer.address.port());
    // Later calls begin there.
    let response = send(&transport, write(CallContext::default())).await.unwrap();
    assert_eq!(response.extensions().get::<Attempts>().unwrap().made(), 1);
    assert_eq!(peer.requests().len(), 2);
}

#[tokio::test]
async fn a_server_that_is_reached_but_silent_is_not_raced() {
    let silent = Peer::always(Reply::Hang(String::new())).await;
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let builder = Transport::builder(endpoints([silent.address, peer.address]));
    let transport = builder.connect_race(Some(Duration::from_millis(20))).build().unwrap();
    let mut context = CallContext::default();
    context.attempt_timeout = Some(Duration::from_millis(200));
    let error = send(&transport, write(context)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::AttemptTimeout, Outcome::Unknown));
    assert!(peer.requests().is_empty());
}
