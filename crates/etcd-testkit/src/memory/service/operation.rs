//! The cluster as a service of typed calls.

use std::future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use etcd_proto::BoxError;
use etcd_proto::v2::{EventDecoder, KeysEvent, Operation, Request, Response, WatchResponse};
use futures_core::Stream;
use http_body::Body as _;
use tower_service::Service;

use super::{Body, ResponseFuture};
use crate::memory::engine::{Caller, Engine};

/// The cluster as a service of typed calls, for a client's operation seam.
///
/// A call becomes the HTTP request that it stands for, and so meets the same faults and stands in the same log.
/// It goes to member 0, or the one chosen by [`to`](Self::to). A watch is answered when it is open; its events
/// come by the stream in the answer.
///
/// Errors are boxed: [`etcd_proto::Error`] for what the server refuses and for what cannot be sent or read,
/// [`ConnectRefused`](crate::memory::ConnectRefused) and [`Disconnected`](crate::memory::Disconnected).
/// Cheap to clone; always ready.
#[derive(Clone, Debug)]
pub struct OperationService {
    engine: Arc<Engine>,
    member: usize,
}

impl OperationService {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine, member: 0 }
    }

    /// A service whose calls go to this member, counted from 0. One that does not exist refuses them.
    #[must_use]
    pub fn to(mut self, member: usize) -> Self {
        self.member = member;
        self
    }
}

impl Service<Request> for OperationService {
    type Response = Response;
    type Error = BoxError;
    type Future = ResponseFuture<Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (engine, member) = (Arc::clone(&self.engine), self.member);
        ResponseFuture::new(async move {
            let operation = request.operation;
            let (head, body) = operation.encode()?.into_parts();
            let answer = engine.serve(Caller { member, kills: None }, head, future::ready(Ok(body))).await?;
            let (head, body) = answer.into_parts();
            if matches!(operation, Operation::Watch(_)) && head.status.is_success() {
                let header = Operation::decode_watch_head(head.status, &head.headers, b"")?;
                return Ok(Response::Watch(WatchResponse::new(header, Events::new(body))));
            }
            let body = collect(body).await?;
            Ok(operation.decode(head.status, &head.headers, &body)?)
        })
    }
}

async fn collect(mut body: Body) -> Result<BytesMut, BoxError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole)
}

/// The events in a body.
struct Events {
    body: Body,
    decoder: EventDecoder,
    is_ended: bool,
}

impl Events {
    fn new(body: Body) -> Self {
        // The store's events are bounded by what it takes, which is more than the decoder's default.
        let decoder = EventDecoder::new(usize::MAX);
        Self { body, decoder, is_ended: false }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<KeysEvent>, BoxError>> {
        loop {
            if let Some(event) = self.decoder.next_event()? {
                return Poll::Ready(Ok(Some(event)));
            }
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
                self.decoder.finish()?;
                return Poll::Ready(Ok(None));
            };
            if let Ok(data) = frame?.into_data() {
                self.decoder.push(&data);
            }
        }
    }
}

impl Stream for Events {
    type Item = Result<KeysEvent, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        let item = ready!(self.poll(context)).transpose();
        self.is_ended = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}
