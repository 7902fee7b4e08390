//! Servers for tests in virtual time: they do what a script says, below a whole transport.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use etcd_proto::{BoxError, Idempotence};
use http::{Request, Response};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::{CallContext, ConnectError, Error, ReqBody, RespBody, RetryConfig, Transport};

/// What a server does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// 200, with an index.
    Serve,
    /// No connection.
    Refuse,
    /// Takes the request, and the connection ends.
    Cut,
    /// Takes the request, and says nothing.
    Hang,
    /// A head of success, and a body that breaks.
    Break,
    /// 503 without a word of etcd.
    Unserved,
    /// 500 of a member without a quorum.
    Raft,
    /// 412 of etcd.
    Reject,
    /// A page of HTML.
    Html,
    /// 200 after so many milliseconds.
    Late(u64),
}

impl Does {
    pub(crate) async fn answer(self) -> Result<Response<RespBody>, BoxError> {
        let answer = |status: u16, body: &'static str| {
            let head = Response::builder().status(status).header("x-etcd-index", "7");
            Ok(head.body(RespBody::from(body)).unwrap())
        };
        if let Self::Late(millis) = self {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        match self {
            Self::Serve | Self::Late(_) => answer(200, r#"{"action":"get"}"#),
            Self::Refuse => Err(ConnectError::new("refused").into()),
            Self::Cut => Err("cut".into()),
            Self::Hang => std::future::pending().await,
            Self::Break => {
                let frame = Err::<http_body::Frame<bytes::Bytes>, BoxError>("broken".into());
                let body = http_body_util::StreamBody::new(futures_util::stream::iter([frame]));
                Ok(Response::new(RespBody::wrap(body)))
            }
            Self::Unserved => answer(503, ""),
            Self::Raft => answer(
                500,
                r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: request timed out"}"#,
            ),
            Self::Reject => answer(412, r#"{"errorCode":101,"message":"Compare failed","cause":"[1 != 2]"}"#),
            Self::Html => answer(200, "<html></html>"),
        }
    }
}

/// What a server does, by the number of the request and the host.
type Script = dyn Fn(usize, &str) -> Does + Send + Sync;

/// Servers `a`, `b` …, what they were asked, and when.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) asked: Arc<Mutex<Vec<(String, Instant)>>>,
    script: Arc<Script>,
}

impl Cluster {
    /// Servers that do what this says of the number of the request (from 0) and the host.
    pub(crate) fn new(script: impl Fn(usize, &str) -> Does + Send + Sync + 'static) -> Self {
        Self { asked: Arc::default(), script: Arc::new(script) }
    }

    /// Servers that all do the same.
    pub(crate) fn all(does: Does) -> Self {
        Self::new(move |_, _| does)
    }

    pub(crate) fn transport(&self, servers: &str, config: RetryConfig) -> Transport {
        let this = self.clone();
        let connection = tower::service_fn(move |request: Request<ReqBody>| {
            let host = request.uri().host().unwrap().to_owned();
            let does = {
                let mut asked = this.asked.lock().unwrap();
                asked.push((host.clone(), Instant::now()));
                (this.script)(asked.len() - 1, &host)
            };
            does.answer()
        });
        Transport::builder(servers.parse().unwrap()).retry(config).build_with(connection).unwrap()
    }

    /// Who was asked, in order, as one text.
    pub(crate) fn hosts(&self) -> String {
        self.asked.lock().unwrap().iter().map(|(host, _)| host.as_str()).collect()
    }

    /// Milliseconds between requests.
    pub(crate) fn gaps(&self) -> Vec<u128> {
        let asked = self.asked.lock().unwrap();
        asked.windows(2).map(|two| (two[1].1 - two[0].1).as_millis()).collect()
    }
}

pub(crate) fn of(idempotence: Idempotence) -> CallContext {
    CallContext { idempotence, ..CallContext::default() }
}

pub(crate) async fn send(transport: &Transport, context: CallContext) -> Result<Response<RespBody>, Error> {
    let mut request = Request::builder().uri("/v2/keys/a").body(ReqBody::from("value=1")).unwrap();
    request.extensions_mut().insert(context);
    transport.clone().oneshot(request).await
}
