//! The seeds' examples of `set_leader`, `get_leader` and `delete_leader`.

use etcd_leader::ErrorKind;
use etcd_testkit::memory::{Fault, Rule};
use http::Method;

use crate::support::{candidates, cluster, election, leader, secs, sleep, soon};

#[tokio::test(start_paused = true)]
async fn set_leader_gives_the_index_and_get_leader_the_name() {
    let (_etcd, client) = cluster();
    let election = election(&client);
    let token = soon(election.set("leader-1", secs(60))).await.unwrap();
    let leader = soon(election.leader()).await.unwrap().unwrap();
    assert_eq!((leader.value(), leader.token()), ("leader-1", &token));
    assert!(token.index() > 0 && token.cluster_id().is_some());
}

#[tokio::test(start_paused = true)]
async fn get_leader_of_an_election_that_was_never_used_is_nobody() {
    let (_etcd, client) = cluster();
    assert_eq!(leader(&election(&client)).await, None);
}

#[tokio::test(start_paused = true)]
async fn set_leader_by_the_same_name_renews() {
    let (_etcd, client) = cluster();
    let token = soon(election(&client).set("leader-1", secs(60))).await.unwrap();
    sleep(50).await;
    // From another process, and with another ttl.
    let again = soon(election(&client).set("leader-1", secs(30))).await.unwrap();
    assert_eq!(again, token);
    sleep(29).await;
    assert_eq!(leader(&election(&client)).await.as_deref(), Some("leader-1"));
    sleep(2).await;
    assert_eq!(leader(&election(&client)).await, None);
}

#[tokio::test(start_paused = true)]
async fn set_leader_by_another_name_blocks_until_delete_leader() {
    let (_etcd, client) = cluster();
    let election = election(&client);
    let first = soon(election.set("leader-1", secs(60))).await.unwrap();
    let second = tokio::spawn(election.set("leader-2", secs(60)));
    sleep(20).await;
    assert!(!second.is_finished());
    assert_eq!(candidates(&election).await, ["leader-1", "leader-2"]);

    let error = soon(election.remove("leader-9")).await.unwrap_err();
    assert!(error.is_not_queued() && error.to_string().contains("leader-9"), "{error}");
    assert_eq!(leader(&election).await.as_deref(), Some("leader-1"));

    soon(election.remove("leader-1")).await.unwrap();
    let second = soon(second).await.unwrap().unwrap();
    assert!(second > first);
    assert_eq!(candidates(&election).await, ["leader-2"]);
    soon(election.remove("leader-2")).await.unwrap();
    assert_eq!(leader(&election).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_set_once_ends_with_its_ttl_and_the_next_has_all_of_its_own() {
    let (_etcd, client) = cluster();
    let election = election(&client);
    soon(election.set("a", secs(5))).await.unwrap();
    let began = tokio::time::Instant::now();
    soon(election.set("b", secs(5))).await.unwrap();
    let waited = began.elapsed();
    assert!(secs(4) < waited && waited < secs(7), "{waited:?}");
    sleep(4).await;
    assert_eq!(leader(&election).await.as_deref(), Some("b"));
    sleep(3).await;
    assert_eq!(leader(&election).await, None);
}

#[tokio::test(start_paused = true)]
async fn set_leader_with_a_limit_gives_up_and_leaves_no_place() {
    let (_etcd, client) = cluster();
    let election = election(&client);
    soon(election.set("leader-1", secs(600))).await.unwrap();
    let began = tokio::time::Instant::now();
    let error = soon(election.set_timeout("leader-2", secs(60), secs(10))).await.unwrap_err();
    assert_eq!((error.kind(), began.elapsed()), (ErrorKind::TimedOut, secs(10)));
    sleep(15).await;
    assert_eq!(candidates(&election).await, ["leader-1"]);
}

#[tokio::test(start_paused = true)]
async fn two_who_set_the_same_name_at_once_share_one_place() {
    let (etcd, client) = cluster();
    let (one, two) = (election(&client), election(&client));
    // Both see that nobody stands before either does.
    let late = Rule::new(Fault::DelayAnswer(std::time::Duration::from_millis(100)));
    etcd.faults().add(late.method(Method::GET).first(2));
    let (one, two) = tokio::join!(one.set("leader-1", secs(60)), two.set("leader-1", secs(60)));
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(candidates(&election(&client)).await, ["leader-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_waits_is_kept_alive_by_whoever_sets_its_name() {
    let (_etcd, client) = cluster();
    let election = election(&client);
    let leading = soon(election.campaign("leader-1")).await.unwrap();
    let first = tokio::spawn(election.set("b", secs(5)));
    sleep(1).await;
    let second = tokio::spawn(election.set("b", secs(5)));
    sleep(1).await;
    // Its maker goes, and takes the place along; the other makes one of its own.
    first.abort();
    sleep(20).await;
    assert_eq!(candidates(&election).await, ["leader-1", "b"]);
    soon(leading.resign()).await.unwrap();
    let token = soon(second).await.unwrap().unwrap();
    assert_eq!(soon(election.leader()).await.unwrap().unwrap().token(), &token);
}

#[tokio::test(start_paused = true)]
async fn delete_leader_ends_a_leadership_at_its_next_renewal() {
    let (_etcd, client) = cluster();
    let election = election(&client).ttl(secs(15));
    let leading = soon(election.campaign("leader-1")).await.unwrap();
    soon(election.remove("leader-1")).await.unwrap();
    sleep(6).await;
    let error = leading.check().unwrap_err();
    assert_eq!(error.loss(), Some(etcd_leader::LossReason::Gone), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_a_ttl_or_a_value_that_cannot_be_is_refused_unsent() {
    let (etcd, client) = cluster();
    let fine = election(&client);
    let named = |name: &str| etcd_leader::Election::new(&client, name);
    let errors = [
        (soon(named("../secret").leader()).await.unwrap_err(), ErrorKind::InvalidName),
        (soon(named("a").prefix("").set("x", secs(60))).await.unwrap_err(), ErrorKind::InvalidName),
        (soon(fine.set("", secs(60))).await.unwrap_err(), ErrorKind::InvalidValue),
        (soon(fine.campaign("")).await.unwrap_err(), ErrorKind::InvalidValue),
        (soon(fine.set("x", secs(4))).await.unwrap_err(), ErrorKind::InvalidTtl),
        (soon(fine.clone().ttl(secs(4)).campaign("x")).await.unwrap_err(), ErrorKind::InvalidTtl),
    ];
    for (error, kind) in errors {
        assert_eq!(error.kind(), kind, "{error:?}");
    }
    assert!(named("..").observe().unwrap_err().is_invalid_name());
    assert!(etcd.log().entries().iter().all(|entry| !entry.applied), "{:?}", etcd.log().entries());
}

#[tokio::test(start_paused = true)]
async fn what_was_given_up_takes_nothing_from_who_sets_the_name_next() {
    let (etcd, client) = cluster();
    let election = election(&client);
    etcd.faults().add(Rule::new(Fault::Hang).method(Method::PUT));
    let error = soon(election.set_timeout("leader-1", secs(60), secs(1))).await.unwrap_err();
    assert!(error.is_timed_out(), "{error:?}");
    etcd.faults().clear();
    // Between two looks of whatever cleans up.
    sleep(1).await;
    let token = soon(election.set("leader-1", secs(60))).await.unwrap();
    sleep(20).await;
    assert_eq!(soon(election.leader()).await.unwrap().expect("it was set").token(), &token);
}
