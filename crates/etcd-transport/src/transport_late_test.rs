//! Copies of a request that a layer has kept in a queue until the caller had its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etcd_proto::Outcome;
use tower::ServiceExt;

use super::*;
use crate::{Attempts, ConnectError};

/// How long a request lies in the queue of [`Queue`], and how long its caller waits for that.
const QUEUED: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_millis(100);

/// Moves each request to a task, which passes it on after [`QUEUED`], and gives up waiting after
/// [`PATIENCE`]: with an error, or with a copy that it sends at once.
#[derive(Clone)]
struct Queue {
    sends_a_copy: bool,
}

impl tower_layer::Layer<DynService> for Queue {
    type Service = tower::util::BoxCloneSyncService<Request<ReqBody>, Response<RespBody>, BoxError>;

    fn layer(&self, inner: DynService) -> Self::Service {
        let sends_a_copy = self.sends_a_copy;
        tower::util::BoxCloneSyncService::new(tower::service_fn(move |request: Request<ReqBody>| {
            let copy = crate::retry::copy(&request).filter(|_| sends_a_copy);
            let (queued, inner) = (inner.clone(), inner.clone());
            let task = tokio::spawn(async move {
                tokio::time::sleep(QUEUED).await;
                queued.oneshot(request).await
            });
            async move {
                match (tokio::time::timeout(PATIENCE, task).await, copy) {
                    (Ok(done), _) => Ok(done??),
                    (Err(_), Some(copy)) => Ok(inner.oneshot(copy).await?),
                    (Err(elapsed), None) => Err(elapsed.into()),
                }
            }
        }))
    }
}

/// A server that refuses the first write by its condition and would do a second one; how many it got.
fn server() -> (impl HttpService<RespBody>, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&count);
    let server = tower::service_fn(move |_: Request<ReqBody>| {
        let (status, body) = match sent.fetch_add(1, Ordering::SeqCst) {
            0 => (412, r#"{"errorCode":101,"message":"Compare failed","cause":"[1 != 2]","index":7}"#),
            _ => (200, "{}"),
        };
        let answer = Response::builder().status(status).header("x-etcd-index", "7");
        std::future::ready(answer.body(RespBody::from(body)).map_err(ConnectError::new))
    });
    (server, count)
}

fn write() -> Request<ReqBody> {
    Request::put("/v2/keys/a").body(ReqBody::from("value=1")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_a_call_layer_has_given_up_is_not_sent_later() {
    let (server, sent) = server();
    let queue = Queue { sends_a_copy: false };
    let transport = Transport::builder("a".parse().unwrap()).call_layer(queue).build_with(server).unwrap();
    let error = transport.oneshot(write()).await.unwrap_err();
    assert!(error.is_layer());
    assert_eq!(error.outcome(), Outcome::NotApplied);
    tokio::time::sleep(2 * QUEUED).await;
    assert_eq!(sent.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_copy_in_a_queue_is_not_sent_behind_the_answer_of_another() {
    let queue = || Queue { sends_a_copy: true };
    let builder = || Transport::builder("a".parse().unwrap());
    for call_seam in [false, true] {
        let (server, sent) = server();
        let transport = match call_seam {
            true => builder().call_layer(queue()).build_with(server).unwrap(),
            false => builder().attempt_layer(queue()).build_with(server).unwrap(),
        };
        let response = transport.oneshot(write()).await.unwrap();
        assert_eq!(response.status(), 412);
        assert_eq!(response.extensions().get::<Attempts>().unwrap().outcome(), Outcome::NotApplied);
        tokio::time::sleep(2 * QUEUED).await;
        assert_eq!(sent.load(Ordering::SeqCst), 1, "call seam: {call_seam}");
    }
}
