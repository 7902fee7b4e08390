//! One connection of a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::io::duplex;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::ending::{Ending, FarEnd};
use super::pipe::{pipe, reset};
use super::switch::Switch;
use super::{Faults, Log, session};

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Host and port.
    pub(super) upstream: String,
    pub(super) is_bytes_only: bool,
    pub(super) faults: Faults,
    pub(super) log: Log,
    pub(super) taken: AtomicU64,
    pub(super) open: AtomicUsize,
}

/// Serves a connection until it ends; it was taken when all had been reset `resets` times.
pub(super) async fn run(
    client: TcpStream,
    shared: Arc<Shared>,
    switch: watch::Receiver<Switch>,
    resets: u64,
) {
    let number = shared.taken.fetch_add(1, Ordering::Relaxed) + 1;
    shared.open.fetch_add(1, Ordering::Relaxed);
    let _open = Open(&shared.open);
    let faults = shared.faults.of_connection();
    // Events are small, and each counts. If it fails they are slower.
    let _ = client.set_nodelay(true);
    let ending = Arc::new(Ending::default());
    if shared.is_bytes_only {
        let Ok(server) = TcpStream::connect(&shared.upstream).await else {
            return reset(client);
        };
        let _ = server.set_nodelay(true);
        return pipe(client, server, &faults, &switch, resets, &ending).await;
    }
    let (near, far) = duplex(BUFFER);
    let far = FarEnd::new(far, Arc::clone(&ending));
    tokio::select! {
        () = pipe(client, near, &faults, &switch, resets, &ending) => {}
        // When it is over its end is dropped, and the pipe, having passed the last byte, ends, too.
        () = async {
            session::serve(far, number, &shared, &ending).await;
            std::future::pending().await
        } => {}
    }
}

/// Counts a connection down when it ends, also by being dropped.
struct Open<'a>(&'a AtomicUsize);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes on their way to or from hyper.
const BUFFER: usize = 32 * 1024;
