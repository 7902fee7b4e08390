//! Redirects between servers on real sockets, with a password.

mod support;

use etcd_transport::{CallContext, Transport};
use support::{Peer, Reply, endpoints, ok, send, text, write};

fn redirect(status: &str, location: &str) -> Reply {
    Reply::Keep(format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"))
}

#[tokio::test]
async fn a_redirect_to_another_server_of_the_list_is_followed_with_the_password() {
    let leader = Peer::always(Reply::Keep(ok("{}"))).await;
    let location = format!("http://{}/v2/keys/a", leader.address);
    let follower = Peer::always(redirect("307 Temporary Redirect", &location)).await;
    let transport = Transport::builder(endpoints([follower.address, leader.address]))
        .credentials("root", "canary")
        .build()
        .unwrap();
    assert_eq!(text(send(&transport, write(CallContext::default())).await.unwrap()), "{}");
    let request = leader.requests().remove(0);
    assert!(request.starts_with("PUT /v2/keys/a HTTP/1.1\r\n") && request.ends_with("value=1"), "{request}");
    assert!(request.to_ascii_lowercase().contains("authorization: basic"), "{request}");
}

#[tokio::test]
async fn a_foreign_server_hears_nothing() {
    let foreign = Peer::always(Reply::Keep(ok("{}"))).await;
    for (status, kind) in [
        ("307 Temporary Redirect", "Redirect"),
        ("308 Permanent Redirect", "Redirect"),
        ("301 Moved Permanently", "Moved"),
        ("302 Found", "Moved"),
        ("303 See Other", "Moved"),
    ] {
        let location = format!("http://{}/v2/keys/a", foreign.address);
        let first = Peer::always(redirect(status, &location)).await;
        let transport =
            Transport::builder(endpoints([first.address])).credentials("root", "canary").build().unwrap();
        let error = send(&transport, write(CallContext::default())).await.unwrap_err();
        assert_eq!(format!("{:?}", error.kind()), kind);
        assert_eq!(foreign.connections(), 0, "{status}");
    }
}

#[tokio::test]
async fn a_foreign_server_that_was_allowed_is_asked() {
    let foreign = Peer::always(Reply::Keep(ok("{}"))).await;
    let location = format!("http://{}/v2/keys/a", foreign.address);
    let first = Peer::always(redirect("307 Temporary Redirect", &location)).await;
    let transport = Transport::builder(endpoints([first.address]))
        .allow_redirect_to(foreign.address.to_string())
        .build()
        .unwrap();
    let response = send(&transport, write(CallContext::default())).await.unwrap();
    assert_eq!((response.status().as_u16(), foreign.requests().len()), (200, 1));
}

#[test]
fn an_allowed_server_is_checked_when_the_transport_is_built() {
    let builder = || Transport::builder("127.0.0.1".parse().unwrap()).credentials("root", "canary");
    let error = builder().allow_redirect_to("a b").build().unwrap_err();
    assert!(error.is_invalid_endpoint(), "{error:?}");
    let error = builder().allow_redirect_to("elsewhere.example").build().unwrap_err();
    assert!(error.is_insecure_auth(), "{error:?}");
    assert!(error.to_string().contains("elsewhere.example"), "{error}");
}
