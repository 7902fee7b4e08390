//! While the cluster is not well.

use std::time::Duration;

use etcd_client::v2::proto::Operation;
use etcd_client::v2::{
    Action, Client, Header, Index, Key, KeysEvent, Node, Request, Response, WatchResponse,
};
use etcd_recipe::{LossReason, State};
use etcd_testkit::memory::{Change, Fault, Plan, Rule, StalledWrites};
use http::{Method, StatusCode};
use tower::Service as _;

use crate::support::{asked, cluster, keys, queue, secs, sleep, soon};

fn no_answer() -> Fault {
    Fault::ErrorBefore { cause: "etcdserver: request timed out".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_cannot_be_read_grants_nothing() {
    let faults = [
        no_answer(),
        Fault::Html(StatusCode::OK),
        Fault::Html(StatusCode::BAD_GATEWAY),
        Fault::CutBody(10),
        Fault::Hang,
        Fault::Refuse,
        Fault::DropAnswer,
    ];
    for fault in faults {
        for is_held in [true, false] {
            let (etcd, client) = cluster();
            let held = if is_held { Some(soon(queue(&client).acquire()).await.unwrap()) } else { None };
            etcd.faults().set(Rule::new(fault.clone()).method(Method::GET));
            let waiting = tokio::spawn(queue(&client).acquire());
            sleep(60).await;
            assert!(!waiting.is_finished(), "{fault:?}");
            etcd.faults().clear();
            if let Some(held) = held {
                sleep(5).await;
                assert!(!waiting.is_finished(), "{fault:?}");
                soon(held.release()).await.unwrap();
            }
            soon(waiting).await.unwrap().unwrap().release().await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_outlives_a_time_without_a_leader_that_is_shorter_than_its_own() {
    for fate in [StalledWrites::Lost, StalledWrites::LandLater] {
        let (etcd, client) = cluster();
        let held = soon(queue(&client).ttl(secs(30)).acquire()).await.unwrap();
        etcd.faults().apply(Change::StalledWrites(fate)).unwrap();
        sleep(9).await;
        etcd.faults().apply(Change::NoLeader(secs(12))).unwrap();
        let mut doubted = false;
        for _ in 0..120 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            held.check().unwrap_or_else(|error| panic!("{fate:?}: {error}"));
            doubted |= matches!(held.state(), State::Unsure { .. });
        }
        assert!(doubted, "{fate:?}");
        assert_eq!(held.state(), State::Held);
        soon(held.release()).await.unwrap();
        sleep(20).await;
        assert!(keys(&client, "/locks/a").await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_ends_on_time_without_a_leader_and_nobody_else_is_granted_before() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let waiting = tokio::spawn(queue(&client).ttl(secs(60)).acquire());
    sleep(1).await;
    etcd.faults().apply(Change::NoLeader(secs(40))).unwrap();
    let until = held.remaining();
    let start = tokio::time::Instant::now();
    assert_eq!(soon(held.lost()).await, LossReason::Expired);
    assert_eq!(start.elapsed().as_secs(), until.as_secs());
    assert!(!waiting.is_finished());
    let next = soon(waiting).await.unwrap().unwrap();
    assert!(next.token() > held.token());
    assert!(start.elapsed() >= secs(39));
}

#[tokio::test(start_paused = true)]
async fn a_holder_in_another_cluster_is_lost_at_once() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    etcd.faults().apply(Change::ClusterId(7)).unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(soon(held.lost()).await, LossReason::ClusterChanged);
    assert!(
        start.elapsed() <= secs(6),
        "at the next renewal, long before the deadline: {:?}",
        start.elapsed()
    );
    assert!(soon(queue(&client).acquire()).await.unwrap_err().client().unwrap().is_cluster_changed());
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_holds_on_until_its_time_is_up() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    etcd.faults().set(Rule::new(Fault::Html(StatusCode::FORBIDDEN)));
    sleep(6).await;
    assert_eq!(held.state(), State::Unsure { until: held.valid_until() });
    held.check().unwrap();
    assert_eq!(soon(held.lost()).await, LossReason::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_outlives_a_cleared_history() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    // Each poll finds the history gone up to the very index that it asks for.
    etcd.faults().set(Rule::new(Fault::Change(Change::ClearHistory)).watches());
    let waiting = tokio::spawn(queue(&client).acquire());
    for number in 0..20 {
        client.set("/other", number.to_string()).await.unwrap();
        etcd.faults().apply(Change::ClearHistory).unwrap();
        sleep(1).await;
    }
    assert!(!waiting.is_finished());
    soon(held.release()).await.unwrap();
    soon(waiting).await.unwrap().unwrap().check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn watches_that_are_cut_or_refused_neither_grant_nor_make_a_storm() {
    let faults = [
        Fault::Html(StatusCode::OK),
        Fault::Html(StatusCode::BAD_GATEWAY),
        Fault::ResetAfterHead,
        Fault::CutBody(0),
        Fault::Unavailable,
        Fault::Refuse,
    ];
    for fault in faults {
        let (etcd, client) = cluster();
        let held = soon(queue(&client).acquire()).await.unwrap();
        etcd.faults().set(Plan::new().rule(Rule::new(fault.clone()).watches()));
        let waiting = tokio::spawn(queue(&client).acquire());
        sleep(60).await;
        assert!(!waiting.is_finished(), "{fault:?}");
        let lists = asked(&etcd).iter().filter(|word| **word == "list").count();
        assert!((3..=80).contains(&lists), "{fault:?}: {lists} lists in a minute");
        soon(held.release()).await.unwrap();
        // The list is asked, though no watch works.
        let next = tokio::time::timeout(secs(17), waiting).await.expect("within the ttl");
        next.unwrap().unwrap().check().unwrap();
    }
}

/// A client whose watches are answered at once by an event about this key.
fn lied_to(client: &Client, key: Key) -> Client {
    client.layer(tower::layer::layer_fn(move |inner: etcd_client::v2::DynOperationService| {
        let key = key.clone();
        tower::service_fn(move |request: Request| {
            let (mut inner, key) = (inner.clone(), key.clone());
            async move {
                if !matches!(request.operation, Operation::Watch(_)) {
                    return inner.call(request).await;
                }
                let node = Node::new(key, Index::from(u64::MAX / 2), Index::from(1));
                let event = KeysEvent::new(Action::Expire, node, None);
                let events = futures_util::stream::iter([Ok(event)]);
                Ok(Response::Watch(WatchResponse::new(Header::default(), events)))
            }
        })
    }))
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_tells_of_the_wrong_thing_neither_grants_nor_makes_a_storm() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    // Of the predecessor, which is still there; and of a key that nobody asked for.
    for key in [held.key().clone(), Key::new("/elsewhere").unwrap()] {
        etcd.log().clear();
        let waiting = tokio::spawn(queue(&lied_to(&client, key)).acquire());
        sleep(60).await;
        assert!(!waiting.is_finished());
        let lists = asked(&etcd).iter().filter(|word| **word == "list").count();
        assert!((3..=80).contains(&lists), "{lists} lists in a minute");
        waiting.abort();
        sleep(1).await;
    }
    held.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn members_that_die_one_by_one_end_nothing() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let waiting = tokio::spawn(queue(&client).acquire());
    for member in [0, 1, 2, 0] {
        etcd.kill(member).unwrap();
        sleep(20).await;
        held.check().unwrap();
        etcd.restart(member).unwrap();
        sleep(5).await;
    }
    assert!(!waiting.is_finished());
    soon(held.release()).await.unwrap();
    soon(waiting).await.unwrap().unwrap().check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_member_that_says_nothing_starves_no_holding_of_the_shortest_ttl() {
    for member in 0..3 {
        let (etcd, client) = cluster();
        let held = soon(queue(&client).ttl(secs(5)).acquire()).await.unwrap();
        etcd.faults().set(Rule::new(Fault::Hang).member(member));
        for _ in 0..240 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            held.check().unwrap_or_else(|error| panic!("{member}: {error}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_the_holder_is_told_of_an_outage_long_before_a_long_ttl_is_over() {
    let (etcd, client) = cluster();
    etcd.faults().set(Rule::new(Fault::Unavailable));
    let began = tokio::time::Instant::now();
    let queue = queue(&client).ttl(secs(3600));
    let ended = tokio::time::timeout(secs(4000), queue.holder()).await.expect("within the ttl");
    assert!(ended.unwrap_err().is_client());
    assert!(began.elapsed() <= secs(20), "{:?}", began.elapsed());
}
