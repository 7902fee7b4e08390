//! Watching: one item a line, as it comes.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args;
use etcd_client::v2::{self, OnHistoryLost, WatchItem, WatchState, WatchStream};
use futures_util::StreamExt as _;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Prints each change of a key and of all below it, from now on, until Ctrl-C
///
/// One item a line: `set /key value`, `delete /key`, `expire /key`; control characters and backslashes in it are
/// escaped. Where the server no longer has the events that were missed, `resync` and what is stored now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    etcd-cli watch /foo\n  \
    etcd-cli watch -w json /foo | jq .node.value\n  \
    etcd-cli watch -i 1819 /foo                 # from this index on, inclusive\n  \
    etcd-cli watch --once --exact /foo/bar      # the next change of this key alone")]
pub(crate) struct Watch {
    key: String,
    #[command(flatten)]
    what: What,
}

/// What to watch.
#[derive(Debug, Args)]
pub(super) struct What {
    /// The first index, inclusive; without it from now on
    #[arg(short, long, value_name = "INDEX", conflicts_with = "after_index")]
    index: Option<u64>,
    /// The last index that is known already
    #[arg(long, value_name = "INDEX")]
    after_index: Option<u64>,
    /// The next item only
    #[arg(long, conflicts_with = "forever")]
    pub(super) once: bool,
    /// The key alone, without what is below it
    #[arg(long, conflicts_with = "recursive")]
    exact: bool,
    /// What is stored now, first
    #[arg(long, conflicts_with_all = ["index", "after_index"])]
    snapshot: bool,
    /// Ends with exit code 14 where events are lost, in place of `resync`
    #[arg(long)]
    fail_on_loss: bool,
    /// Nothing: a watch is endless
    #[arg(short, long, hide = true)]
    forever: bool,
    /// Nothing: a watch is recursive
    #[arg(short, long, hide = true)]
    recursive: bool,
}

impl Watch {
    pub(super) async fn run(self, session: &mut Session) -> Result<Exit> {
        let once = self.what.once;
        let mut items = self.what.start(session, &self.key).await?;
        while let Some(item) = items.next().await? {
            session.out.watched(&self.key, &item)?;
            if once {
                break;
            }
        }
        Ok(Exit::Done)
    }
}

impl What {
    /// Begins to watch.
    ///
    /// The key is read first: a server that cannot be reached, or does not let us, is a failure at once, where the
    /// watch itself would try for ever. And "from now on" begins with that read, not a little later.
    pub(super) async fn start(&self, session: &Session, key: &str) -> Result<Items> {
        let now = match session.client.get(key).await {
            Ok(read) => read.header.etcd_index,
            Err(error) if error.is_key_not_found() => error.api().map(|api| api.index).unwrap_or_default(),
            Err(error) => return Err(error.into()),
        };
        let watch = session.client.watch(key).recursive(!self.exact).with_snapshot(self.snapshot);
        let watch = watch.on_history_lost(match self.fail_on_loss {
            true => OnHistoryLost::Fail,
            false => OnHistoryLost::Resync,
        });
        let watch = match (self.index, self.after_index) {
            (Some(index), _) => watch.from(index),
            (None, Some(index)) => watch.from(index.saturating_add(1)),
            (None, None) if now.is_none() => watch,
            (None, None) => watch.after(now),
        };
        Ok(Items::new(watch))
    }
}

/// The items of a watch; tells on standard error when no server can be reached for a while.
pub(super) struct Items {
    stream: WatchStream,
    tick: Interval,
    /// For how many ticks there has been no connection.
    lost: u32,
}

impl Items {
    fn new(watch: v2::Watch) -> Self {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { stream: watch.start(), tick, lost: 0 }
    }

    /// The next item; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<WatchItem>> {
        loop {
            tokio::select! {
                biased;
                item = self.stream.next() => return item.transpose().map_err(Failure::from),
                _ = self.tick.tick() => self.tell(),
            }
        }
    }

    fn tell(&mut self) {
        if self.stream.state() == WatchState::Reconnecting {
            self.lost += 1;
            if self.lost == PATIENCE {
                note("no server answers; still trying");
            }
        } else {
            if self.lost >= PATIENCE {
                note("connected again");
            }
            self.lost = 0;
        }
    }
}

fn note(text: &str) {
    // What nobody reads need not be said.
    let _ = writeln!(io::stderr(), "watch: {text}");
}

const TICK: Duration = Duration::from_secs(1);
const PATIENCE: u32 = 2;
