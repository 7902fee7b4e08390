//! Watching who leads.
//!
//! | file | holds |
//! | --- | --- |
//! | `change` | what an observer is told |
//! | `roster` | from the items of a watch to that, as a function |

mod change;
mod roster;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use etcd_client::v2::{Client, Key, WatchState, WatchStream};
use futures_core::Stream;

pub use self::change::LeaderChange;
use self::roster::Roster;
use crate::{Error, Result};

/// The leaders of an election, as they change: who leads now first, then each change. Made by
/// [`Election::observe`](crate::Election::observe).
///
/// - A change is another leader, another value by the same one ([`proclaim`](crate::Leadership::proclaim)), or nobody.
/// - Tokens rise: after a leader no older one is shown. The only exception says so,
///   [`LeaderChange::Resynced`] with `IndexWentBack`.
/// - Renewals are no changes, also those of servers before 2.3, which write the value again.
/// - Where the server no longer has the changes, [`LeaderChange::Resynced`] says so.
///
/// It stands on a watch of the whole directory of the election and has no task of its own: it works when it is polled.
/// It outlives dead members and elections of the cluster, and ends with an error that would come again at any member,
/// as its last item.
///
/// # Cancel safety
/// Waiting for an item may be given up and taken up again at any time.
#[must_use = "streams do nothing unless polled"]
pub struct Observe {
    watch: WatchStream,
    roster: Roster,
}

impl Observe {
    pub(crate) fn new(client: &Client, dir: Key) -> Self {
        let watch = client.watch(&dir).recursive(true).with_snapshot(true).start();
        Self { watch, roster: Roster::new(dir) }
    }

    /// Where the watch below it is, as of the last time that it was polled.
    #[must_use]
    pub fn state(&self) -> WatchState {
        self.watch.state()
    }
}

impl Stream for Observe {
    type Item = Result<LeaderChange>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let item = match ready!(Pin::new(&mut self.watch).poll_next(context)) {
                Some(Ok(item)) => item,
                Some(Err(error)) => return Poll::Ready(Some(Err(Error::from(error)))),
                None => return Poll::Ready(None),
            };
            let position = self.watch.position();
            if let Some(change) = self.roster.take(&item, position.cluster_id()) {
                return Poll::Ready(Some(Ok(change)));
            }
        }
    }
}

impl fmt::Debug for Observe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observe").field("watch", &self.watch).finish_non_exhaustive()
    }
}
