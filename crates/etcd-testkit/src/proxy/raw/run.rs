//! Following a script.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::script::{Script, Step};
use crate::proxy::pipe::reset;

/// What was read on a connection, the first MiB.
#[derive(Clone, Debug, Default)]
pub(super) struct Received(Arc<Mutex<Vec<u8>>>);

impl Received {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn push(&self, bytes: &[u8]) {
        let mut received = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_RECEIVED - received.len();
        received.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Follows a script to its end, or until the client is gone.
pub(super) async fn run(stream: TcpStream, script: Script, received: Received) {
    // Each write is to be seen as it is written.
    let _ = stream.set_nodelay(true);
    let mut connection = Connection { stream, received, ahead: Vec::new() };
    for step in &script.steps {
        let done = match step {
            Step::ReadHead => connection.read_head().await.map(drop),
            Step::ReadRequest => connection.read_request().await,
            Step::Read(bytes) => connection.read(*bytes).await,
            Step::Write { bytes, times } => connection.write(bytes, *times).await,
            Step::WriteSlowly { bytes, piece, every } => connection.write_slowly(bytes, *piece, *every).await,
            Step::Wait(by) => {
                sleep(*by).await;
                Ok(())
            }
            Step::Stall => std::future::pending().await,
            Step::Close => break,
            Step::Reset => return reset(connection.stream),
        };
        if done.is_err() {
            return;
        }
    }
    connection.close().await;
}

struct Connection {
    stream: TcpStream,
    received: Received,
    /// What was read and not asked for yet.
    ahead: Vec<u8>,
}

impl Connection {
    /// Reads until the predicate finds how many bytes are wanted in what there is; all there is at the end.
    async fn read_until(&mut self, wanted: impl Fn(&[u8]) -> Option<usize>) -> io::Result<Vec<u8>> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(count) = wanted(&self.ahead) {
                return Ok(self.ahead.drain(..count).collect());
            }
            let count = self.stream.read(&mut buffer).await?;
            if count == 0 || self.ahead.len() > MAX_RECEIVED {
                return Ok(std::mem::take(&mut self.ahead));
            }
            self.received.push(&buffer[..count]);
            self.ahead.extend_from_slice(&buffer[..count]);
        }
    }

    async fn read_head(&mut self) -> io::Result<Vec<u8>> {
        self.read_until(|bytes| end_of(bytes, b"\r\n\r\n")).await
    }

    async fn read_request(&mut self) -> io::Result<()> {
        let head = String::from_utf8_lossy(&self.read_head().await?).to_ascii_lowercase();
        let value = |name| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if value("transfer-encoding:") == Some("chunked") {
            let end = |bytes: &[u8]| {
                if bytes.starts_with(b"0\r\n\r\n") { Some(5) } else { end_of(bytes, b"\r\n0\r\n\r\n") }
            };
            return self.read_until(end).await.map(drop);
        }
        self.read(value("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0)).await
    }

    /// Unlike a head, so much need not be held.
    async fn read(&mut self, mut bytes: usize) -> io::Result<()> {
        while bytes > 0 {
            let read = self.read_until(|ahead| (!ahead.is_empty()).then_some(ahead.len().min(bytes))).await?;
            if read.is_empty() {
                return Ok(());
            }
            bytes -= read.len();
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8], times: u64) -> io::Result<()> {
        // Short units together, or 100,000 levels were as many packets.
        let together = times.min((PIECE / bytes.len().max(1)) as u64).max(1);
        let unit = bytes.repeat(usize::try_from(together).unwrap_or(1));
        for _ in 0..times / together {
            self.stream.write_all(&unit).await?;
        }
        for _ in 0..times % together {
            self.stream.write_all(bytes).await?;
        }
        Ok(())
    }

    async fn write_slowly(&mut self, bytes: &[u8], piece: usize, every: Duration) -> io::Result<()> {
        for piece in bytes.chunks(piece) {
            sleep(every).await;
            self.stream.write_all(piece).await?;
        }
        Ok(())
    }

    /// What still comes is read: closing over unread bytes would reset the connection.
    async fn close(mut self) {
        if self.stream.shutdown().await.is_ok() {
            let _ = timeout(LINGER, copy(&mut self.stream, &mut sink())).await;
        }
    }
}

/// The index behind the first occurrence.
fn end_of(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark).map(|index| index + mark.len())
}

const MAX_RECEIVED: usize = 1024 * 1024;
const PIECE: usize = 16 * 1024;
const LINGER: Duration = Duration::from_secs(5);
