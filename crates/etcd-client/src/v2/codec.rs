//! From typed requests to HTTP and back.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use etcd_proto::v2::{ApiError, Header, Operation, Request, Response, WatchResponse};
use etcd_proto::{BoxError, Outcome};
use etcd_transport::{Attempts, BodyMode, CallContext, DynService, HttpService, ReqBody, RespBody};
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Limited};
use tower_service::Service;

use super::event_body::EventBody;
use super::limits::{CallOptions, Limits};
use crate::{Error, ErrorKind};

/// The service at the bottom of the operation seam: writes a typed request as HTTP, sends it through an HTTP
/// service, and reads the answer.
///
/// What it knows of the call it hands down as [`CallContext`]: the idempotence class, the limits, how the body
/// is to be read.
#[derive(Clone, Debug)]
pub(crate) struct Codec {
    http: DynService,
    limits: Limits,
}

impl Codec {
    pub(crate) fn new<S, B>(http: S, limits: Limits) -> Self
    where
        S: HttpService<B>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self { http: DynService::new(http), limits }
    }
}

impl Service<Request> for Codec {
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // The box awaits the readiness of what is in it inside the call.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self { http, limits } = self.clone();
        Box::pin(async move {
            let operation = request.operation.clone();
            send(http, &limits, request)
                .await
                .map_err(|error| error.with_call(operation.name(), operation.key()))
        })
    }
}

async fn send(mut http: DynService, limits: &Limits, request: Request) -> Result<Response, Error> {
    let context = context(limits, &request);
    let Request { operation, extensions, .. } = request;
    let mut http_request = operation.encode()?.map(ReqBody::from);
    *http_request.extensions_mut() = extensions;
    http_request.extensions_mut().insert(context);
    let mut response = http.call(http_request).await.map_err(Error::from_box)?;
    let attempts = response.extensions_mut().remove::<Attempts>().unwrap_or_default();
    let made = u32::try_from(attempts.made()).unwrap_or(u32::MAX).max(1);
    match decode(&operation, limits, response).await {
        Ok(Response::Keys(mut keys)) => {
            keys.attempts = made;
            Ok(Response::Keys(keys))
        }
        Ok(response) => Ok(response),
        Err(error) => Err(error.with_attempts(attempts)),
    }
}

/// What the layers below need to know of the call.
fn context(limits: &Limits, request: &Request) -> CallContext {
    let operation = &request.operation;
    let options = request.extensions.get::<CallOptions>().cloned().unwrap_or_default();
    let mut context = CallContext::default();
    context.operation = operation.name();
    context.idempotence = request.idempotence();
    context.body = match operation {
        Operation::Watch(_) => BodyMode::Stream,
        Operation::Keys(_)
        | Operation::Members(_)
        | Operation::Stats(_)
        | Operation::Auth(_)
        | Operation::Cluster(_) => BodyMode::Buffered { limit: limits.response },
    };
    context.attempt_timeout = limits.attempt(operation, &options);
    context.call_timeout = limits.call(operation, &options);
    context.leader_only = operation.is_leader_only();
    context.reissue = options.reissue(context.idempotence);
    context.resolved = options.resolve;
    context.retry = options.retry.unwrap_or(true);
    context.max_attempts = options.max_attempts;
    context.budget_exempt = options.budget_exempt;
    context.pinned = options.endpoint;
    context.leader_first = options.leader_first;
    context.turn = options.turn;
    context.monotonic_reads = options.monotonic_reads;
    context
}

async fn decode(
    operation: &Operation,
    limits: &Limits,
    response: http::Response<RespBody>,
) -> Result<Response, Error> {
    let (mut head, body) = response.into_parts();
    if let Some(api) = head.extensions.remove::<ApiError>() {
        return Err(operation.error(api).into());
    }
    if matches!(operation, Operation::Watch(_)) && head.status.is_success() {
        let header = Operation::decode_watch_head(head.status, &head.headers, b"")?;
        return Ok(Response::Watch(WatchResponse::new(header, EventBody::new(body, limits.response))));
    }
    let body = match body.into_bytes() {
        Ok(bytes) => bytes,
        // A service other than our transport may hand over a body that is still to be read.
        Err(body) => collect(Pin::new(&mut { body }), limits.response)
            .await
            .map_err(|error| unread(operation, &head, error))?,
    };
    Ok(operation.decode(head.status, &head.headers, &body)?)
}

async fn collect(body: Pin<&mut RespBody>, limit: usize) -> Result<Bytes, BoxError> {
    Ok(Limited::new(body, limit).collect().await?.to_bytes())
}

/// The error for a body that broke while it was read: with an index of the store in the head of a success, the
/// write was made.
fn unread(operation: &Operation, head: &http::response::Parts, error: BoxError) -> Error {
    let outcome = match head.status {
        _ if operation.idempotence().is_read() => Outcome::NotApplied,
        status if !status.is_success() => Outcome::of_status(status),
        _ if Header::from_headers(&head.headers).etcd_index.is_none() => Outcome::Unknown,
        _ => Outcome::Applied,
    };
    let kind = match error.is::<http_body_util::LengthLimitError>() {
        true => ErrorKind::BodyTooLarge,
        false => ErrorKind::BodyInterrupted,
    };
    Error::new(kind).with_outcome(outcome).with_status(head.status).with_source(error)
}

#[cfg(test)]
mod tests {
    use etcd_proto::v2::Key;
    use etcd_proto::v2::keys::Watch;

    use super::*;

    #[test]
    fn the_turn_of_a_watch_is_handed_down() {
        let mut request = Request::new(Watch::new(Key::root()));
        assert_eq!(context(&Limits::default(), &request).turn, 0);
        request.extensions.insert(CallOptions { turn: 2, ..CallOptions::default() });
        assert_eq!(context(&Limits::default(), &request).turn, 2);
    }
}
