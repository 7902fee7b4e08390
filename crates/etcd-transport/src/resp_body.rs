//! The body of an answer.
//!
//! Buffered bodies are bytes by the time they leave an attempt, and can be taken without a copy. Streams stay
//! what the connection gives, or what a layer has made of it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use etcd_proto::BoxError;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;

use crate::downcast::downcast;

/// The body of an answer: bytes that are here already, or frames that come.
///
/// One type on every level, so that a layer which changes the body type changes nothing above it.
///
/// ```
/// use bytes::Bytes;
/// use etcd_transport::RespBody;
/// use http_body_util::Full;
///
/// assert_eq!(RespBody::from("{}").into_bytes().unwrap(), "{}");
/// // A body of somebody else's layer; it has yet to be read.
/// assert!(RespBody::wrap(Full::new(Bytes::from("{}"))).into_bytes().is_err());
/// ```
pub struct RespBody {
    kind: Kind,
    /// Of a body that is here already; `None` once taken as a frame. Boxed: only gRPC sends any.
    trailers: Option<Box<HeaderMap>>,
}

enum Kind {
    /// All of it; empty once it was taken as a frame.
    Full(Bytes),
    /// As the connection gives it.
    Incoming(Incoming),
    /// As a layer has made it.
    Boxed(UnsyncBoxBody<Bytes, BoxError>),
}

impl RespBody {
    /// Takes any body. One of this type or of hyper is taken as it is; what else a layer made is boxed.
    #[must_use]
    pub fn wrap<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let body = match downcast::<B, Self>(body) {
            Ok(own) => return own,
            Err(body) => body,
        };
        let kind = match downcast::<B, Incoming>(body) {
            Ok(incoming) => Kind::Incoming(incoming),
            Err(body) => Kind::Boxed(body.map_err(Into::into).boxed_unsync()),
        };
        Self { kind, trailers: None }
    }

    /// Puts trailers behind bytes that are here already.
    pub(crate) fn with_trailers(mut self, trailers: Option<HeaderMap>) -> Self {
        self.trailers = trailers.map(Box::new);
        self
    }

    /// The trailers of a body that is here already; a stream has them as its last frame. gRPC tells by them
    /// how a call ended.
    #[must_use]
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_deref()
    }

    /// The bytes of a body that is here already; `None` for a stream.
    ///
    /// What is read as frames is no longer among them.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.kind {
            Kind::Full(bytes) => Some(bytes),
            Kind::Incoming(_) | Kind::Boxed(_) => None,
        }
    }

    /// The bytes of a body that is here already, without a copy. Trailers are lost.
    ///
    /// # Errors
    ///
    /// The body itself where it has yet to be read.
    pub fn into_bytes(self) -> Result<Bytes, Self> {
        match self.kind {
            Kind::Full(bytes) => Ok(bytes),
            kind @ (Kind::Incoming(_) | Kind::Boxed(_)) => Err(Self { kind, trailers: None }),
        }
    }
}

impl Body for RespBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { kind, trailers } = &mut *self;
        match kind {
            Kind::Full(bytes) if bytes.is_empty() => {
                Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(*trailers))))
            }
            Kind::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Kind::Boxed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Full(bytes) => bytes.is_empty() && self.trailers.is_none(),
            Kind::Incoming(body) => body.is_end_stream(),
            Kind::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Incoming(body) => body.size_hint(),
            Kind::Boxed(body) => body.size_hint(),
        }
    }
}

impl From<Bytes> for RespBody {
    fn from(bytes: Bytes) -> Self {
        Self { kind: Kind::Full(bytes), trailers: None }
    }
}

impl From<&'static str> for RespBody {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl Default for RespBody {
    fn default() -> Self {
        Bytes::new().into()
    }
}

/// Shows the length only: a body holds values.
impl fmt::Debug for RespBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Full(bytes) => write!(f, "RespBody({} bytes)", bytes.len()),
            Kind::Incoming(_) | Kind::Boxed(_) => f.write_str("RespBody(stream)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{Empty, Full};

    use super::*;

    #[test]
    fn a_body_of_this_type_is_not_boxed_again() {
        let body = RespBody::wrap(RespBody::from("x"));
        assert_eq!(body.as_bytes().unwrap(), "x");
    }

    #[tokio::test]
    async fn any_other_body_is_wrapped_and_read() {
        let body = RespBody::wrap(Full::new(Bytes::from_static(b"abc")));
        assert_eq!(body.size_hint().exact(), Some(3));
        let body = body.into_bytes().expect_err("has yet to be read");
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
        assert!(RespBody::wrap(Empty::<Bytes>::new()).is_end_stream());
    }

    #[test]
    fn bytes_come_out_without_a_copy() {
        let bytes = Bytes::from(vec![1_u8; 32]);
        let address = bytes.as_ptr();
        assert_eq!(RespBody::from(bytes).into_bytes().unwrap().as_ptr(), address);
    }

    #[tokio::test]
    async fn read_bytes_end_the_body() {
        let mut body = RespBody::from("abc");
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }

    #[tokio::test]
    async fn trailers_come_behind_the_bytes() {
        let trailers = HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-status"),
            http::HeaderValue::from_static("0"),
        )]);
        let mut body = RespBody::from("abc").with_trailers(Some(trailers));
        assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
        assert!(!body.is_end_stream());
        assert_eq!(body.frame().await.unwrap().unwrap().into_trailers().unwrap()["grpc-status"], "0");
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", RespBody::from("canary")), "RespBody(6 bytes)");
    }
}
