//! Watching a key or a tree of keys: every event once and in order, or a [`Resync`](WatchItem::Resync) that says
//! that some are lost.
//!
//! | file | holds |
//! | --- | --- |
//! | `builder` | what a caller says of a watch, [`Watch`] |
//! | `stream` | [`WatchStream`], what the caller polls |
//! | `item` | what it yields |
//! | `state`, `position` | where it is |
//! | `tree` | a local copy of what is watched |
//! | `filter` | which events of the server are delivered |
//! | `outbox` | what goes from the driver to the stream |
//! | `driver` | the state machine |

mod builder;
mod driver;
mod filter;
mod item;
mod outbox;
mod position;
mod state;
mod stream;
mod tree;
mod until;

pub use builder::{OnHistoryLost, Watch};
pub use item::{ResyncCause, WatchItem};
pub use position::Position;
pub use state::WatchState;
pub use stream::WatchStream;
pub use tree::{Change, Entry, Tree};
pub use until::WatchUntil;
