//! One member's listener.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Uploads, connection};
use crate::memory::engine::{Engine, Gate};
use crate::port::Port;

/// One member's listener: open while its gate is.
#[derive(Debug)]
pub(crate) struct Listener {
    engine: Arc<Engine>,
    member: usize,
    port: Port,
    gate: watch::Receiver<Gate>,
    listening: watch::Sender<Option<u64>>,
    uploads: Uploads,
}

impl Listener {
    /// The sender tells whether it listens, and in which life: after how many kills of its member.
    pub(crate) fn new(
        engine: Arc<Engine>,
        member: usize,
        port: Port,
        gate: watch::Receiver<Gate>,
        listening: watch::Sender<Option<u64>>,
        uploads: Uploads,
    ) -> Self {
        Self { engine, member, port, gate, listening, uploads }
    }

    /// Takes connections until it is dropped; they end with it.
    pub(crate) async fn run(mut self, mut socket: Option<TcpListener>) {
        let mut connections = JoinSet::new();
        let mut kills = self.gate.borrow().kills;
        loop {
            let gate = *self.gate.borrow_and_update();
            // Also if the member is back already: what came in by then, and was not taken yet, is of the old life.
            if !gate.is_open || gate.kills != kills {
                socket = None;
            }
            if gate.is_down || gate.kills != kills {
                // They see the same gate and end by themselves, with a reset.
                while connections.join_next().await.is_some() {}
            }
            kills = gate.kills;
            if gate.is_open && socket.is_none() {
                socket = self.port.listen().ok();
            }
            self.listening.send_replace(socket.is_some().then_some(kills));
            let changed = match &socket {
                Some(socket) => self.accept(socket, kills, &mut connections).await,
                // Out of descriptors, say.
                None if gate.is_open => {
                    sleep(PAUSE).await;
                    true
                }
                None => self.gate.changed().await.is_ok(),
            };
            if !changed {
                return;
            }
        }
    }

    /// Takes connections until the gate changes; `false` if it never will again.
    async fn accept(&mut self, socket: &TcpListener, kills: u64, connections: &mut JoinSet<()>) -> bool {
        loop {
            tokio::select! {
                // The gate first: what comes to a closed one is not taken.
                biased;
                changed = self.gate.changed() => return changed.is_ok(),
                Some(_) = connections.join_next() => {}
                accepted = socket.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                    Ok((stream, _)) => {
                        let (engine, gate) = (Arc::clone(&self.engine), self.gate.clone());
                        let uploads = self.uploads.clone();
                        connections.spawn(connection::serve(stream, engine, self.member, kills, gate, uploads));
                    }
                    // That connection is gone, or descriptors are short; the next one may fare better.
                    Err(_) => sleep(PAUSE).await,
                },
            }
        }
    }
}

const PAUSE: Duration = Duration::from_millis(10);

/// Of one member; more wait in the backlog.
const MAX_CONNECTIONS: usize = 50_000;
