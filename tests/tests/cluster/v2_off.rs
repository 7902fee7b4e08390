//! etcd without `--enable-v2`, which every newcomer meets first.

use etcd_client::{Error, ErrorKind, Outcome};
use etcd_testkit::Etcd as _;
use etcd_testkit::real::Server;
use etcd_tests::{each_real_server, patient, printed};

fn assert_hint(error: &Error) {
    assert!(error.is_v2_not_enabled(), "{error:?}");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::V2NotEnabled, Outcome::NotApplied));
    assert_eq!(error.http_status().unwrap().as_u16(), 404);
    let source = std::error::Error::source(error).unwrap().to_string();
    assert!(source.contains("--enable-v2"), "{source}");
    assert!(printed(error).contains("--enable-v2"));
}

#[tokio::test]
async fn every_call_of_the_v2_api_says_how_to_enable_it() {
    each_real_server(
        |binary| Server::builder(binary).without_v2(),
        async |server| {
            let client = patient(server.endpoints()).build().unwrap();
            assert_hint(&client.get("/a").await.unwrap_err());
            assert_hint(&client.exists("/a").await.unwrap_err());
            assert_hint(&client.set("/a", "1").await.unwrap_err());
            assert_hint(&client.delete("/a").await.unwrap_err());
            assert_hint(&client.create_in_order("/a", "1").await.unwrap_err());
            assert_hint(&client.watch("/a").next_event().await.unwrap_err());
            assert_hint(&client.modify("/a", |_| None).await.unwrap_err());
            assert_hint(&client.ensure_dir("/a").await.unwrap_err());
            assert_hint(&client.members().list().await.unwrap_err());
            assert_hint(&client.members().leader().await.unwrap_err());
            assert_hint(&client.stats().store().await.unwrap_err());
            assert_hint(&client.stats().leader().await.unwrap_err());
            assert_hint(&client.auth().status().await.unwrap_err());
            assert_hint(&client.machines().await.unwrap_err());
            assert_eq!(client.version().await.unwrap().server, server.version().to_string());
            assert!(client.health().await.unwrap().healthy);
        },
    )
    .await;
}
