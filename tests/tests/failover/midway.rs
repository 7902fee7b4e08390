//! A member that is killed while it has requests.

use etcd_client::Outcome;
use etcd_client::v2::Compare;
use etcd_testkit::real::Server;
use etcd_tests::failover::Proxied;
use etcd_tests::{each_real_server, eventually};
use http::Method;

const PUT: Method = Method::PUT;

#[tokio::test]
async fn what_a_killed_member_had_is_unknown_and_was_sent_once() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            let (proxied, leader) = Proxied::leader_first(server).await;
            let client = proxied.client().build().expect("proxies have endpoints");
            let swapped = proxied.direct().set("/midway/swapped", "0").await.expect("a healthy cluster");
            let told = tokio::join!(
                async { client.set("/midway/set", "1").await },
                async {
                    client.compare_and_swap("/midway/swapped", "1", Compare::index(swapped.index())).await
                },
                async { client.create("/midway/created", "1").await },
                async { client.create_in_order("/midway/queue", "1").await },
                kill_at(server, leader, &proxied, &[PUT, PUT, PUT, Method::POST], &SENT),
            );
            let told = [told.0, told.1, told.2, told.3];
            for ((told, method), path) in told.into_iter().zip([PUT, PUT, PUT, Method::POST]).zip(SENT) {
                let outcome = told.as_ref().err().map(etcd_client::Error::outcome);
                assert_eq!(outcome, Some(Outcome::Unknown), "{path}: {told:?}");
                assert_eq!(proxied.attempts(&method, path), 1, "{path}: {told:?}");
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_resolved_write_that_a_killed_member_had_is_made_once_by_another() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            let (proxied, leader) = Proxied::leader_first(server).await;
            let client = proxied.client().build().expect("proxies have endpoints");
            let before = proxied.direct().set("/midway/resolved", "0").await.expect("a healthy cluster");
            let value = format!("mine {}", fastrand::u64(..));
            let (told, ()) = tokio::join!(
                async {
                    let swap = client.compare_and_swap(
                        "/midway/resolved",
                        value.as_str(),
                        Compare::index(before.index()),
                    );
                    swap.resolve(true).await
                },
                kill_at(server, leader, &proxied, &[PUT], &["/v2/keys/midway/resolved"]),
            );
            let told = told.expect("two members are left");
            let read = proxied.direct().get("/midway/resolved").quorum(true).await;
            let now = read.expect("two members are left");
            assert_eq!((now.text(), now.index()), (value.as_str(), told.index()));
        },
    )
    .await;
}

#[tokio::test]
async fn a_read_that_a_killed_member_had_is_answered_by_another() {
    each_real_server(
        |binary| Server::builder(binary).members(3),
        async |server| {
            let proxied = Proxied::all(server).await;
            let client = proxied.client().build().expect("proxies have endpoints");
            proxied.direct().set("/midway/read", "1").await.expect("a healthy cluster");
            let (read, ()) = tokio::join!(
                async { client.get("/midway/read").await },
                kill_at(server, 0, &proxied, &[Method::GET], &["/v2/keys/midway/read"]),
            );
            assert_eq!(read.expect("two members are left").text(), "1");
        },
    )
    .await;
}

/// Stops a member, waits until all these requests were handed to it, and kills it.
async fn kill_at(server: &Server, place: usize, proxied: &Proxied, methods: &[Method], paths: &[&str]) {
    let member = server.member(place);
    member.stop().unwrap_or_else(|error| panic!("{error}"));
    eventually("requests at the stopped member", async || {
        let sent = methods.iter().zip(paths).map(|(method, path)| proxied.forwarded(method, path));
        sent.into_iter().all(|sent| sent > 0).then_some(())
    })
    .await;
    member.kill().unwrap_or_else(|error| panic!("{error}"));
}

const SENT: [&str; 4] =
    ["/v2/keys/midway/set", "/v2/keys/midway/swapped", "/v2/keys/midway/created", "/v2/keys/midway/queue"];
