//! What becomes of a server's answer.

use std::sync::Arc;

use http::Response;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::sleep;

use super::Fault;
use super::body::{Download, drain};
use super::ending::{Broken, Ending};
use super::page;

/// The server's answer as the client gets it.
pub(super) async fn spoil(
    fault: Fault,
    answer: Response<Incoming>,
    ending: &Arc<Ending>,
) -> Result<Response<Download>, Broken> {
    let plain =
        |answer: Response<Incoming>| answer.map(|body| Download::from_server(body, Arc::clone(ending)));
    Ok(match fault {
        Fault::DropAnswer => {
            drain(answer.into_body()).await;
            return Err(Broken);
        }
        Fault::ResetAnswer => {
            drain(answer.into_body()).await;
            return Err(ending.reset());
        }
        Fault::HangAnswer => {
            drain(answer.into_body()).await;
            std::future::pending().await
        }
        Fault::GatewayAfter(status) => {
            drain(answer.into_body()).await;
            page::gateway(status).map(|body| Download::page(body, Arc::clone(ending)))
        }
        Fault::ResetAfterHead => {
            let mut answer = plain(answer);
            if answer.body().is_end_stream() {
                // No body that the reset could come in: it has to come behind the head.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                ending.reset();
            }
            answer.map(|body| body.cut(0, true))
        }
        Fault::CutBody(after) => plain(answer).map(|body| body.cut(after, false)),
        Fault::ResetBody(after) => plain(answer).map(|body| body.cut(after, true)),
        Fault::FlipByte(offset) => plain(answer).map(|body| body.flip(offset)),
        Fault::Dribble { bytes, every } => plain(answer).map(|body| body.dribble(bytes, every)),
        Fault::DelayAnswer(by) => {
            sleep(by).await;
            plain(answer)
        }
        Fault::Status(status) => {
            let mut answer = plain(answer);
            *answer.status_mut() = status;
            answer
        }
        Fault::ContentType(media_type) => {
            let mut answer = plain(answer);
            answer.headers_mut().remove(CONTENT_TYPE);
            if let Ok(media_type) = HeaderValue::from_str(&media_type) {
                answer.headers_mut().insert(CONTENT_TYPE, media_type);
            }
            answer
        }
        // These are over before there is an answer.
        Fault::Hang
        | Fault::ResetBeforeHead
        | Fault::DropRequest
        | Fault::GatewayBefore(_)
        | Fault::Html(_)
        | Fault::Redirect { .. }
        | Fault::Delay(_) => plain(answer),
    })
}
