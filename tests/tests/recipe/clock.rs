//! The end by the clock, whatever tasks and timers do.

use std::future::Future as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use etcd_recipe::{Clock, LossReason, Sleep, State, Timestamp, TokioClock};
use etcd_testkit::memory::{Fault, Rule};
use http::Method;

use crate::support::{asked, cluster, queue, secs, sleep, soon};

/// tokio's clock, set forward at will, as by a process that was stopped: no timer has fired yet then.
#[derive(Clone, Debug)]
struct Jumping {
    clock: TokioClock,
    ahead: Arc<Mutex<Duration>>,
}

impl Jumping {
    fn new() -> Self {
        Self { clock: TokioClock::new(), ahead: Arc::default() }
    }

    fn jump(&self, time: Duration) {
        *self.ahead.lock().unwrap() += time;
    }
}

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        self.clock.now() + *self.ahead.lock().unwrap()
    }

    fn sleep_until(&self, time: Timestamp) -> Sleep {
        let clock = self.clone();
        Box::pin(async move {
            while clock.now() < time {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_the_first_question_hears_of_the_loss() {
    for _ in 0..20 {
        let (_etcd, client) = cluster();
        let clock = Jumping::new();
        let held = soon(queue(&client).clock(Arc::new(clock.clone())).acquire()).await.unwrap();
        held.check().unwrap();
        clock.jump(secs(30));
        // No await in between: no task has run.
        assert_eq!(held.check().unwrap_err().loss(), Some(LossReason::Expired));
        assert_eq!(held.state(), State::Lost { reason: LossReason::Expired });
        assert_eq!(held.remaining(), secs(0));
        sleep(100).await;
        assert!(held.check().is_err(), "a late renewal does not bring it back");
        assert_eq!(soon(held.release()).await.unwrap_err().loss(), Some(LossReason::Expired));
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_work_is_not_gone_on_with() {
    let (_etcd, client) = cluster();
    let clock = Jumping::new();
    let held = soon(queue(&client).clock(Arc::new(clock.clone())).acquire()).await.unwrap();
    let mut polls = 0;
    let work = std::future::poll_fn(|cx| {
        polls += 1;
        // Ready for more at once, and stopped in the middle.
        cx.waker().wake_by_ref();
        clock.jump(secs(20));
        std::task::Poll::<()>::Pending
    });
    {
        let mut run = std::pin::pin!(held.run(work));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(run.as_mut().poll(&mut cx).is_pending());
        // At once behind it: no task has run, and no timer has fired.
        match run.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(ended) => {
                assert_eq!(ended.unwrap_err().loss(), Some(LossReason::Expired));
            }
            std::task::Poll::Pending => panic!("it went on"),
        }
    }
    assert_eq!(polls, 1);
}

#[tokio::test(start_paused = true)]
async fn work_that_ends_behind_the_deadline_is_not_reported_as_done() {
    let (_etcd, client) = cluster();
    let clock = Jumping::new();
    let held = soon(queue(&client).clock(Arc::new(clock.clone())).acquire()).await.unwrap();
    let error = soon(held.run(async { clock.jump(secs(14)) })).await.unwrap_err();
    assert!(error.is_lost());
}

#[tokio::test(start_paused = true)]
async fn behind_the_deadline_nothing_is_sent() {
    let (etcd, client) = cluster();
    let clock = Jumping::new();
    let held = soon(queue(&client).clock(Arc::new(clock.clone())).acquire()).await.unwrap();
    // It waits for the next renewal.
    sleep(1).await;
    etcd.log().clear();
    clock.jump(secs(14));
    sleep(100).await;
    assert!(soon(held.renew()).await.unwrap_err().is_lost());
    assert!(soon(held.set_value("late")).await.unwrap_err().is_lost());
    assert!(soon(held.release()).await.unwrap_err().is_lost());
    sleep(20).await;
    assert!(asked(&etcd).is_empty(), "{:?}", asked(&etcd));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_whose_key_may_have_run_out_renews_it_before_it_is_granted() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).acquire()).await.unwrap();
    let clock = Jumping::new();
    let waiting = tokio::spawn(queue(&client).ttl(secs(60)).clock(Arc::new(clock.clone())).acquire());
    sleep(1).await;
    // At the server it lives on, and no renewal goes through.
    etcd.faults().set(Rule::new(Fault::Unavailable).method(Method::PUT));
    clock.jump(secs(59));
    soon(held.release()).await.unwrap();
    sleep(10).await;
    assert!(!waiting.is_finished(), "it is first, and may have run out");
    etcd.faults().clear();
    let next = soon(waiting).await.unwrap().unwrap();
    next.check().unwrap();
    // Of the ttl less the margin those 10 s are gone: any copy of the renewal may be the one that was made.
    assert!(next.remaining() > secs(40) && next.remaining() <= secs(45), "{:?}", next.remaining());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_counts_from_when_it_was_first_sent() {
    let (etcd, client) = cluster();
    let held = soon(queue(&client).ttl(secs(60)).acquire()).await.unwrap();
    let sent = TokioClock::new();
    // Answered after 4 s, at the third try: 60 s from the first one, less the margin of 6 s.
    etcd.faults().add(Rule::new(Fault::DelayAnswer(secs(4))).method(Method::PUT));
    soon(held.renew()).await.unwrap();
    let took = sent.now().since_origin();
    assert!(took >= secs(4));
    assert!(held.remaining() <= secs(54) - took, "{:?} after {took:?}", held.remaining());
}
