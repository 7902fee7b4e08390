//! The port of a proxy.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::connection::{self, Shared};
use super::switch::Switch;
use crate::port::Port;

/// Takes connections until it is dropped; they end with it. `is_listening` tells whether it does.
pub(super) async fn run(
    shared: Arc<Shared>,
    port: Port,
    socket: TcpListener,
    mut switch: watch::Receiver<Switch>,
    is_listening: watch::Sender<bool>,
) {
    let mut socket = Some(socket);
    let mut connections = JoinSet::new();
    loop {
        let now = *switch.borrow_and_update();
        if now.is_refusing {
            socket = None;
        } else if socket.is_none() {
            socket = port.listen().ok();
        }
        is_listening.send_replace(socket.is_some());
        tokio::select! {
            changed = switch.changed() => if changed.is_err() { return },
            Some(_) = connections.join_next() => {}
            accepted = accept(socket.as_ref(), now), if connections.len() < MAX_CONNECTIONS => {
                if let Some(client) = accepted {
                    connections.spawn(connection::run(client, Arc::clone(&shared), switch.clone(), now.resets));
                }
            }
        }
    }
}

/// The next connection, or none after a failure.
async fn accept(socket: Option<&TcpListener>, switch: Switch) -> Option<tokio::net::TcpStream> {
    match socket {
        Some(socket) => match socket.accept().await {
            Ok((client, _)) => return Some(client),
            // That connection is gone, or descriptors are short; the next one may fare better.
            Err(_) => sleep(PAUSE).await,
        },
        None if switch.is_refusing => std::future::pending().await,
        // The port was not to be had again yet.
        None => sleep(PAUSE).await,
    }
    None
}

const PAUSE: Duration = Duration::from_millis(10);

/// More wait in the backlog.
const MAX_CONNECTIONS: usize = 10_000;
