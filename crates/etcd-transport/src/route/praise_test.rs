//! Which answers end a row of failures.

use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use etcd_proto::Idempotence;
use http::Response;
use tower::ServiceExt;

use super::*;
use crate::{BodyMode, ConnectError, RespBody, RetryConfig, Transport};

/// A body that is cut off.
struct Cut;

impl http_body::Body for Cut {
    type Data = bytes::Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, BoxError>>> {
        Poll::Ready(Some(Err("cut".into())))
    }
}

/// Always the first that is not ejected.
#[derive(Debug)]
struct First;

impl Strategy for First {
    fn pick(&self, servers: &Servers<'_>) -> usize {
        servers.best_from(0)
    }
}

/// How often `bad` was asked by 50 reads; how it answers is told the number of the request.
async fn asked<F>(answer: F, body: BodyMode) -> usize
where
    F: Fn(usize) -> Result<Response<RespBody>, ConnectError> + Clone + Send + Sync + 'static,
{
    let count = Arc::new(Mutex::new(0));
    let asked = Arc::clone(&count);
    let servers = tower::service_fn(move |request: Request<ReqBody>| {
        let bad = request.uri().host() == Some("bad");
        let mut asked = asked.lock().unwrap();
        *asked += usize::from(bad);
        std::future::ready(if bad { answer(*asked) } else { Ok(good(200)) })
    });
    let transport = Transport::builder("bad good".parse().unwrap())
        .strategy(First)
        .retry(RetryConfig::new().budget(None))
        .build_with(servers)
        .unwrap();
    for _ in 0..50 {
        let context = CallContext { idempotence: Idempotence::Read, body, ..CallContext::default() };
        let mut request = Request::builder().uri("/v2/keys/a").body(ReqBody::empty()).unwrap();
        request.extensions_mut().insert(context);
        transport.clone().oneshot(request).await.unwrap();
    }
    *count.lock().unwrap()
}

fn good(status: u16) -> Response<RespBody> {
    let response = Response::builder().status(status).header("x-etcd-index", "7");
    response.header("location", "http://good:2379/v2/keys/a").body(RespBody::from("{}")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cuts_off_each_body_is_ejected() {
    assert_eq!(asked(|_| Ok(Response::new(RespBody::wrap(Cut))), BodyMode::default()).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_no_etcd_is_ejected() {
    let page = |_| {
        let page = Response::builder().header("content-type", "text/html").body(RespBody::from("<html>"));
        Ok(page.unwrap())
    };
    assert_eq!(asked(page, BodyMode::default()).await, 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_a_row_whether_it_is_read_or_handed_on_or_leads_elsewhere() {
    let read = BodyMode::default();
    for (status, body) in [(200, read), (404, read), (307, read), (200, BodyMode::Stream)] {
        let answer = move |number| match number {
            3 => Ok(good(status)),
            _ => Err(ConnectError::new("refused")),
        };
        // Two failures, the answer, and three in a row.
        assert_eq!(asked(answer, body).await, 6, "{status} {body:?}");
    }
}
