//! Dropped anywhere: no key beyond the ttl, no task, no panic.

use std::future::Future;
use std::task::Poll;
use std::time::Duration;

use etcd_testkit::memory::{Fault, InProcess, Plan, Rule};
use http::Method;
use tokio::runtime::Handle;

use crate::support::{cluster, keys, queue, secs, sleep, soon};

/// Polls a future so many times, then drops it; `Some` if it was ready before.
async fn polled<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let (mut future, mut polls) = (Box::pin(future), 0);
    let ready = std::future::poll_fn(|cx| {
        if polls == times {
            return Poll::Ready(None);
        }
        polls += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            // The last one is not waited for.
            Poll::Pending if polls == times => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    soon(ready).await
}

/// What goes wrong while it is dropped.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    /// Requests take a moment to arrive, and never do if nobody waits.
    Ahead,
    /// Answers to writes are lost.
    Cut,
    /// Writes are made late, whether or not anybody waits.
    Late,
    /// Everything is answered late.
    Slow,
    /// Lists cannot be read at first.
    NoList,
}

impl Trouble {
    fn plan(self) -> Plan {
        let puts = |fault| Rule::new(fault).method(Method::PUT);
        let plan = match self {
            Self::None => Plan::new(),
            // Before it is made, or behind.
            Self::Ahead => Plan::new().rule(Rule::new(Fault::Delay(Duration::from_millis(1)))),
            Self::Cut => Plan::new().rule(puts(Fault::DropAnswer).first(2)),
            Self::Late => Plan::new().rule(puts(Fault::ApplyLater(secs(4))).first(2)),
            Self::Slow => Plan::new().rule(Rule::new(Fault::DelayAnswer(Duration::from_millis(700)))),
            Self::NoList => {
                let cause = "etcdserver: request timed out".to_owned();
                Plan::new().rule(Rule::new(Fault::ErrorBefore { cause }).method(Method::GET).first(4))
            }
        };
        // Each answer takes a moment, so that there is a poll before it to drop at.
        plan.rule(Rule::new(Fault::DelayAnswer(Duration::from_millis(1))))
    }
}

/// After a drop: no task 15 s later, and no key though its ttl is a minute.
async fn nothing_is_left(etcd: &InProcess, client: &etcd_client::v2::Client, keep: usize, what: &str) {
    sleep(15).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), keep, "tasks left: {what}");
    etcd.faults().clear();
    assert_eq!(keys(client, "/locks/a").await.len(), keep, "keys left: {what}");
}

/// Drops `acquire` at each of its polls. With a holder it waits until the holder is dropped.
async fn sweep(trouble: Trouble, contended: bool) {
    let mut last = 0;
    for times in 0.. {
        let (etcd, client) = cluster();
        let holder = match contended {
            true => Some(soon(queue(&client).ttl(secs(60)).acquire()).await.unwrap()),
            false => None,
        };
        etcd.faults().set(trouble.plan());
        let release = async {
            // Long enough for a renewal of the waiter, 20 s after it came.
            sleep(25).await;
            drop(holder);
            std::future::pending::<()>().await;
        };
        let acquired = {
            let acquire = polled(times, queue(&client).ttl(secs(60)).acquire());
            tokio::select! {
                acquired = acquire => acquired,
                () = release => unreachable!("it waits for ever"),
            }
        };
        let is_done = acquired.is_some();
        if let Some(held) = acquired {
            soon(held.unwrap().release()).await.unwrap();
        }
        // The holder is gone too: dropped with what waited to drop it.
        nothing_is_left(&etcd, &client, 0, &format!("{trouble:?}, poll {times}")).await;
        last = times;
        if is_done {
            break;
        }
        assert!(times < 500, "{trouble:?}: it is never ready");
    }
    assert!(last >= 3, "{trouble:?}: only {last} polls, which shows nothing");
}

#[tokio::test(start_paused = true)]
async fn an_acquire_dropped_at_any_poll_leaves_nothing() {
    for trouble in
        [Trouble::None, Trouble::Ahead, Trouble::Cut, Trouble::Late, Trouble::Slow, Trouble::NoList]
    {
        sweep(trouble, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_dropped_at_any_poll_leaves_nothing() {
    for trouble in
        [Trouble::None, Trouble::Ahead, Trouble::Cut, Trouble::Late, Trouble::Slow, Trouble::NoList]
    {
        sweep(trouble, true).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_or_a_try_dropped_at_any_poll_leaves_nothing() {
    for times in 0..40 {
        let (etcd, client) = cluster();
        let held = soon(queue(&client).ttl(secs(60)).acquire()).await.unwrap();
        let tried = polled(times, queue(&client).ttl(secs(60)).try_acquire()).await;
        assert!(tried.is_none_or(|tried| tried.unwrap().is_none()));
        let released = polled(times, held.release()).await;
        assert!(released.is_none_or(|released| released.is_ok()));
        nothing_is_left(&etcd, &client, 0, &format!("poll {times}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_or_a_change_of_the_value_dropped_at_any_poll_does_no_harm() {
    for times in 0..12 {
        let (etcd, client) = cluster();
        let held = soon(queue(&client).ttl(secs(60)).acquire()).await.unwrap();
        polled(times, held.renew()).await;
        polled(times, held.set_value("other")).await;
        sleep(100).await;
        held.check().unwrap();
        soon(held.release()).await.unwrap();
        nothing_is_left(&etcd, &client, 0, &format!("poll {times}")).await;
    }
}

/// In real time: what is dropped outside of the runtime is dropped by a thread that has none.
#[test]
fn nothing_panics_that_is_dropped_outside_of_a_runtime() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let first = runtime();
    let (_etcd, client) = cluster();
    let held = first.block_on(queue(&client).acquire()).unwrap();
    let (lost, mut waiting) = (held.lost(), Box::pin(queue(&client).acquire()));
    // Its key is there, and it waits.
    assert!(first.block_on(async { tokio::time::timeout(SHORT, &mut waiting).await.is_err() }));
    assert_eq!(first.block_on(keys(&client, "/locks/a")).len(), 2);
    drop(held);
    // The runtime goes on, and gives back what is dropped elsewhere.
    let (reason, next) = first.block_on(async { (soon(lost).await, soon(waiting).await.unwrap()) });
    assert_eq!(reason, etcd_recipe::LossReason::Released);
    let (mut waiting, unpolled) = (Box::pin(queue(&client).acquire()), queue(&client).acquire());
    assert!(first.block_on(async { tokio::time::timeout(SHORT, &mut waiting).await.is_err() }));
    drop(waiting);
    drop(unpolled);
    // And after the end of the runtime.
    drop(first);
    assert!(next.check().is_ok(), "by the clock it is still ours");
    let second = runtime();
    let error = second.block_on(next.renew()).unwrap_err();
    assert!(error.is_no_runtime(), "{error:?}");
    drop(next);
}

/// Long enough for a few requests to a server in memory.
const SHORT: Duration = Duration::from_millis(200);
