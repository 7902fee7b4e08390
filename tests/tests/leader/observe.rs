//! Watching who leads.

use etcd_leader::{LeaderChange, ResyncCause};
use etcd_testkit::memory::{Change, Fault, InProcess, Rule};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use crate::support::{cluster, election, next, next_value, nothing_for, secs, sleep, soon};

#[tokio::test(start_paused = true)]
async fn who_leads_now_comes_first_and_then_each_change() {
    let (_etcd, client) = cluster();
    let election = election(&client);
    let mut leaders = election.observe().unwrap();
    assert_eq!(next_value(&mut leaders).await, None);
    let one = soon(election.campaign("one")).await.unwrap();
    let seen = next(&mut leaders).await.into_leader().unwrap();
    assert_eq!((seen.value(), seen.token()), ("one", one.token()));
    let two = tokio::spawn(crate::support::election(&client).campaign("two"));
    nothing_for(&mut leaders, secs(30)).await;
    soon(one.proclaim("one, again")).await.unwrap();
    assert_eq!(next_value(&mut leaders).await.as_deref(), Some("one, again"));
    soon(one.resign()).await.unwrap();
    assert_eq!(next_value(&mut leaders).await.as_deref(), Some("two"));
    soon(soon(two).await.unwrap().unwrap().resign()).await.unwrap();
    assert_eq!(next_value(&mut leaders).await, None);

    soon(election.set("three", secs(5))).await.unwrap();
    let mut later = election.observe().unwrap();
    for leaders in [&mut leaders, &mut later] {
        assert_eq!(next_value(leaders).await.as_deref(), Some("three"));
    }
    for leaders in [&mut leaders, &mut later] {
        assert_eq!(next_value(leaders).await, None, "it ran out");
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_key_is_deleted_by_hand_is_gone_at_once() {
    let (_etcd, client) = cluster();
    let election = election(&client);
    let leading = soon(election.campaign("one")).await.unwrap();
    let mut leaders = election.observe().unwrap();
    assert_eq!(next_value(&mut leaders).await.as_deref(), Some("one"));
    client.delete(leading.key()).await.unwrap();
    assert_eq!(next_value(&mut leaders).await, None);

    drop(leading);
    let _leading = soon(election.campaign("two")).await.unwrap();
    assert_eq!(next_value(&mut leaders).await.as_deref(), Some("two"));
    // With the directory above.
    client.delete_dir("/elections").recursive(true).await.unwrap();
    assert_eq!(next_value(&mut leaders).await, None);
}

#[tokio::test(start_paused = true)]
async fn renewals_are_no_changes_of_old_servers_neither() {
    for rewrites in [false, true] {
        let (_etcd, client) = cluster();
        let election = election(&client).renew_by_rewriting(rewrites);
        let leading = soon(election.campaign("one")).await.unwrap();
        let mut leaders = election.observe().unwrap();
        assert_eq!(next_value(&mut leaders).await.as_deref(), Some("one"));
        nothing_for(&mut leaders, secs(300)).await;
        leading.check().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_candidate_is_not_seen() {
    let (_etcd, client) = cluster();
    let election = election(&client);
    let mut leaders = election.observe().unwrap();
    assert_eq!(next_value(&mut leaders).await, None);
    client.set("/elections/my-cluster/notes", "x").await.unwrap();
    client.create_in_order("/elections/my-cluster", "x").await.unwrap();
    client.set("/elections/my-cluster/0123456789abcdef0123456789abcdef/below", "x").await.unwrap();
    nothing_for(&mut leaders, secs(10)).await;
    assert!(soon(election.leader()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_lost_history_is_marked() {
    let (etcd, client) = cluster();
    let election = election(&client);
    let mut leaders = election.observe().unwrap();
    assert_eq!(next_value(&mut leaders).await, None);
    // The connection is lost, and what happened meanwhile is forgotten.
    etcd.faults().add(Rule::new(Fault::Refuse).watches());
    (0..3).for_each(|member| etcd.kill(member).unwrap());
    (0..3).for_each(|member| etcd.restart(member).unwrap());
    let leading = soon(election.campaign("one")).await.unwrap();
    soon(leading.proclaim("two")).await.unwrap();
    etcd.faults().apply(Change::ClearHistory).unwrap();
    etcd.faults().clear();
    match next(&mut leaders).await {
        LeaderChange::Resynced { leader: Some(leader), cause: ResyncCause::HistoryCleared } => {
            assert_eq!((leader.value(), leader.token()), ("two", leading.token()));
        }
        other => panic!("no mark: {other:?}"),
    }
    soon(leading.proclaim("three")).await.unwrap();
    assert_eq!(next_value(&mut leaders).await.as_deref(), Some("three"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_no_member_would_take_back_is_the_last_item() {
    let (etcd, client) = cluster();
    let mut leaders = election(&client).observe().unwrap();
    assert_eq!(next_value(&mut leaders).await, None);
    etcd.faults().apply(Change::ClusterId(7)).unwrap();
    (0..3).for_each(|member| etcd.kill(member).unwrap());
    (0..3).for_each(|member| etcd.restart(member).unwrap());
    let error = soon(leaders.next()).await.unwrap().unwrap_err();
    assert!(error.client().is_some_and(etcd_client::Error::is_cluster_changed), "{error:?}");
    assert!(soon(leaders.next()).await.is_none());
}

/// Something that happens to a cluster, and passes.
fn trouble(rng: &mut fastrand::Rng, etcd: &InProcess) {
    let faults = etcd.faults();
    let time = std::time::Duration::from_millis(rng.u64(50..4_000));
    match rng.u8(0..9) {
        0 => faults.add(Rule::new(Fault::ResetBeforeHead).watches().first(rng.u64(1..4))),
        1 => faults.add(Rule::new(Fault::CutBody(rng.usize(0..200))).watches().first(rng.u64(1..4))),
        2 => faults.add(Rule::new(Fault::Hang).watches().first(1)),
        3 => faults.apply(Change::NoLeader(time)).unwrap(),
        4 => faults.apply(Change::ClearHistory).unwrap(),
        5 => faults.apply(Change::Lag { member: rng.usize(0..3), lasts: time }).unwrap(),
        6 => faults.apply(Change::Kill(rng.usize(0..3))).unwrap(),
        7 => faults.apply(Change::ExpireAll).unwrap(),
        _ => (0..3).for_each(|member| etcd.restart(member).unwrap()),
    }
}

/// Candidates come and go under faults; what an observer sees meanwhile.
async fn observed(seed: u64) -> usize {
    let (etcd, client) = cluster();
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let candidates: Vec<_> = (0..3)
        .map(|number| {
            let (client, done) = (etcd_tests::Wire::client(&etcd), std::sync::Arc::clone(&done));
            let mut rng = fastrand::Rng::with_seed(seed * 10 + number);
            tokio::spawn(async move {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    let campaign = election(&client).campaign_timeout(format!("{number}"), secs(60));
                    let Ok(leading) = campaign.await else { continue };
                    sleep(rng.u64(0..8)).await;
                    let _ = timeout(secs(3), leading.proclaim(format!("{number}, again"))).await;
                    sleep(rng.u64(0..4)).await;
                    if rng.bool() { drop(leading) } else { drop(leading.resign().await) }
                }
            })
        })
        .collect();
    let mut leaders = election(&client).observe().unwrap();
    let (mut last, mut seen, mut rng) = (0, 0, fastrand::Rng::with_seed(seed));
    for _ in 0..120 {
        if rng.u8(0..3) == 0 {
            trouble(&mut rng, &etcd);
        }
        let Ok(change) = timeout(secs(rng.u64(1..6)), leaders.next()).await else { continue };
        let change = change.expect("no end").unwrap();
        if let Some(leader) = change.leader() {
            let token = leader.token().index();
            assert!(token >= last, "seed {seed}: {token} behind {last}: {change:?}");
            seen += usize::from(token > last);
            last = token;
        }
    }
    done.store(true, std::sync::atomic::Ordering::SeqCst);
    candidates.iter().for_each(tokio::task::JoinHandle::abort);
    seen
}

#[tokio::test(start_paused = true)]
async fn no_older_token_is_shown_behind_a_newer_one_whatever_happens() {
    let mut seen = 0;
    for seed in 0..5 {
        seen += observed(seed).await;
    }
    assert!(seen > 30, "only {seen} leaders were seen");
}

#[tokio::test(start_paused = true)]
async fn a_restored_cluster_is_marked_and_only_there_tokens_may_be_smaller() {
    let (etcd, client) = cluster();
    let election = election(&client);
    soon(election.set("one", secs(600))).await.unwrap();
    let mut leaders = election.observe().unwrap();
    assert_eq!(next_value(&mut leaders).await.as_deref(), Some("one"));
    etcd.faults().apply(Change::Index(2)).unwrap();
    (0..3).for_each(|member| etcd.kill(member).unwrap());
    (0..3).for_each(|member| etcd.restart(member).unwrap());
    let change = next(&mut leaders).await;
    assert!(matches!(change, LeaderChange::Resynced { cause: ResyncCause::IndexWentBack, .. }), "{change:?}");
}
