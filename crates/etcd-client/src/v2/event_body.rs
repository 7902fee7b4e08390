//! The body of a watch as a stream of events.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use etcd_proto::BoxError;
use etcd_proto::v2::{EventDecoder, KeysEvent};
use etcd_transport::RespBody;
use futures_util::Stream;
use http_body::Body;

use crate::{Error, ErrorKind};

/// Reads events out of a body as it comes. After an error or the end it stays ended.
///
/// Reads no further ahead than one frame, so a consumer that stops reading stops the server.
pub(crate) struct EventBody {
    body: RespBody,
    decoder: EventDecoder,
    ended: bool,
}

impl EventBody {
    /// Reads `body`; an event of more than `limit` bytes is an error.
    pub(crate) fn new(body: RespBody, limit: usize) -> Self {
        Self { body, decoder: EventDecoder::new(limit), ended: false }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<KeysEvent, Error>>> {
        loop {
            if let Some(event) = self.decoder.next_event()? {
                return Poll::Ready(Some(Ok(event)));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.decoder.push(data);
                    }
                }
                Some(Err(source)) => {
                    return Poll::Ready(Some(
                        Err(Error::new(ErrorKind::BodyInterrupted).with_source(source)),
                    ));
                }
                None => {
                    self.decoder.finish()?;
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl Stream for EventBody {
    type Item = Result<KeysEvent, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = ready!(self.poll_event(cx));
        self.ended = !matches!(item, Some(Ok(_)));
        Poll::Ready(item.map(|item| item.map_err(Into::into)))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn events_come_out_and_a_body_cut_inside_one_ends_with_an_error() {
        let event = r#"{"action":"set","node":{"key":"/a","value":"1","modifiedIndex":7,"createdIndex":7}}"#;
        let body = RespBody::from(Bytes::from(format!("{event}{event}\n{{\"action\"")));
        let mut events = EventBody::new(body, 1024);
        for _ in 0..2 {
            assert_eq!(events.next().await.unwrap().unwrap().index().get(), 7);
        }
        let error = Error::from_box(events.next().await.unwrap().unwrap_err());
        assert!(error.is_unreadable(), "{error:?}");
        assert!(events.next().await.is_none());
    }

    #[tokio::test]
    async fn an_event_above_the_limit_is_too_large() {
        let body = RespBody::from(Bytes::from(format!("{{\"action\":\"{}", "s".repeat(2000))));
        let error = Error::from_box(EventBody::new(body, 1024).next().await.unwrap().unwrap_err());
        assert!(error.is_body_too_large(), "{error:?}");
    }

    #[tokio::test]
    async fn an_empty_body_ends_without_an_event_and_without_an_error() {
        assert!(EventBody::new(RespBody::from(Bytes::new()), 1024).next().await.is_none());
    }
}
