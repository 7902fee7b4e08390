//! The log says what has become of each request.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use etcd_testkit::memory::{ConnectRefused, Fault, InProcess, LogEntry, Reply, Rule};
use http::{Method, Request, StatusCode};
use http_body::Frame;
use tokio::time::timeout;
use tower::{BoxError, ServiceExt as _};

use super::{cluster, disconnect, send, status};

const PUT: &str = "/v2/keys/a?value=1";
const SECOND: Duration = Duration::from_secs(1);

/// A body that never comes, or breaks off.
struct Stuck {
    breaks: bool,
}

impl http_body::Body for Stuck {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.breaks {
            true => Poll::Ready(Some(Err("as meant".into()))),
            false => Poll::Pending,
        }
    }
}

async fn upload(etcd: &InProcess, breaks: bool) -> BoxError {
    let request = Request::put(PUT).body(Stuck { breaks }).unwrap();
    etcd.http_service().oneshot(request).await.unwrap_err()
}

fn last(etcd: &InProcess) -> LogEntry {
    etcd.log().entries().pop().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_request_to_a_dead_member_is_in_it() {
    let etcd = cluster(1);
    etcd.kill(0).unwrap();
    assert!(send(etcd.http_service(), "PUT", PUT).await.unwrap_err().is::<ConnectRefused>());
    let entry = last(&etcd);
    assert_eq!((entry.reply, entry.status, entry.applied), (Reply::Refused, None, false));
    assert_eq!(entry.target, PUT);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_hangs_is_pending_until_its_client_leaves() {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(Fault::Hang).nth(1));
    let hangs = tokio::spawn(timeout(5 * SECOND, send(etcd.http_service(), "PUT", PUT)));
    etcd.advance(SECOND).await;
    assert_eq!((last(&etcd).reply, last(&etcd).fault), (Reply::Pending, Some(Fault::Hang)));
    assert!(hangs.await.unwrap().is_err());
    assert_eq!(last(&etcd).reply, Reply::Abandoned);
}

#[tokio::test(start_paused = true)]
async fn a_delayed_answer_has_no_status_before_it_is_sent() {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(Fault::DelayAnswer(5 * SECOND)).method(Method::PUT));
    let put = tokio::spawn(send(etcd.http_service(), "PUT", PUT));
    etcd.advance(SECOND).await;
    let entry = last(&etcd);
    assert_eq!((entry.applied, entry.reply, entry.status), (true, Reply::Pending, None));
    put.await.unwrap().unwrap();
    let entry = last(&etcd);
    assert_eq!((entry.reply, entry.status), (Reply::Answered, Some(StatusCode::CREATED)));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_its_member_does_not_survive_is_cut() {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(Fault::DelayAnswer(5 * SECOND)).method(Method::PUT));
    let put = tokio::spawn(send(etcd.http_service(), "PUT", PUT));
    etcd.advance(SECOND).await;
    etcd.kill(0).unwrap();
    assert!(disconnect(put.await.unwrap()).is_reset());
    let entry = last(&etcd);
    assert_eq!((entry.applied, entry.reply, entry.status), (true, Reply::Cut, None));
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_body_breaks_off_is_abandoned() {
    let etcd = cluster(1);
    assert_eq!(upload(&etcd, true).await.to_string(), "as meant");
    assert_eq!((last(&etcd).reply, last(&etcd).applied), (Reply::Abandoned, false));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_does_not_wait_for_the_body() {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(Fault::Refuse).nth(1));
    let refused = async || timeout(SECOND, upload(&etcd, false)).await.expect("it waits");
    assert!(refused().await.is::<ConnectRefused>());
    etcd.kill(0).unwrap();
    assert!(refused().await.is::<ConnectRefused>());
}

#[tokio::test(start_paused = true)]
async fn a_kill_ends_an_upload() {
    let etcd = cluster(1);
    let killer = etcd.clone();
    let killing = tokio::spawn(async move {
        killer.advance(SECOND).await;
        killer.kill(0).unwrap();
    });
    let end = timeout(60 * SECOND, upload(&etcd, false)).await.expect("the upload goes on");
    assert!(end.downcast_ref::<etcd_testkit::memory::Disconnected>().unwrap().is_reset());
    killing.await.unwrap();
    assert_eq!(last(&etcd).reply, Reply::Cut);
}

#[tokio::test(start_paused = true)]
async fn a_long_method_is_not_kept_whole() {
    let etcd = cluster(1);
    assert_eq!(status(&etcd, &"X".repeat(5000), "/v2/keys/a").await, 405);
    assert_eq!(last(&etcd).method.as_str(), "X".repeat(32));
}

#[tokio::test(start_paused = true)]
async fn a_cleared_log_hears_no_more_of_what_was_in_it() {
    let etcd = cluster(1);
    etcd.faults().add(Rule::new(Fault::Hang).nth(1));
    let hangs = tokio::spawn(timeout(5 * SECOND, send(etcd.http_service(), "PUT", PUT)));
    etcd.advance(SECOND).await;
    etcd.log().clear();
    assert_eq!(status(&etcd, "GET", "/version").await, 200);
    assert!(hangs.await.unwrap().is_err());
    assert_eq!((last(&etcd).reply, etcd.log().count()), (Reply::Answered, 1));
}
