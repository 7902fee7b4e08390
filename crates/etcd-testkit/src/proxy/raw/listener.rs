//! A listener that follows scripts.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use super::Script;
use super::run::{Received, run};

/// A listener on a free loopback port whose connections follow scripts.
///
/// It keeps what the first 1,000 connections have sent, the first MiB of each, and serves 1,000 at once.
/// Dropping it ends the listener and all connections; that happens a moment later, on the runtime.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Listens; the first connection follows the first script, and so on. Further ones are closed at once.
    ///
    /// # Errors
    /// If no port is to be had.
    pub async fn start(scripts: impl IntoIterator<Item = Script>) -> io::Result<Self> {
        Self::listen(scripts.into_iter().collect(), None).await
    }

    /// Listens; all connections follow this script.
    ///
    /// # Errors
    /// If no port is to be had.
    pub async fn repeat(script: Script) -> io::Result<Self> {
        Self::listen(VecDeque::new(), Some(script)).await
    }

    /// Listens and never accepts: the operating system makes connections, up to its backlog, and all that is
    /// written on them waits. The listener counts and keeps nothing.
    ///
    /// # Errors
    /// If no port is to be had.
    pub async fn never_accept() -> io::Result<Self> {
        let socket = bind().await?;
        let address = socket.local_addr()?;
        let task = tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(socket);
        });
        Ok(Self { address, connections: Arc::default(), task })
    }

    async fn listen(scripts: VecDeque<Script>, last: Option<Script>) -> io::Result<Self> {
        let socket = bind().await?;
        let address = socket.local_addr()?;
        let connections = Arc::default();
        let task = tokio::spawn(accept(socket, scripts, last, Arc::clone(&connections)));
        Ok(Self { address, connections, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients, such as `http://127.0.0.1:34567`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were taken, 1,000 at most.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What the script of this connection, counted from 0, has read so far; nothing if there is none.
    #[must_use]
    pub fn received(&self, connection: usize) -> Vec<u8> {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.get(connection).map(Received::bytes).unwrap_or_default()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn bind() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

async fn accept(
    socket: TcpListener,
    mut scripts: VecDeque<Script>,
    last: Option<Script>,
    connections: Arc<Mutex<Vec<Received>>>,
) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = running.join_next() => {}
            accepted = socket.accept(), if running.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let script = scripts.pop_front().or_else(|| last.clone()).unwrap_or_default();
                    let received = Received::default();
                    let mut connections = connections.lock().unwrap_or_else(PoisonError::into_inner);
                    if connections.len() < MAX_CONNECTIONS {
                        connections.push(received.clone());
                    }
                    drop(connections);
                    running.spawn(run(stream, script, received));
                }
                // That connection is gone, or descriptors are short; the next one may fare better.
                Err(_) => sleep(PAUSE).await,
            },
        }
    }
}

const MAX_CONNECTIONS: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(10);
