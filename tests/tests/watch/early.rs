//! Servers before etcd 2.0: no cluster id, and no head before the first event (0.3).

use std::time::Duration;

use etcd_client::BoxError;
use etcd_client::v2::{Client, Request, Response, ResyncCause, WatchItem, WatchResponse, WatchState};
use etcd_testkit::Etcd as _;
use etcd_testkit::memory::{Fault, InProcess, Rule};
use etcd_tests::Wire;
use etcd_transport::{Endpoints, ReqBody, Transport};
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt as _;

use crate::double::{Once, between};
use crate::support::{cluster, next, nothing_for, values, watchers};

/// A client to which all answers come without a cluster id, and those to watches with the first event.
fn early(etcd: &InProcess) -> Client {
    let inner = etcd.operation_service();
    Client::from_service(tower::service_fn(move |request: Request| {
        let inner = inner.clone();
        async move {
            Ok::<_, BoxError>(match inner.oneshot(request).await? {
                Response::Watch(WatchResponse { mut header, mut events, .. }) => {
                    let first = events.next().await;
                    header.cluster_id = None;
                    Response::Watch(WatchResponse::new(header, stream::iter(first).chain(events)))
                }
                Response::Keys(mut answer) => {
                    answer.header.cluster_id = None;
                    Response::Keys(answer)
                }
                other => other,
            })
        }
    }))
}

/// The same on connections, so that failover and second copies are between: nothing but the first bytes of an answer
/// to a watch makes its head come.
fn early_connections(etcd: &InProcess) -> Client {
    let wire = Wire::new(etcd);
    let service = tower::service_fn(move |request: http::Request<ReqBody>| {
        let wire = wire.clone();
        async move {
            let waits = request.uri().query().is_some_and(|query| query.contains("wait=true"));
            let (mut head, mut body) = wire.oneshot(request).await?.into_parts();
            head.headers.remove("X-Etcd-Cluster-Id");
            let first = if waits { body.frame().await.transpose()? } else { None };
            let first = stream::iter(first.map(Ok));
            let body = StreamBody::new(first.chain(BodyStream::new(body)));
            Ok::<_, BoxError>(http::Response::from_parts(head, body))
        }
    });
    let endpoints = Endpoints::parse(&etcd.endpoints().join(",")).unwrap();
    Client::from_transport(Transport::builder(endpoints).build_with(service).unwrap())
}

#[derive(Clone, Copy, PartialEq)]
enum Begins {
    Now,
    Snapshot,
    After,
}

#[tokio::test(start_paused = true)]
async fn without_a_head_before_an_event_a_watch_begins_and_waits_in_peace() {
    let (etcd, writer) = cluster();
    for (client, key) in [
        (early(&etcd), "/there"),
        (early(&etcd), "/missing"),
        (early_connections(&etcd), "/there"),
        (early_connections(&etcd), "/missing"),
    ] {
        for begins in [Begins::Now, Begins::Snapshot, Begins::After] {
            if key == "/there" {
                writer.set(key, "1").await.unwrap();
            }
            let watch = client.watch(key).reconnect_for(Duration::from_secs(60));
            let mut watch = match begins {
                Begins::Now => watch,
                Begins::Snapshot => watch.with_snapshot(true),
                Begins::After => watch.after(etcd.with_store(|store, _| store.index())),
            }
            .start();
            if begins == Begins::Snapshot {
                let item = next(&mut watch).await;
                assert!(matches!(item, WatchItem::Resync { cause: ResyncCause::Started, .. }), "{item:?}");
            }
            nothing_for(&mut watch, Duration::from_secs(200)).await;
            assert_eq!(watch.state(), WatchState::Idle, "{key}");
            assert_eq!(watchers(&etcd).await, 1, "{key}: one poll at rest");
            for round in ["2", "3"] {
                let begun = Instant::now();
                writer.set(key, round).await.unwrap();
                assert_eq!(values(&mut watch, 1).await, [round]);
                assert_eq!(begun.elapsed(), Duration::ZERO);
            }
            drop(watch);
            writer.delete(key).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_head_before_an_event_the_first_one_is_from_now_on_too() {
    let (etcd, writer) = cluster();
    writer.set("/a", "1").await.unwrap();
    let mut watch = early(&etcd).watch("/a").start();
    let writing = async {
        sleep(Duration::from_secs(3)).await;
        writer.set("/a", "2").await.unwrap();
    };
    let (seen, ()) = tokio::join!(values(&mut watch, 1), writing);
    assert_eq!(seen, ["2"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_head_before_an_event_one_event_is_waited_for() {
    let (etcd, writer) = cluster();
    writer.set("/a", "1").await.unwrap();
    let client = early(&etcd);
    for (wait, polls_only) in [(3, false), (100, false), (3, true), (100, true)] {
        let watch = client.watch("/a").polls_only(polls_only).reconnect_for(Duration::from_secs(30));
        let writing = async {
            sleep(Duration::from_secs(wait)).await;
            writer.set("/a", wait.to_string()).await.unwrap()
        };
        let (event, _) = tokio::join!(timeout(Duration::from_secs(300), watch.next_event()), writing);
        assert_eq!(event.expect("in time").unwrap().node.text(), wait.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn one_answer_with_a_cluster_id_and_a_head_has_its_limit_again() {
    let (etcd, writer) = cluster();
    let hang = Once::default();
    let hangs = hang.clone();
    let client = between(&etcd, move |_, answer| {
        let hangs = hangs.take();
        async move { if hangs { std::future::pending().await } else { answer } }
    });
    // The very first head does not come, and what is missing is read without a header.
    hang.set();
    let mut watch = client.watch("/a").start();
    nothing_for(&mut watch, Duration::from_secs(20)).await;
    assert_eq!(watch.state(), WatchState::Idle);
    hang.set();
    writer.set("/a", "1").await.unwrap();
    next(&mut watch).await;
    nothing_for(&mut watch, Duration::from_millis(1)).await;
    let begun = Instant::now();
    writer.set("/a", "2").await.unwrap();
    next(&mut watch).await;
    assert!((9..=11).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn one_event_from_now_on_is_not_waited_for_at_a_silent_peer_by_polls_only_either() {
    let (etcd, client) = cluster();
    client.set("/a", "1").await.unwrap();
    etcd.faults().add(Rule::new(Fault::Hang).watches().first(1));
    let writing = async {
        sleep(Duration::from_secs(5)).await;
        client.set("/a", "2").await.unwrap()
    };
    let wait = timeout(Duration::from_secs(46), client.watch("/a").polls_only(true).next_event());
    let (event, _) = tokio::join!(wait, writing);
    assert_eq!(event.expect("in time").unwrap().node.text(), "2");
}
