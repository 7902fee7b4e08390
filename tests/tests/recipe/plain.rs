//! When all goes well.

use etcd_recipe::State;

use crate::support::{asked, cluster, keys, queue, secs, sleep, soon};

#[tokio::test(start_paused = true)]
async fn to_acquire_and_release_alone_takes_three_requests() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    held.check().unwrap();
    soon(held.release()).await.unwrap();
    assert_eq!(asked(&etcd), ["put", "list", "delete"]);
    assert!(keys(&client, "/locks/a").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_renewed_every_third_of_its_ttl() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).ttl(secs(15)).acquire()).await.unwrap();
    let before = asked(&etcd).len();
    sleep(101).await;
    assert_eq!(held.state(), State::Held);
    assert_eq!(asked(&etcd).len() - before, 20);
    assert_eq!(keys(&client, "/locks/a").await, [held.key().name()]);
    soon(held.release()).await.unwrap();
}
