//! Bytes between a client and what serves it.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::ending::Ending;
use super::switch::Switch;
use super::{ConnectionFault, Direction};

/// Passes bytes between a client and what serves it until one of them, or a fault, ends that; then ends the
/// client's connection as it is to end. The connection was taken when all had been reset `resets` times.
pub(super) async fn pipe<S>(
    mut client: TcpStream,
    server: S,
    faults: &[ConnectionFault],
    switch: &watch::Receiver<Switch>,
    resets: u64,
    ending: &Ending,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stop = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = tokio::io::split(server);
        let up = Lane::new(Direction::ToServer, faults, switch).run(from_client, to_server);
        let down = Lane::new(Direction::ToClient, faults, switch).run(from_server, to_client);
        let mut switch = switch.clone();
        tokio::select! {
            biased;
            _ = switch.wait_for(|switch| switch.resets != resets) => Stop::Reset,
            stop = down => stop,
            stop = until_more_than_eof(up) => stop,
        }
    };
    let is_closed = match stop {
        Stop::Eof | Stop::Cut => !ending.is_reset(),
        Stop::Reset | Stop::Failed => false,
    };
    if is_closed { close(client).await } else { reset(client) }
}

/// Ends a connection with a reset.
pub(super) fn reset(client: TcpStream) {
    // Without it the connection is closed in order, which a fault of this kind then was not.
    let _ = rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO));
}

/// Ends a connection in order. What still comes is read: closing over unread bytes would reset it.
async fn close(mut client: TcpStream) {
    if client.shutdown().await.is_ok() {
        let mut sink = tokio::io::sink();
        let _ = timeout(LINGER, tokio::io::copy(&mut client, &mut sink)).await;
    }
}

/// A client that has sent its last byte may still wait for the answer.
async fn until_more_than_eof(up: impl Future<Output = Stop>) -> Stop {
    match up.await {
        Stop::Eof => std::future::pending().await,
        stop @ (Stop::Cut | Stop::Reset | Stop::Failed) => stop,
    }
}

/// Why a lane carries no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// No more bytes come.
    Eof,
    Cut,
    Reset,
    /// One of the two is not there any more.
    Failed,
}

/// One direction of a connection.
struct Lane {
    direction: Direction,
    switch: watch::Receiver<Switch>,
    delay: Duration,
    flips: Vec<u64>,
    /// Where it stops, and how; `None`: it stalls there.
    limit: Option<(u64, Option<Stop>)>,
    passed: u64,
}

impl Lane {
    fn new(direction: Direction, faults: &[ConnectionFault], switch: &watch::Receiver<Switch>) -> Self {
        let mut lane = Self {
            direction,
            switch: switch.clone(),
            delay: Duration::ZERO,
            flips: Vec::new(),
            limit: None,
            passed: 0,
        };
        for fault in faults {
            match *fault {
                ConnectionFault::Delay { direction: of, by } if of == direction => lane.delay += by,
                ConnectionFault::Stall { direction: of, after } if of == direction => lane.stop(after, None),
                ConnectionFault::Cut { direction: of, after } if of == direction => {
                    lane.stop(after, Some(Stop::Cut));
                }
                ConnectionFault::Reset { direction: of, after } if of == direction => {
                    lane.stop(after, Some(Stop::Reset));
                }
                ConnectionFault::Flip { direction: of, offset } if of == direction => lane.flips.push(offset),
                // Those of the other direction.
                ConnectionFault::Delay { .. }
                | ConnectionFault::Stall { .. }
                | ConnectionFault::Cut { .. }
                | ConnectionFault::Reset { .. }
                | ConnectionFault::Flip { .. } => {}
            }
        }
        lane
    }

    /// The first limit that is reached counts.
    fn stop(&mut self, after: u64, how: Option<Stop>) {
        if self.limit.is_none_or(|(limit, _)| after < limit) {
            self.limit = Some((after, how));
        }
    }

    async fn run(mut self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> Stop {
        let mut buffer = vec![0; BUFFER];
        loop {
            let room = match self.limit {
                Some((limit, how)) if limit == self.passed => match how {
                    Some(stop) => return stop,
                    None => return std::future::pending().await,
                },
                Some((limit, _)) => usize::try_from(limit - self.passed).unwrap_or(BUFFER).min(BUFFER),
                None => BUFFER,
            };
            let count = match from.read(&mut buffer[..room]).await {
                Ok(0) => {
                    self.unless_stalled().await;
                    if self.direction == Direction::ToServer {
                        let _ = to.shutdown().await;
                    }
                    // To the client it may be a reset, which no FIN must precede.
                    return Stop::Eof;
                }
                Ok(count) => count,
                Err(_) => return Stop::Failed,
            };
            self.flip(&mut buffer[..count]);
            if !self.delay.is_zero() {
                sleep(self.delay).await;
            }
            self.unless_stalled().await;
            if to.write_all(&buffer[..count]).await.is_err() {
                return Stop::Failed;
            }
            self.passed += count as u64;
        }
    }

    fn flip(&self, bytes: &mut [u8]) {
        for offset in &self.flips {
            let index = offset.checked_sub(self.passed).and_then(|index| usize::try_from(index).ok());
            if let Some(byte) = index.and_then(|index| bytes.get_mut(index)) {
                *byte = !*byte;
            }
        }
    }

    async fn unless_stalled(&mut self) {
        // An error means that the proxy is gone, and this connection is about to be.
        let _ = self.switch.wait_for(|switch| !switch.is_stalled).await;
    }
}

/// Bytes of one piece.
const BUFFER: usize = 16 * 1024;

/// For a client to close its side, once ours is closed.
const LINGER: Duration = Duration::from_secs(5);
