//! What all connections together may hold of the bodies of requests.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use etcd_proto::BoxError;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The room that all connections of a cluster share. Cheap to clone; all clones are the same room.
///
/// Each body has a bound of its own, but there may be many: whoever opens connections must not fill the memory of
/// the test. Bytes count as they come, not as a head announces them, so half a request takes no room from others.
#[derive(Clone, Debug)]
pub(crate) struct Uploads {
    /// One permit is one byte.
    room: Arc<Semaphore>,
}

/// A body that takes room for what it gives, and gives that back when it is dropped. It fails with [`Full`] where
/// there is none: waiting could last for ever, since others may wait in the midst of theirs as well.
pub(super) struct Metered<B> {
    body: B,
    uploads: Uploads,
    held: Option<OwnedSemaphorePermit>,
}

/// There is no room for this body now.
#[derive(Debug)]
pub(super) struct Full;

impl Uploads {
    /// Room for 256 MiB: some 25 of the largest bodies that etcd takes.
    pub(crate) fn new() -> Self {
        Self::of(256 * 1024 * 1024)
    }

    pub(super) fn of(bytes: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(bytes)) }
    }

    /// The body, counted.
    pub(super) fn meter<B>(&self, body: B) -> Metered<B> {
        Metered { body, uploads: self.clone(), held: None }
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Full> {
        let bytes = u32::try_from(bytes).map_err(|_| Full)?;
        Arc::clone(&self.room).try_acquire_many_owned(bytes).map_err(|_| Full)
    }
}

impl<B> Body for Metered<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(Into::into)?;
        if let Some(data) = frame.data_ref() {
            let more = self.uploads.take(data.len())?;
            match &mut self.held {
                Some(held) => held.merge(more),
                None => self.held = Some(more),
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bodies of other requests take all the room")
    }
}

impl Error for Full {}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use http_body_util::Full as Whole;

    use super::*;
    use crate::memory::service::read_upload;

    #[tokio::test]
    async fn bodies_share_the_room_and_give_it_back() {
        let uploads = Uploads::of(10);
        let body = || uploads.meter(Whole::new(Bytes::from_static(b"sixsix")));
        let mut first = pin!(body());
        assert_eq!(read_upload(first.as_mut()).await.unwrap(), "sixsix");
        let refused = read_upload(body()).await.unwrap_err();
        assert!(refused.is::<Full>());
        first.set(body());
        assert_eq!(read_upload(first).await.unwrap(), "sixsix", "one that is dropped leaves its room");
    }
}
