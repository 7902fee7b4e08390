//! Doubles that answer calls by a script and keep what they were asked.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use etcd_client::BoxError;
use etcd_client::v2::{Client, Operation, Request, Response};
use etcd_transport::{CallContext, ReqBody, RespBody};
use http::StatusCode;

/// What a double was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Request>>>);

impl Log {
    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.0.lock().unwrap().iter().map(|request| request.operation.clone()).collect()
    }

    /// Name and key of each call.
    pub(crate) fn calls(&self) -> Vec<String> {
        let name = |operation: &Operation| match operation.key() {
            Some(key) => format!("{} {key}", operation.name()),
            None => operation.name().to_owned(),
        };
        self.operations().iter().map(name).collect()
    }
}

/// A client whose operation seam is answered by `answer`.
pub(crate) fn operation_double(
    answer: impl Fn(&Operation) -> Result<Response, BoxError> + Clone + Send + Sync + 'static,
) -> (Client, Log) {
    let log = Log::default();
    let kept = log.clone();
    let service = tower::service_fn(move |request: Request| {
        let response = answer(&request.operation);
        kept.0.lock().unwrap().push(request);
        async move { response }
    });
    (Client::from_service(service), log)
}

/// What an HTTP double was asked: method and target, body, and what the client said of the call.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) body: String,
    pub(crate) context: CallContext,
}

/// A client whose HTTP service gives these answers in turn.
pub(crate) fn http_double<const N: usize>(
    answers: [http::Response<RespBody>; N],
) -> (Client, Arc<Mutex<Vec<Asked>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (kept, answers) = (Arc::clone(&asked), Arc::new(Mutex::new(VecDeque::from(answers))));
    let service = tower::service_fn(move |request: http::Request<ReqBody>| {
        let body = request.body().as_bytes().map(|body| String::from_utf8_lossy(body).into_owned());
        kept.lock().unwrap().push(Asked {
            line: format!("{} {}", request.method(), request.uri()),
            body: body.unwrap_or_default(),
            context: request.extensions().get::<CallContext>().cloned().expect("the codec always sets one"),
        });
        let answer = answers.lock().unwrap().pop_front().expect("the script has an answer for every call");
        async move { Ok::<_, BoxError>(answer) }
    });
    (Client::from_transport(service), asked)
}

/// A JSON answer of the keys API at index 9.
pub(crate) fn answer(status: u16, body: &str) -> http::Response<RespBody> {
    http::Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("content-type", "application/json")
        .header("x-etcd-index", "9")
        .body(RespBody::from(Bytes::copy_from_slice(body.as_bytes())))
        .unwrap()
}

/// An error of the keys API, as the codec hands it up.
pub(crate) fn refusal(operation: &Operation, status: u16, code: u16, cause: &str) -> BoxError {
    let body = format!(r#"{{"errorCode":{code},"message":"m","cause":{cause:?},"index":9}}"#);
    let status = StatusCode::from_u16(status).unwrap();
    operation.decode(status, &http::HeaderMap::new(), body.as_bytes()).unwrap_err().into()
}

/// A success of the keys API, as the codec hands it up.
pub(crate) fn success(operation: &Operation, body: &str) -> Result<Response, BoxError> {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-etcd-index", http::HeaderValue::from_static("9"));
    Ok(operation.decode(StatusCode::OK, &headers, body.as_bytes())?)
}
