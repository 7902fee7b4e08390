//! The body of a request.
//!
//! An enum and not a box for all, since the difference matters to retries: bytes can be sent again, a stream
//! cannot. `Default` is what layers such as tower-http's `FollowRedirect` ask for.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use etcd_proto::BoxError;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;

/// The body of a request: nothing, bytes, or a stream.
///
/// Bytes are shared by the copies for several attempts. A stream exists once: a request with one is never
/// sent twice.
///
/// ```
/// use etcd_transport::ReqBody;
///
/// let form = ReqBody::from("value=1&ttl=30");
/// assert_eq!(form.try_clone().unwrap().as_bytes(), form.as_bytes());
/// ```
#[derive(Default)]
pub struct ReqBody {
    kind: Kind,
}

#[derive(Default)]
enum Kind {
    /// Nothing, or all of it has been sent.
    #[default]
    Empty,
    /// Sent as one frame; not empty.
    Full(Bytes),
    /// Sent as it comes.
    Stream(UnsyncBoxBody<Bytes, BoxError>),
}

impl ReqBody {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body that is sent as it comes, once.
    ///
    /// An error of the stream breaks the request off; what the server makes of the part that it got is not
    /// known.
    #[must_use]
    pub fn stream<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self { kind: Kind::Stream(body.map_err(Into::into).boxed_unsync()) }
    }

    /// A copy for another attempt; `None` for a stream.
    ///
    /// It costs a reference count, whatever the length.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        let kind = match &self.kind {
            Kind::Empty => Kind::Empty,
            Kind::Full(bytes) => Kind::Full(bytes.clone()),
            Kind::Stream(_) => return None,
        };
        Some(Self { kind })
    }

    /// The bytes, empty for no body; `None` for a stream.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Empty => Some(&[]),
            Kind::Full(bytes) => Some(bytes),
            Kind::Stream(_) => None,
        }
    }
}

impl Body for ReqBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.kind {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.kind = Kind::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Kind::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Full(_) => false,
            Kind::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Stream(body) => body.size_hint(),
        }
    }
}

impl From<Bytes> for ReqBody {
    fn from(bytes: Bytes) -> Self {
        let kind = if bytes.is_empty() { Kind::Empty } else { Kind::Full(bytes) };
        Self { kind }
    }
}

impl From<Vec<u8>> for ReqBody {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for ReqBody {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for ReqBody {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

/// Shows the length only: a body holds values, and passwords of new users.
impl fmt::Debug for ReqBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Empty => f.write_str("ReqBody(empty)"),
            Kind::Full(bytes) => write!(f, "ReqBody({} bytes)", bytes.len()),
            Kind::Stream(_) => f.write_str("ReqBody(stream)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[tokio::test]
    async fn a_copy_holds_the_same_bytes() {
        let body = ReqBody::from("value=1");
        let copy = body.try_clone().unwrap();
        assert_eq!(copy.as_bytes(), body.as_bytes());
        assert_eq!(copy.size_hint().exact(), Some(7));
        assert_eq!(copy.collect().await.unwrap().to_bytes(), "value=1");
    }

    #[tokio::test]
    async fn a_stream_has_no_copy() {
        let body = ReqBody::stream(Full::new(Bytes::from_static(b"x")));
        assert!(body.try_clone().is_none() && body.as_bytes().is_none());
        assert_eq!(body.collect().await.unwrap().to_bytes(), "x");
    }

    #[test]
    fn nothing_to_send_is_no_body() {
        for body in [ReqBody::default(), ReqBody::from(""), ReqBody::from(Bytes::new())] {
            assert!(body.is_end_stream());
            assert_eq!(body.size_hint().exact(), Some(0));
        }
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", ReqBody::from("canary")), "ReqBody(6 bytes)");
    }
}
