//! A relay that counts what a client is given.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A relay in front of one server. Dropping it ends its connections.
pub(crate) struct Relay {
    address: SocketAddr,
    given: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Relay {
    /// Relays to `upstream`, which is `host:port`.
    pub(crate) async fn start(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, given) = (listener.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&given);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(relay(client, upstream.clone(), Arc::clone(&counted)));
            }
        });
        Self { address, given, _tasks: tasks }
    }

    /// `host:port` for clients.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes that clients were given: read by them, or lying with the operating system.
    pub(crate) fn given(&self) -> u64 {
        self.given.load(Ordering::SeqCst)
    }
}

async fn relay(client: TcpStream, upstream: String, given: Arc<AtomicU64>) {
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let down = async {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
            if to_client.write_all(&buffer[..count]).await.is_err() {
                return;
            }
            given.fetch_add(count as u64, Ordering::SeqCst);
        }
    };
    tokio::select! {
        () = down => {}
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
    }
}
