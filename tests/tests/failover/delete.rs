//! A repeated delete meets its own success, and cannot know.

use etcd_client::Outcome;
use etcd_testkit::proxy::{Fault, Rule};
use etcd_testkit::real::Server;
use etcd_tests::each_real_server;
use etcd_tests::failover::Proxied;
use http::{Method, StatusCode};

#[tokio::test]
async fn a_repeated_delete_that_finds_no_key_is_unknown() {
    let lost = [Fault::DropAnswer, Fault::ResetAnswer, Fault::GatewayAfter(StatusCode::GATEWAY_TIMEOUT)];
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            for fault in &lost {
                let proxied = Proxied::all(server).await;
                proxied.direct().set("/deleted", "1").await.expect("a healthy cluster");
                proxied.add_to_first(Rule::new(fault.clone()).method(Method::DELETE).nth(1));
                let client = proxied.client().build().expect("proxies have endpoints");
                let error = client.delete("/deleted").idempotent(true).await.unwrap_err();
                assert_eq!(error.outcome(), Outcome::Unknown, "{fault:?}: {error:?}");
                assert!(error.is_key_not_found(), "{fault:?}: {error:?}");
                assert_eq!(proxied.forwarded(&Method::DELETE, "/v2/keys/deleted"), 2, "{fault:?}: {error:?}");
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_delete_that_never_left_before_and_finds_no_key_is_not_applied() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            let proxied = Proxied::all(server).await;
            proxied.refuse_at_first().await;
            let client = proxied.client().build().expect("proxies have endpoints");
            let error = client.delete("/never-there").idempotent(true).await.unwrap_err();
            assert!(error.is_key_not_found(), "{error:?}");
            assert_eq!((error.outcome(), error.attempts().made()), (Outcome::NotApplied, 2), "{error:?}");
            assert_eq!(proxied.forwarded(&Method::DELETE, "/v2/keys/never-there"), 1);
        },
    )
    .await;
}
