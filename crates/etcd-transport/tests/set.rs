//! Another list of servers at run time, on real sockets.

mod support;

use std::time::Duration;

use etcd_transport::{CallContext, Endpoint, Endpoints, ReqBody, Transport};
use support::{Peer, Reply, endpoints, ok, send, transport, write};

#[tokio::test]
async fn a_server_that_stays_keeps_its_connections_and_a_call_in_flight_ends_where_it_is() {
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let slow = Peer::always(Reply::Hang(String::new())).await;
    let stays = Peer::always(Reply::Keep(ok("{}"))).await;
    let joins = Peer::always(Reply::Keep(ok("{}"))).await;
    let transport = transport([slow.address, stays.address]);
    let pinned = |address| {
        let mut context = CallContext::default();
        context.pinned = endpoints([address]).iter().next().cloned();
        context.attempt_timeout = Some(Duration::from_millis(500));
        context
    };
    send(&transport, write(pinned(stays.address))).await.unwrap();
    let (clone, request) = (transport.clone(), write(pinned(slow.address)));
    let begun = std::sync::Arc::clone(&gate);
    let in_flight = tokio::spawn(async move {
        begun.notify_one();
        send(&clone, request).await
    });
    gate.notified().await;
    for _ in 0..500 {
        if !slow.requests().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    transport.set_endpoints(&endpoints([joins.address, stays.address])).unwrap();
    let error = in_flight.await.unwrap().unwrap_err();
    assert!(error.is_attempt_timeout(), "{error:?}");
    assert_eq!(error.endpoint().unwrap().port(), slow.address.port());

    let error = send(&transport, write(pinned(slow.address))).await.unwrap_err();
    assert!(error.is_invalid_endpoint());
    for peer in [&joins, &stays] {
        let response = send(&transport, write(pinned(peer.address))).await.unwrap();
        assert_eq!(response.extensions().get::<Endpoint>().unwrap().port(), peer.address.port());
    }
    assert_eq!((stays.requests().len(), stays.connections()), (2, 1));
    assert_eq!(transport.endpoints().unwrap(), endpoints([joins.address, stays.address]));
}

#[tokio::test]
async fn a_transport_of_a_service_has_no_list_to_set() {
    let double = tower::service_fn(async |_: http::Request<ReqBody>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(etcd_transport::RespBody::default()))
    });
    let error = Transport::new(double).set_endpoints(&Endpoints::parse("a").unwrap()).unwrap_err();
    assert!(error.is_invalid_endpoint());
}

#[tokio::test]
async fn a_password_is_not_given_to_a_server_that_joins() {
    let builder = || Transport::builder("127.0.0.1".parse().unwrap()).credentials("root", "canary");
    let exposed = Endpoints::parse("127.0.0.1, 10.0.0.7").unwrap();
    let error = builder().build().unwrap().set_endpoints(&exposed).unwrap_err();
    assert!(error.is_insecure_auth());
    assert!(builder().allow_plaintext_auth(true).build().unwrap().set_endpoints(&exposed).is_ok());
}
