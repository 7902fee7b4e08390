//! Which server gets a request, and how often.

mod support;

use etcd_proto::{Idempotence, Outcome};
use etcd_transport::{Attempts, CallContext, Endpoint, ErrorKind, Phase};
use support::{Peer, Reply, endpoints, ok, open, refusing, send, text, transport, write};

/// A context with which every server is asked at most once.
fn one_round() -> CallContext {
    let mut context = CallContext::default();
    context.retry = false;
    context
}

#[tokio::test]
async fn past_a_dead_server_to_the_next_and_then_there_from_the_beginning() {
    let dead = refusing();
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let transport = transport([dead.address, peer.address]);
    let response = send(&transport, write(CallContext::default())).await.unwrap();
    let attempts = response.extensions().get::<Attempts>().unwrap().clone();
    assert_eq!((attempts.made(), attempts.len()), (2, 1));
    let failed = &attempts.as_slice()[0];
    assert_eq!(failed.endpoint().port(), dead.address.port());
    assert_eq!((failed.phase(), failed.outcome()), (Phase::Connect, Outcome::NotApplied));
    assert_eq!(response.extensions().get::<Endpoint>().unwrap().port(), peer.address.port());
    assert_eq!(text(response), "{}");

    for _ in 0..2 {
        let response = send(&transport, write(CallContext::default())).await.unwrap();
        assert_eq!(response.extensions().get::<Attempts>().unwrap().made(), 1);
    }
    assert_eq!((peer.requests().len(), peer.connections()), (3, 1));
}

#[tokio::test]
async fn clones_share_what_one_of_them_has_learned() {
    let dead = refusing();
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let transport = transport([dead.address, peer.address]);
    let clone = transport.clone();
    send(&transport, write(CallContext::default())).await.unwrap();
    let response = send(&clone, write(CallContext::default())).await.unwrap();
    assert_eq!(response.extensions().get::<Attempts>().unwrap().made(), 1);
}

#[tokio::test]
async fn servers_that_all_refuse_are_all_listed_and_nothing_was_applied() {
    let dead = [refusing(), refusing(), refusing()];
    let addresses = [dead[0].address, dead[1].address, dead[2].address];
    let error = send(&transport(addresses), write(one_round())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(error.is_retryable());
    let [a, b, c] = addresses;
    assert_eq!(error.to_string(), format!("cannot connect to http://{a}, http://{b}, http://{c}"));
    for (attempt, address) in error.attempts().iter().zip(addresses) {
        assert_eq!(attempt.endpoint().to_string(), format!("http://{address}"));
        assert!(attempt.to_string().contains("refused"), "{attempt}");
    }
    assert_eq!(error.attempts().len(), 3);
    // The cause of the operating system is at the end of the chain.
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    assert_eq!(cause.downcast_ref::<std::io::Error>().unwrap().kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn an_unknown_host_is_a_failure_to_connect_too() {
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let list = format!("no-such-host.invalid:1, {}", peer.address);
    let transport = etcd_transport::Transport::builder(list.parse().unwrap()).build().unwrap();
    let response = send(&transport, write(CallContext::default())).await.unwrap();
    assert_eq!(response.extensions().get::<Attempts>().unwrap().as_slice()[0].kind(), ErrorKind::Connect);
}

#[tokio::test]
async fn a_connect_that_takes_too_long_is_a_failure_to_connect() {
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let transport = open([peer.address]).connect_timeout(std::time::Duration::ZERO).build().unwrap();
    let error = send(&transport, write(one_round())).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotApplied));
    assert!(error.attempts().as_slice()[0].to_string().ends_with(": no connection within 0ns"));
    assert_eq!(peer.requests().len(), 0);
}

#[tokio::test]
async fn a_write_that_was_read_and_then_reset_is_never_sent_twice() {
    for idempotence in [Idempotence::Once, Idempotence::Guarded] {
        let (first, second) = (Peer::always(Reply::Reset).await, Peer::always(Reply::Keep(ok("{}"))).await);
        let transport = transport([first.address, second.address]);
        let mut context = CallContext::default();
        context.idempotence = idempotence;
        let error = send(&transport, write(context)).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Interrupted, Outcome::Unknown));
        assert!(!error.is_retryable());
        assert_eq!((first.requests().len(), second.requests().len()), (1, 0));
        assert_eq!(error.attempts().as_slice()[0].phase(), Phase::Request);
        // The server is out of favour all the same.
        send(&transport, write(CallContext::default())).await.unwrap();
        assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
    }
}

#[tokio::test]
async fn a_reset_read_has_nothing_to_apply() {
    let peer = Peer::always(Reply::Reset).await;
    let mut context = CallContext::default();
    context.idempotence = Idempotence::Read;
    context.max_attempts = Some(2);
    let error = send(&transport([peer.address]), write(context)).await.unwrap_err();
    assert_eq!((error.attempts().made(), peer.requests().len()), (2, 2));
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Interrupted, Outcome::NotApplied));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_pooled_connection_that_the_server_has_closed_is_replaced() {
    let mut peer = Peer::always(Reply::Close(ok("{}"))).await;
    let transport = transport([peer.address]);
    for number in 1..=3 {
        let response = send(&transport, write(CallContext::default())).await.unwrap();
        assert_eq!(response.extensions().get::<Attempts>().unwrap().made(), 1);
        peer.closed(number).await;
        // The runtime has to look at the socket once; one thread, so turns are enough.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!((peer.requests().len(), peer.connections()), (3, 3));
}

#[tokio::test]
async fn a_pinned_call_goes_nowhere_else() {
    let dead = refusing();
    let peer = Peer::always(Reply::Keep(ok("{}"))).await;
    let transport = transport([peer.address, dead.address]);
    let mut context = one_round();
    context.pinned = endpoints([dead.address]).iter().next().cloned();
    let error = send(&transport, write(context)).await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!((error.attempts().len(), peer.requests().len()), (1, 0));
}

#[tokio::test]
async fn a_request_for_the_leader_goes_round_until_it_is_found() {
    let body = r#"{"message":"not current leader"}"#;
    let refusal = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let redirect =
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n".to_owned();
    let (first, second) =
        (Peer::always(Reply::Keep(refusal)).await, Peer::always(Reply::Keep(redirect)).await);
    let leader = Peer::always(Reply::Keep(ok("{}"))).await;
    let transport = transport([first.address, second.address, leader.address]);
    let mut context = CallContext::default();
    context.leader_only = true;
    context.idempotence = Idempotence::Read;
    let response = send(&transport, write(context)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
    // A refusal does not speak against the server: other requests still begin with it.
    assert_eq!(send(&transport, write(CallContext::default())).await.unwrap().status(), 403);
}
