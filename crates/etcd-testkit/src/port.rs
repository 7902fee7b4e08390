//! A port that stays ours while nobody listens.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// A port that stays ours while nobody listens.
///
/// A socket that is bound but does not listen keeps the port: connecting is refused, and nobody else is given
/// the number, so that a server that was down comes back where it was.
#[derive(Debug)]
pub(crate) struct Port {
    address: SocketAddr,
    _reservation: TcpSocket,
}

impl Port {
    /// Takes a port; 0 takes a free one.
    pub(crate) fn reserve(address: SocketAddr) -> io::Result<Self> {
        let reservation = bind(address)?;
        Ok(Self { address: reservation.local_addr()?, _reservation: reservation })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        bind(self.address)?.listen(BACKLOG)
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Two sockets on one port, of which one listens at most.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// As many as Linux allows by default.
const BACKLOG: u32 = 4096;
