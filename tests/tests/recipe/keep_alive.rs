//! A key that says that somebody is there.

use std::future::IntoFuture as _;
use std::sync::Arc;

use etcd_client::v2::Client;
use etcd_recipe::{KeepAlive, LossReason, Registration, TokioClock};
use etcd_testkit::memory::{Fault, Rule};
use http::Method;

use crate::support::{cluster, secs, sleep, soon};

const KEY: &str = "/services/web/1";
const VALUE: &str = "10.0.0.7:80";

fn register(client: &Client) -> Registration {
    KeepAlive::register(client, KEY, VALUE, secs(10)).clock(Arc::new(TokioClock::new()))
}

#[tokio::test(start_paused = true)]
async fn a_registration_is_there_until_it_is_ended() {
    let (_etcd, client) = cluster();
    let here = soon(register(&client).into_future()).await.unwrap();
    sleep(100).await;
    here.check().unwrap();
    assert_eq!(client.get(KEY).await.unwrap().text(), VALUE);
    soon(here.set_value("10.0.0.8:80")).await.unwrap();
    sleep(100).await;
    assert_eq!(client.get(KEY).await.unwrap().text(), "10.0.0.8:80");
    soon(here.deregister()).await.unwrap();
    assert!(!client.exists(KEY).await.unwrap());
    // Dropped it goes, too.
    drop(soon(register(&client).into_future()).await.unwrap());
    sleep(1).await;
    assert!(!client.exists(KEY).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_earlier_incarnation_is_told_of_and_replaced_if_it_is_to_be() {
    let (_etcd, client) = cluster();
    let earlier = soon(register(&client).into_future()).await.unwrap();
    let error = soon(register(&client).into_future()).await.unwrap_err();
    assert!(error.is_key_exists() && error.to_string().contains(KEY), "{error}");
    earlier.check().unwrap();
    let here = soon(register(&client).replace(true).into_future()).await.unwrap();
    assert!(here.token() > earlier.token());
    assert_eq!(soon(earlier.lost()).await, LossReason::Replaced);
    drop(earlier);
    sleep(60).await;
    here.check().unwrap();
    assert_eq!(client.get(KEY).await.unwrap().text(), VALUE);
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_nobody_waited_for_does_not_clean_up_the_next() {
    let (etcd, client) = cluster();
    etcd.faults().set(Rule::new(Fault::Hang).method(Method::PUT));
    let never = tokio::time::timeout(secs(1), register(&client).into_future()).await;
    assert!(never.is_err());
    etcd.faults().clear();
    let here = soon(register(&client).into_future()).await.unwrap();
    sleep(60).await;
    here.check().unwrap();
    assert_eq!(here.token().index(), client.get(KEY).await.unwrap().node.created_index.get());
}
