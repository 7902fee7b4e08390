//! A leader whose followers stand still: it takes writes and decides nothing.

use etcd_client::v2::Compare;
use etcd_client::{Error, Outcome};
use etcd_testkit::real::Server;
use etcd_tests::failover::Proxied;
use etcd_tests::{each_real_server, eventually};
use http::Method;

const KEYS: [&str; 4] = ["/lost/set", "/lost/updated", "/lost/swapped", "/lost/deleted"];

#[tokio::test]
async fn a_plain_write_without_a_quorum_is_unknown_and_was_sent_once() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            let (proxied, leader) = Proxied::leader_first(server).await;
            let client = proxied.client().build().expect("proxies have endpoints");
            let mut index = None;
            for key in KEYS {
                index = Some(proxied.direct().set(key, "before").await.expect("a healthy cluster").index());
            }
            // The last one written is the one that is compared.
            let swapped = proxied.direct().set(KEYS[2], "before").await.expect("a healthy cluster");
            assert!(Some(swapped.index()) > index);

            let followers: Vec<_> = (0..3).filter(|place| *place != leader).collect();
            for place in &followers {
                server.member(*place).stop().unwrap_or_else(|error| panic!("{error}"));
            }
            // At the same time, for the server sits on each for seven seconds.
            let told = tokio::join!(
                async { client.set(KEYS[0], "after").await },
                async { client.update(KEYS[1], "after").await },
                async { client.compare_and_swap(KEYS[2], "after", Compare::index(swapped.index())).await },
                async { client.delete(KEYS[3]).await },
                async { client.create_in_order("/lost/queue", "after").await },
            );
            for place in followers {
                server.member(place).resume().unwrap_or_else(|error| panic!("{error}"));
            }

            let direct = proxied.direct();
            eventually("a write with a quorum", async || direct.set("/lost/back", "1").await.ok()).await;
            let told = [told.0, told.1, told.2, told.3, told.4].map(Result::err);
            let methods = [Method::PUT, Method::PUT, Method::PUT, Method::DELETE, Method::POST];
            let keys = KEYS.into_iter().chain(["/lost/queue"]);
            for ((told, key), method) in told.iter().zip(keys).zip(methods) {
                assert_eq!(told.as_ref().map(Error::outcome), Some(Outcome::Unknown), "{key}: {told:?}");
                let path = format!("/v2/keys{key}");
                // Of all members, not of the leader alone; and also after there was a quorum again.
                assert_eq!(proxied.attempts(&method, &path), 1, "{method} {key}: {told:?}");
                assert_eq!(proxied.forwarded(&method, &path), 1, "{method} {key}: {told:?}");
            }
        },
    )
    .await;
}
