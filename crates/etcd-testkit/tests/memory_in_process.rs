//! The cluster in memory without sockets, in virtual time.

#[path = "memory_in_process/change.rs"]
mod change;
#[path = "memory_in_process/fault.rs"]
mod fault;
#[path = "memory_in_process/later.rs"]
mod later;
#[path = "memory_in_process/log.rs"]
mod log;
#[path = "memory_in_process/operation.rs"]
mod operation;
#[path = "memory_in_process/service.rs"]
mod service;
#[path = "memory_in_process/time.rs"]
mod time;

use std::pin::Pin;

use bytes::Bytes;
use etcd_testkit::memory::{Body, Disconnected, HttpService, InProcess, MemoryEtcd};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tower::{BoxError, ServiceExt as _};

fn cluster(members: usize) -> InProcess {
    MemoryEtcd::builder().members(members).in_process().unwrap()
}

async fn send(service: HttpService, method: &str, target: &str) -> Result<Response<Body>, BoxError> {
    let request = Request::builder().method(method).uri(target).body(String::new()).unwrap();
    service.oneshot(request).await
}

/// Status and body of an answer of the first member.
async fn ask(etcd: &InProcess, method: &str, target: &str) -> (u16, String) {
    let response = send(etcd.http_service(), method, target).await.unwrap();
    let status = response.status().as_u16();
    (status, text(response.into_body()).await.unwrap())
}

async fn status(etcd: &InProcess, method: &str, target: &str) -> u16 {
    ask(etcd, method, target).await.0
}

async fn text(body: Body) -> Result<String, Disconnected> {
    let bytes = body.collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

async fn watch(etcd: &InProcess, target: &str) -> Body {
    let response = send(etcd.http_service(), "GET", target).await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

/// The next piece of a body; `None` at its end.
async fn next(body: &mut Body) -> Option<Result<Bytes, Disconnected>> {
    let frame = Pin::new(body).frame().await?;
    Some(frame.map(|frame| frame.into_data().unwrap()))
}

async fn event(body: &mut Body) -> String {
    let bytes = next(body).await.unwrap().unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Whether nothing comes of a body although time passes.
async fn is_silent(body: &mut Body) -> bool {
    tokio::time::timeout(std::time::Duration::from_secs(1), next(body)).await.is_err()
}

fn disconnect(result: Result<Response<Body>, BoxError>) -> Disconnected {
    *result.unwrap_err().downcast::<Disconnected>().unwrap()
}
