//! HTTP/2 where TLS negotiates it.

use etcd_testkit::real::{Server, Tls};
use etcd_tests::each_real_server;
use futures_util::StreamExt as _;
use http::Version;

use crate::builder;
use crate::seen::Seen;

#[tokio::test]
async fn calls_share_one_connection_and_watches_have_their_own() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new()),
        async |server| {
            let seen = Seen::default();
            let client = seen.on(builder(server)).build().unwrap();
            client.set("/a", "1").await.unwrap();
            let calls = (0..8).map(|_| async { client.get("/a").await.unwrap() });
            futures_util::future::join_all(calls).await;
            assert_eq!(seen.versions(), [Version::HTTP_2; 9]);
            assert_eq!(seen.connections(), 1);

            let mut first = client.poll("/a").await.unwrap();
            let mut second = client.poll("/a").await.unwrap();
            client.set("/a", "2").await.unwrap();
            for watch in [&mut first, &mut second] {
                assert_eq!(watch.events.next().await.unwrap().unwrap().node.value.as_deref(), Some("2"));
            }
            assert_eq!(seen.versions(), [Version::HTTP_2; 12]);
            assert_eq!(seen.connections(), 2, "one for calls, one for watches");
        },
    )
    .await;
}

#[tokio::test]
async fn plain_text_stays_http_1_1() {
    each_real_server(Server::builder, async |server| {
        use etcd_testkit::Etcd as _;
        let seen = Seen::default();
        let client = seen.on(etcd_tests::patient(server.endpoints())).build().unwrap();
        client.set("/a", "1").await.unwrap();
        assert_eq!(seen.versions(), [Version::HTTP_11]);
    })
    .await;
}
