//! Renewing and releasing from another process, by the token.

use etcd_recipe::{ErrorKind, LossReason, Token};

use crate::support::{cluster, keys, queue, secs, sleep, soon};

#[tokio::test(start_paused = true)]
async fn an_old_token_never_removes_a_newer_holder() {
    let (_etcd, client) = cluster();
    let old = soon(queue(&client).acquire()).await.unwrap();
    let token = old.token().clone();
    soon(old.release()).await.unwrap();
    let new = soon(queue(&client).acquire()).await.unwrap();
    let error = soon(queue(&client).release_by(&token)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownToken);
    assert_eq!(keys(&client, "/locks/a").await, [new.key().name()]);
    sleep(20).await;
    new.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unknown_token_cannot_be_renewed() {
    let (_etcd, client) = cluster();
    let never: Token = "99999".parse().unwrap();
    let mut held = None;
    // Neither where there is no queue, nor where there is one.
    for _ in 0..2 {
        let error = soon(queue(&client).renew_by(&never, secs(60))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownToken);
        assert!(error.to_string().contains("99999"), "{error}");
        held.get_or_insert(soon(queue(&client).acquire_timeout(secs(1))).await);
    }
    held.unwrap().unwrap().check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_cluster_is_unknown_though_its_number_is_there() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    assert!(held.token().cluster_id().is_some());
    let foreign = Token::new(held.token().index(), Some("abc")).unwrap();
    assert!(soon(queue(&client).release_by(&foreign)).await.unwrap_err().is_unknown_token());
    // One that came without the id, as the seed's did, is taken by its number.
    let plain = Token::new(held.token().index(), None).unwrap();
    soon(queue(&client).release_by(&plain)).await.unwrap();
    assert_eq!(soon(held.lost()).await, LossReason::Gone);
}

#[tokio::test(start_paused = true)]
async fn what_was_detached_is_renewed_and_released_from_elsewhere() {
    let (_etcd, client) = cluster();
    let token = soon(queue(&client).acquire()).await.unwrap().detach();
    for _ in 0..5 {
        sleep(10).await;
        soon(queue(&client).renew_by(&token, secs(15))).await.unwrap();
    }
    assert_eq!(soon(queue(&client).holder()).await.unwrap().unwrap().token, token);
    soon(queue(&client).release_by(&token)).await.unwrap();
    assert!(keys(&client, "/locks/a").await.is_empty());
    assert!(soon(queue(&client).renew_by(&token, secs(15))).await.unwrap_err().is_unknown_token());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_from_elsewhere_does_not_disturb_the_holder() {
    let (_etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    for _ in 0..10 {
        sleep(3).await;
        soon(queue(&client).renew_by(held.token(), secs(30))).await.unwrap();
        held.check().unwrap();
    }
    soon(held.release()).await.unwrap();
    assert!(keys(&client, "/locks/a").await.is_empty());
}
