//! What can go wrong with a connection, and which ones.

use std::time::Duration;

use crate::turn::Turn;

/// A way of bytes through a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Requests.
    ToServer,
    /// Answers.
    ToClient,
}

/// What happens to a connection between the client and the proxy, whatever it carries.
///
/// Bytes are counted from the start of the connection, heads included. The server sees what has passed; for
/// HTTP it sees a request once its head has passed in whole, and one that is cut in its body as far as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionFault {
    /// Each piece, of at most 16 KiB, is held back for so long: latency, and a limit of the throughput.
    Delay {
        /// Which way.
        direction: Direction,
        /// For how long.
        by: Duration,
    },
    /// After so many bytes nothing more passes this way; the connection stays open. 0 in both directions: it was
    /// taken and stays silent.
    Stall {
        /// Which way.
        direction: Direction,
        /// Bytes that pass.
        after: u64,
    },
    /// After so many bytes the connection is closed in order (`FIN`); 0: as soon as it is taken.
    Cut {
        /// Whose bytes count.
        direction: Direction,
        /// Bytes that pass.
        after: u64,
    },
    /// After so many bytes the connection is reset (`RST`); 0: as soon as it is taken.
    Reset {
        /// Whose bytes count.
        direction: Direction,
        /// Bytes that pass.
        after: u64,
    },
    /// All bits of this byte, from 0, are inverted.
    Flip {
        /// Which way.
        direction: Direction,
        /// The byte.
        offset: u64,
    },
}

/// Which connections meet a [`ConnectionFault`]: all, until a condition says otherwise.
///
/// It holds for connections that are taken from when it is added.
///
/// # Examples
/// ```
/// use etcd_testkit::proxy::{ConnectionFault, ConnectionRule, Direction};
///
/// // The first connection ends in the middle of its first answer.
/// let cut = ConnectionFault::Cut { direction: Direction::ToClient, after: 200 };
/// let rule = ConnectionRule::new(cut).nth(1);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a rule does nothing unless a proxy has it"]
pub struct ConnectionRule {
    fault: ConnectionFault,
    turn: Turn,
    seen: u64,
}

impl ConnectionRule {
    /// A rule for all connections.
    pub fn new(fault: ConnectionFault) -> Self {
        Self { fault, turn: Turn::All, seen: 0 }
    }

    /// Only the `n`th connection, from 1; 0 means none. It replaces [`every`](Self::every) and
    /// [`first`](Self::first), as they replace it.
    pub fn nth(mut self, n: u64) -> Self {
        self.turn = Turn::Nth(n);
        self
    }

    /// Only every `n`th connection; 0 means none.
    pub fn every(mut self, n: u64) -> Self {
        self.turn = Turn::Every(n);
        self
    }

    /// Only the first `n` connections.
    pub fn first(mut self, n: u64) -> Self {
        self.turn = Turn::First(n);
        self
    }

    /// Counts a connection; the fault, if it meets it.
    pub(super) fn meets(&mut self) -> Option<&ConnectionFault> {
        self.seen = self.seen.saturating_add(1);
        self.turn.is_turn_of(self.seen).then_some(&self.fault)
    }
}
