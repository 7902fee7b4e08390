//! Reading the body of a request.

use std::future::poll_fn;
use std::pin::pin;

use bytes::{Buf, Bytes, BytesMut};
use etcd_proto::BoxError;
use http_body::Body;

/// Reads a body to its end, or to just beyond what the store takes: it says itself that this is too much.
pub(crate) async fn read<B>(body: B) -> Result<Bytes, BoxError>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let mut body = pin!(body);
    let mut whole = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(Into::into)?;
        let Ok(data) = frame.into_data() else { continue };
        let room = LIMIT - whole.len();
        whole.extend_from_slice(data.slice(..data.remaining().min(room)).as_ref());
        if whole.len() == LIMIT {
            break;
        }
    }
    Ok(whole.freeze())
}

/// One more than etcd reads of a form.
const LIMIT: usize = 10 * 1024 * 1024 + 1;
