//! Members that are dead, stand still or are killed between two calls.

use std::collections::BTreeSet;
use std::time::Duration;

use etcd_client::v2::{Client, Compare, KeysResponse};
use etcd_client::{Endpoint, Error, Outcome, Phase};
use etcd_testkit::Etcd as _;
use etcd_tests::{
    Needs, Refused, Scope, Server, ServerMember, each_etcd, each_server, eventually, patient, printed,
};

/// A limit that a process which stands still reaches, and no other.
const SHORT: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_dead_endpoint_at_the_front_costs_one_attempt() {
    let dead = Refused::new();
    each_etcd(async |etcd| {
        let scope = Scope::new(etcd);
        let (a, d) = (scope.key("a"), scope.key("d"));
        let second = Duration::from_secs(500);
        // A client keeps to the endpoint that answered, so each call gets one of its own.
        let fresh = || -> Client {
            let mut endpoints = etcd.endpoints();
            endpoints.insert(0, dead.endpoint());
            patient(endpoints).build().unwrap()
        };
        let set = fresh().set(&a, "1").await.unwrap();
        let answers = [
            fresh().get(&a).quorum(true).await.unwrap(),
            fresh().update(&a, "2").await.unwrap(),
            fresh().refresh(&a, second).await.unwrap(),
            fresh().compare_and_swap(&a, "3", Compare::value("2")).await.unwrap(),
            fresh().compare_and_delete(&a, Compare::value("3")).await.unwrap(),
            fresh().create(&a, "4").await.unwrap(),
            fresh().modify(&a, |_| None).await.unwrap(),
            fresh().delete(&a).await.unwrap(),
            fresh().set_dir(&d).await.unwrap(),
            fresh().create_in_order(&d, "x").await.unwrap(),
            fresh().create_dir_in_order(&d).await.unwrap(),
            fresh().delete_dir(&d).recursive(true).await.unwrap(),
            fresh().create_dir(&d).ttl(second).await.unwrap(),
        ];
        for answer in answers.iter().chain([&set]) {
            assert_eq!(answer.attempts, 2, "{answer:?}");
        }
        let error = fresh().update(scope.key("none"), "x").await.unwrap_err();
        assert!(error.is_key_not_found() && error.outcome() == Outcome::NotApplied, "{error:?}");
        assert_eq!((error.attempts().made(), error.attempts().len()), (2, 1));
        assert_eq!(error.attempts().as_slice()[0].endpoint().to_string(), dead.endpoint());
        fresh().ensure_dir(&d).await.unwrap();
        assert!(fresh().exists(&d).await.unwrap());
        assert_eq!(fresh().watch(&a).from(set.index()).next_event().await.unwrap().node, set.node);
        assert_eq!(fresh().machines().await.unwrap(), etcd.endpoints());
        assert_eq!(fresh().version().await.unwrap().server, etcd.version().to_string());
        assert!(fresh().health().await.unwrap().healthy);
        fresh().members().list().await.unwrap();
        fresh().members().leader().await.unwrap();
        fresh().stats().store().await.unwrap();
        fresh().stats().this_member().await.unwrap();
        fresh().stats().leader().await.unwrap();
        assert!(!fresh().auth().status().await.unwrap().enabled);
        // The endpoint that answered is the first to be asked from then on.
        let client = fresh();
        assert_eq!(client.set(&a, "1").await.unwrap().attempts, 2);
        assert_eq!(client.get(&a).await.unwrap().attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn a_killed_member_is_left_and_with_all_dead_each_is_named() {
    each_server(Needs::members(3), async |server| {
        let (follower, endpoints) = follower_first(server).await;
        let scope = Scope::new(server);
        let reader = patient(&endpoints).build().unwrap();
        let writer = patient(&endpoints).build().unwrap();
        reader.set(scope.key("a"), "1").await.unwrap();
        server.kill(follower.place).await;
        let read = read_on(&reader, &scope.key("a")).await;
        assert_eq!(read.text(), "1");
        // This one connects for the first time, and is refused.
        let written = writer.set(scope.key("a"), "2").await.unwrap();
        assert_eq!((written.text(), written.attempts), ("2", 2));
        assert_eq!(reader.set(scope.key("a"), "3").await.unwrap().attempts, 1);

        server.kill_all().await;
        all_dead(&patient(&endpoints).build().unwrap(), &endpoints).await;
        server.restart_all().await;
        let read = eventually("an answer after the restart", async || {
            reader.get(scope.key("a")).quorum(true).await.ok()
        })
        .await;
        assert_eq!(read.text(), "3");
    })
    .await;
}

#[tokio::test]
async fn a_member_that_stays_dead_is_asked_no_more() {
    each_server(Needs::members(3), async |server| {
        let (follower, endpoints) = follower_first(server).await;
        let scope = Scope::new(server);
        let client = patient(&endpoints).build().unwrap();
        client.set(scope.key("a"), "1").await.unwrap();
        server.kill(follower.place).await;
        read_on(&client, &scope.key("a")).await;
        let mut repeated = 0;
        // A few seconds, so that the dead member's time out would end.
        for _ in 0..300 {
            repeated += usize::from(client.get(scope.key("a")).await.unwrap().attempts > 1);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(repeated <= 1, "{repeated}");
    })
    .await;
}

/// Reads although a member has just been killed. The first request may still go out on a connection whose end
/// has not been noticed; the error says then that it can be made again.
async fn read_on(client: &Client, key: &str) -> KeysResponse {
    match client.get(key).quorum(true).await {
        Err(error) if error.is_interrupted() => {
            assert!(error.is_retryable() && error.outcome().is_not_applied(), "{error:?}");
            client.get(key).quorum(true).await.unwrap()
        }
        answer => answer.unwrap(),
    }
}

/// A member that does not lead, and all endpoints with its own first. Killed, it takes no leadership along.
async fn follower_first(server: &Server) -> (ServerMember, Vec<String>) {
    let client = patient(server.endpoints()).build().unwrap();
    let leader = eventually("an election", async || client.members().leader().await.ok()).await;
    let follower = server.members().into_iter().find(|member| member.name != leader.name).unwrap();
    let mut endpoints = server.endpoints();
    endpoints.sort_by_key(|endpoint| *endpoint != follower.endpoint);
    (follower, endpoints)
}

async fn all_dead(client: &Client, endpoints: &[String]) {
    for error in [
        client.get("/a").await.unwrap_err(),
        client.set("/a", "1").await.unwrap_err(),
        client.exists("/a").await.unwrap_err(),
        client.create_in_order("/a", "1").await.unwrap_err(),
        client.watch("/a").reconnect_for(Duration::ZERO).next_event().await.unwrap_err(),
        client.stats().leader().await.unwrap_err(),
    ] {
        assert!(error.is_connect() && error.is_retryable(), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied);
        let tried: BTreeSet<_> = error.attempts().iter().map(|it| it.endpoint().to_string()).collect();
        assert_eq!(tried, endpoints.iter().cloned().collect());
        assert!(error.attempts().iter().all(|attempt| attempt.phase() == Phase::Connect));
        let text = printed(&error);
        assert!(endpoints.iter().all(|endpoint| text.contains(endpoint)), "{text}");
    }
}

#[tokio::test]
async fn a_member_that_stands_still_leaves_writes_unknown_and_reads_harmless() {
    each_server(Needs::members(1), async |server| {
        let scope = Scope::new(server);
        scope.client.set(scope.key("a"), "1").await.unwrap();
        server.stop(0);
        let dead = Refused::new();
        let client = patient([dead.endpoint(), server.endpoints().remove(0)]).build().unwrap();
        let attempt = client.set(scope.key("a"), "2").attempt_timeout(SHORT).await.unwrap_err();
        assert!(attempt.is_attempt_timeout(), "{attempt:?}");
        assert_still(&attempt, Outcome::Unknown, &server.endpoints()[0]);
        // A refused connection before does not make less of it.
        assert_eq!(attempt.attempts().as_slice()[0].endpoint().to_string(), dead.endpoint());
        assert!(attempt.to_string().contains("may have happened"), "{attempt}");
        let client = patient(server.endpoints()).build().unwrap();
        for (error, outcome) in [
            (client.set(scope.key("a"), "2").timeout(SHORT).await.unwrap_err(), Outcome::Unknown),
            (client.create_in_order(scope.key("q"), "").timeout(SHORT).await.unwrap_err(), Outcome::Unknown),
            (client.get(scope.key("a")).timeout(SHORT).await.unwrap_err(), Outcome::NotApplied),
        ] {
            assert!(error.is_deadline(), "{error:?}");
            assert_still(&error, outcome, &server.endpoints()[0]);
        }
        let read = client.get(scope.key("a")).attempt_timeout(SHORT).await.unwrap_err();
        assert!(read.is_attempt_timeout() && read.is_retryable(), "{read:?}");
        assert_still(&read, Outcome::NotApplied, &server.endpoints()[0]);
        let exists = client.exists(scope.key("a")).timeout(SHORT).await.unwrap_err();
        assert!(exists.is_deadline(), "{exists:?}");
        server.resume(0);
        scope.client.get(scope.key("a")).await.unwrap();
    })
    .await;
}

fn assert_still(error: &Error, outcome: Outcome, endpoint: &str) {
    assert_eq!(error.outcome(), outcome, "{error:?}");
    let last = error.attempts().iter().last().unwrap();
    assert_eq!(last.endpoint(), &endpoint.parse::<Endpoint>().unwrap());
    assert_eq!(last.phase(), Phase::Request);
}
