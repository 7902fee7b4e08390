//! What a watch yields.

use std::fmt;

use etcd_proto::v2::{Index, KeysEvent, Node};

/// What a watch yields.
///
/// Indexes rise from item to item: an event happened behind the one before it, a resync tells of the time up to
/// its index.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchItem {
    /// The watched key, or one below it, was changed.
    Event(KeysEvent),
    /// A directory above the watched key was deleted or has expired, and took it along. The event names that
    /// directory.
    AncestorRemoved(KeysEvent),
    /// What is stored now, in place of events: at the start of a watch that asked for it, and where events were
    /// lost.
    Resync {
        /// The watched key with all below it; `None` if there is none. Hidden keys are not in it.
        snapshot: Option<Node>,
        /// The index of the store that the snapshot shows. Later items have a greater one.
        index: Index,
        /// Why there is a snapshot in place of events.
        cause: ResyncCause,
    },
}

/// Why a watch yields a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResyncCause {
    /// The caller asked for one at the start; nothing was lost.
    Started,
    /// The server no longer has the events from the wanted index on: it keeps the last 1000 of the whole store.
    HistoryCleared,
    /// The index of the store is smaller than it was: it was restored from an older state. What was seen before
    /// may never have happened there.
    IndexWentBack,
}

impl WatchItem {
    /// The index that the item brings the watcher up to.
    #[must_use]
    pub fn index(&self) -> Index {
        match self {
            Self::Event(event) | Self::AncestorRemoved(event) => event.index(),
            Self::Resync { index, .. } => *index,
        }
    }

    /// The event, if it is one.
    #[must_use]
    pub fn event(&self) -> Option<&KeysEvent> {
        match self {
            Self::Event(event) | Self::AncestorRemoved(event) => Some(event),
            Self::Resync { .. } => None,
        }
    }

    /// Whether events were lost before it.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        matches!(self, Self::Resync { cause, .. } if *cause != ResyncCause::Started)
    }
}

impl fmt::Display for ResyncCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Started => "the watch begins",
            Self::HistoryCleared => "the wanted events are no longer in the history",
            Self::IndexWentBack => "the index of the store went back",
        })
    }
}
