//! A connection that waits for the events of a watch.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use bytes::{BufMut as _, Bytes, BytesMut};
use http_body::{Body as _, Frame};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::memory::disconnect::Disconnected;
use crate::memory::service::Body;

/// What is left of a connection whose answer is a watch: its head is sent, chunks are to follow.
///
/// hyper holds 16 KiB of buffers for every connection, and cannot be told not to; this has none until there is an
/// event.
#[derive(Debug)]
pub(super) struct Watching<'a> {
    pub(super) stream: &'a mut TcpStream,
    /// What the client has sent behind the request.
    pub(super) ahead: &'a mut Bytes,
    pub(super) body: Body,
}

/// How a watch ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// By its last event: the connection can take another request.
    Whole,
    /// The client is gone.
    Gone,
    /// The server has to cut it.
    Cut(Disconnected),
}

impl Watching<'_> {
    /// Sends the events as they come.
    pub(super) async fn run(mut self) -> End {
        let mut reads = true;
        loop {
            let frame = tokio::select! {
                biased;
                frame = next_frame(&mut self.body) => frame,
                read = read_ahead(self.stream, self.ahead), if reads => match read {
                    // As Go's server does: something that comes behind the request waits for its turn, and the
                    // end of the connection behind it is not seen before something is written.
                    Ok(1..) => {
                        reads = false;
                        continue;
                    }
                    Ok(0) | Err(_) => return End::Gone,
                },
            };
            let (chunk, end) = match frame {
                // An empty one would be the end.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => (chunk(&data), None),
                    Ok(_) | Err(_) => continue,
                },
                Some(Err(how)) => return End::Cut(how),
                None => (Bytes::from_static(b"0\r\n\r\n"), Some(End::Whole)),
            };
            if self.stream.write_all(&chunk).await.is_err() {
                return End::Gone;
            }
            if let Some(end) = end {
                return end;
            }
        }
    }
}

async fn next_frame(body: &mut Body) -> Option<Result<Frame<Bytes>, Disconnected>> {
    poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await
}

/// Reads something behind `ahead`; 0 is the end.
async fn read_ahead(stream: &TcpStream, ahead: &mut Bytes) -> io::Result<usize> {
    loop {
        stream.readable().await?;
        let mut buffer = [0; READ];
        match stream.try_read(&mut buffer) {
            Ok(count) => {
                let mut joined = BytesMut::with_capacity(ahead.len() + count);
                joined.extend_from_slice(ahead);
                joined.extend_from_slice(&buffer[..count]);
                *ahead = joined.freeze();
                return Ok(count);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// HTTP/1.1's framing.
fn chunk(data: &[u8]) -> Bytes {
    let size = format!("{:x}\r\n", data.len());
    let mut chunk = BytesMut::with_capacity(size.len() + data.len() + 2);
    chunk.put_slice(size.as_bytes());
    chunk.put_slice(data);
    chunk.put_slice(b"\r\n");
    chunk.freeze()
}

/// Bytes; most requests fit.
const READ: usize = 512;
