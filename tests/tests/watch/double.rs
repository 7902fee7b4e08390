//! Services that stand in for etcd, or between it and a watch, and answer as no etcd should.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use etcd_client::BoxError;
use etcd_client::v2::{Client, Index, KeysEvent, Operation, Request, Response, WatchResponse};
use etcd_proto::v2::Header;
use etcd_testkit::memory::InProcess;
use futures_util::{StreamExt as _, stream};
use tower::ServiceExt as _;

/// How often a double was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

impl Count {
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A client of a double that answers each poll at an index, and each stream, by a head's index and an event's; it is
/// silent where there is no event. Reads find nothing at index 7.
pub(crate) fn double(
    watch: impl Fn(Option<u64>) -> (u64, Option<u64>) + Clone + Send + Sync + 'static,
) -> (Client, Count) {
    let count = Count::default();
    let counted = count.clone();
    let service = tower::service_fn(move |request: Request| {
        counted.0.fetch_add(1, Ordering::SeqCst);
        let answer = match &request.operation {
            Operation::Watch(asked) => {
                let (index, event) = watch(asked.wait_index.map(Index::from).map(Index::get));
                Ok(Response::Watch(answer(index, event)))
            }
            operation => missing(operation, 7),
        };
        async move {
            // As a network does: nothing is answered before others had their turn.
            tokio::task::yield_now().await;
            answer
        }
    });
    (Client::from_service(service), count)
}

fn answer(index: u64, event: Option<u64>) -> WatchResponse {
    let mut header = Header::default();
    (header.etcd_index, header.cluster_id) = (index.into(), Some("cdf818194e3a8c32".into()));
    let events = stream::iter(event.map(|index| Ok(set(index)))).chain(stream::pending());
    WatchResponse::new(header, events)
}

/// A set of `/d/a` at an index.
fn set(index: u64) -> KeysEvent {
    let json =
        format!(r#"{{"action":"set","node":{{"key":"/d/a","value":"{index}","modifiedIndex":{index}}}}}"#);
    serde_json::from_str(&json).unwrap()
}

fn missing(operation: &Operation, index: u64) -> Result<Response, BoxError> {
    let body = format!(r#"{{"errorCode":100,"message":"m","cause":"/d","index":{index}}}"#);
    let status = http::StatusCode::NOT_FOUND;
    Err(operation.decode(status, &http::HeaderMap::new(), body.as_bytes()).unwrap_err().into())
}

/// A client of a cluster whose answers to watches pass `change` on their way.
pub(crate) fn between<F, A>(etcd: &InProcess, change: F) -> Client
where
    F: Fn(bool, Result<WatchResponse, BoxError>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<WatchResponse, BoxError>> + Send,
{
    let inner = etcd.operation_service();
    Client::from_service(tower::service_fn(move |request: Request| {
        let (inner, change) = (inner.clone(), change.clone());
        async move {
            let stream = match &request.operation {
                Operation::Watch(watch) => Some(watch.stream),
                _ => None,
            };
            let answer = inner.oneshot(request).await;
            let Some(stream) = stream else { return answer };
            let answer = answer.map(|answer| match answer {
                Response::Watch(answer) => answer,
                other => panic!("{other:?}"),
            });
            change(stream, answer).await.map(Response::Watch)
        }
    }))
}

/// A switch that is turned once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Once(Arc<Mutex<bool>>);

impl Once {
    pub(crate) fn set(&self) {
        *self.0.lock().unwrap() = true;
    }

    /// Whether it was set since it was last asked.
    pub(crate) fn take(&self) -> bool {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
