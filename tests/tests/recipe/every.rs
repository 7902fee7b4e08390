//! On every etcd under test, three members each, in real time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use etcd_client::v2::{Client, DynOperationService, Request};
use etcd_recipe::{Queue, SkewProbe, State};
use etcd_testkit::Etcd as _;
use etcd_tests::{Needs, each_server, patient};
use tower::Service as _;

/// A client that counts its calls.
fn counted(client: &Client) -> (Client, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let client = client.layer(tower::layer::layer_fn(move |inner: DynOperationService| {
        let count = Arc::clone(&count);
        tower::service_fn(move |request: Request| {
            count.fetch_add(1, Ordering::SeqCst);
            inner.clone().call(request)
        })
    }));
    (client, calls)
}

fn queue(client: &Client, ttl: u64) -> Queue {
    Queue::new(client, "/recipe/line").ttl(Duration::from_secs(ttl)).without_skew_probe()
}

#[tokio::test]
async fn a_line_of_sixteen_is_served_in_order_by_few_requests() {
    const WAITERS: usize = 16;
    each_server(Needs::members(3), async |server| {
        let (client, calls) = counted(&patient(server.endpoints()).build().unwrap());
        let first = queue(&client, 60).acquire().await.unwrap();
        let release = first.release();
        release.await.unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 3, "alone");

        let first = queue(&client, 60).acquire().await.unwrap();
        let tokens = Arc::new(Mutex::new(Vec::new()));
        let mut waiters = Vec::new();
        for number in 0..WAITERS {
            let (queue, tokens) = (queue(&client, 60), Arc::clone(&tokens));
            waiters.push(tokio::spawn(async move {
                let held = queue.acquire().await.unwrap();
                tokens.lock().unwrap().push(held.token().index());
                held.release().await.unwrap();
            }));
            while queue_length(&client).await < number + 2 {}
        }
        // Each of them is at its watch.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = calls.load(Ordering::SeqCst);
        first.release().await.unwrap();
        for waiter in waiters {
            waiter.await.unwrap();
        }
        let calls = calls.load(Ordering::SeqCst) - before;
        println!("{calls} calls for {WAITERS} hand-overs on {}", server.name());
        // A release, a list, and perhaps a list and a watch more where a member lags behind.
        assert!(calls * 10 <= 42 * (WAITERS + 1), "{calls} calls");
        assert!(tokens.lock().unwrap().is_sorted(), "first come, first served");
    })
    .await;
}

async fn queue_length(client: &Client) -> usize {
    queue(client, 60).contenders().await.unwrap().len()
}

#[tokio::test]
async fn what_is_held_outlives_its_ttl_and_the_clocks_of_the_members_agree() {
    each_server(Needs::members(3), async |server| {
        let client = patient(server.endpoints()).build().unwrap();
        let probe = SkewProbe::new();
        let queue = queue(&client, 5).skew_probe(&probe);
        let held = queue.acquire().await.unwrap();
        assert_eq!(probe.report().and_then(|report| report.seconds), Some(0), "{:?}", probe.report());
        tokio::time::sleep(Duration::from_secs(8)).await;
        assert_eq!(held.state(), State::Held);
        held.set_value("other").await.unwrap();
        let holder = queue.holder().await.unwrap().unwrap();
        assert_eq!((&holder.token, &*holder.value), (held.token(), "other"));
        let token = held.detach();
        queue.renew_by(&token, Duration::from_secs(60)).await.unwrap();
        queue.release_by(&token).await.unwrap();
        assert!(queue.release_by(&token).await.unwrap_err().is_unknown_token());
    })
    .await;
}
