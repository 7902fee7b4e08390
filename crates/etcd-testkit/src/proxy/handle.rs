//! A running proxy.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::connection::Shared;
use super::switch::Switch;
use super::{Faults, Log, ProxyBuilder};

/// A running proxy in front of one server.
///
/// Dropping it ends the listener and all connections; that happens a moment later, on the runtime.
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    is_tls: bool,
    switch: watch::Sender<Switch>,
    is_listening: watch::Receiver<bool>,
    listener: JoinHandle<()>,
}

impl Proxy {
    /// Starts with an upstream, which is `host:port` (such as a [`SocketAddr`]) or a URL such as
    /// `http://127.0.0.1:2379`, of which only host and port count; a free port of 127.0.0.1 to listen on; no rules.
    pub fn builder(upstream: impl ToString) -> ProxyBuilder {
        ProxyBuilder::new(upstream.to_string())
    }

    pub(super) fn new(
        shared: Arc<Shared>,
        address: SocketAddr,
        is_tls: bool,
        switch: watch::Sender<Switch>,
        is_listening: watch::Receiver<bool>,
        listener: JoinHandle<()>,
    ) -> Self {
        Self { shared, address, is_tls, switch, is_listening, listener }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients, such as `http://127.0.0.1:34567`; `https:` if the upstream's is.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}://{}", if self.is_tls { "https" } else { "http" }, self.address)
    }

    /// Its rules, to be changed at any time.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.shared.faults.clone()
    }

    /// What it has seen.
    #[must_use]
    pub fn log(&self) -> Log {
        self.shared.log.clone()
    }

    /// How many connections it has taken since the start.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// How many of them are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// How many requests it has seen since the start, all attempts counted.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.log.count()
    }

    /// Closes the listener: connecting is refused until [`restore`](Self::restore). Connections that are open go on.
    ///
    /// # Cancel safety
    /// If the future is dropped after it was polled, the listener is closed a moment later.
    pub async fn refuse(&self) {
        self.switch.send_modify(|switch| switch.is_refusing = true);
        // An error means that the runtime shuts down: nothing listens then either.
        let _ = self.is_listening.clone().wait_for(|is_listening| !is_listening).await;
    }

    /// Listens again on the same port, after [`refuse`](Self::refuse), and has bytes pass again, after
    /// [`stall`](Self::stall). Rules stay.
    ///
    /// # Errors
    /// If the runtime that the proxy was started on is gone.
    ///
    /// # Cancel safety
    /// If the future is dropped after it was polled, the proxy listens a moment later.
    pub async fn restore(&self) -> io::Result<()> {
        self.switch.send_modify(|switch| (switch.is_refusing, switch.is_stalled) = (false, false));
        match self.is_listening.clone().wait_for(|is_listening| *is_listening).await {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::other("the runtime of the proxy is gone")),
        }
    }

    /// Has no byte pass, either way, on all connections, until [`restore`](Self::restore); new ones are taken and
    /// stay silent. What was held back then passes: a network that loses nothing. Bytes that were already
    /// given to the operating system arrive.
    pub fn stall(&self) {
        self.switch.send_modify(|switch| switch.is_stalled = true);
    }

    /// Resets all connections that are open now. New ones are taken.
    pub fn reset_connections(&self) {
        self.switch.send_modify(|switch| switch.resets += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .field("upstream", &self.shared.upstream)
            .field("switch", &*self.switch.borrow())
            .finish_non_exhaustive()
    }
}
